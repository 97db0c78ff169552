import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PGlite } from "@electric-sql/pglite"
import type { TestProject } from "vitest/node"
import { PostgresServer } from "./postgres-server.ts"

declare module "vitest" {
    interface ProvidedContext {
        /** Where the tests' Postgres is; empty when they run on PGlite. */
        connectionString: string
        /** An archive of an empty PGlite database; empty when the tests run on a server. */
        embeddedData: string
        /** The leg of the behaviour suite: `18`, `14` or `pglite`. */
        leg: string
    }
}

/** Starts the database of the leg that `CUCKMQ_TEST_DATABASE` names; 18 by default. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
    const leg = process.env.CUCKMQ_TEST_DATABASE ?? "18"
    project.provide("leg", leg)
    if (leg === "pglite") {
        project.provide("connectionString", "")
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-pglite-"))
        project.provide("embeddedData", await archiveEmbedded(folder))
        return async () => rmSync(folder, { recursive: true, force: true })
    }
    project.provide("embeddedData", "")
    const server = await PostgresServer.start({ version: Number(leg) })
    project.provide("connectionString", server.connectionString)
    return () => server.destroy()
}

/** Initializing a database takes seconds, so it is done once, and every test file starts from a copy. */
async function archiveEmbedded(folder: string): Promise<string> {
    const database = await PGlite.create()
    const archive = await database.dumpDataDir("none")
    await database.close()
    const path = join(folder, "data.tar")
    writeFileSync(path, Buffer.from(await archive.arrayBuffer()))
    return path
}
