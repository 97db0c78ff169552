import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PGlite } from "@electric-sql/pglite"
import pg from "pg"
import type { TestProject } from "vitest/node"
import { isLeg, type Leg, versionOf } from "./legs.ts"
import { PgBouncer } from "./pgbouncer.ts"
import { PASSWORD, PostgresServer } from "./postgres-server.ts"
import { securitySql } from "./security.ts"

declare module "vitest" {
    interface ProvidedContext {
        /** Where the tests' Postgres is; empty when they run on PGlite. */
        connectionString: string
        /** The way that the queues under test take to it: through a pooler, or as another role. */
        queueConnectionString: string
        /** An archive of an empty PGlite database; empty when the tests run on a server. */
        embeddedData: string
        leg: Leg
    }
}

/** Starts the database of the leg that `CUCKMQ_TEST_DATABASE` names; 18 by default. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
    const leg = process.env.CUCKMQ_TEST_DATABASE ?? "18"
    if (!isLeg(leg)) throw new Error(`CUCKMQ_TEST_DATABASE names no leg: ${leg}`)
    project.provide("leg", leg)
    if (leg === "pglite") {
        project.provide("connectionString", "")
        project.provide("queueConnectionString", "")
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-pglite-"))
        project.provide("embeddedData", await archiveEmbedded(folder))
        return async () => rmSync(folder, { recursive: true, force: true })
    }
    project.provide("embeddedData", "")
    const server = await PostgresServer.start({ version: versionOf(leg), mayBeInMemory: true })
    project.provide("connectionString", server.connectionString)
    const pgBouncer = leg === "pgbouncer" ? await PgBouncer.start(server.port) : undefined
    const user = await makeRoles(leg, server.connectionString)
    const url = new URL((pgBouncer ?? server).connectionString)
    if (user !== undefined) url.username = user
    project.provide("queueConnectionString", url.href)
    return async () => {
        await pgBouncer?.destroy()
        await server.destroy()
    }
}

/** Makes the roles of docs/security.md, and those of the leg. Returns whom the queues under test connect as. */
async function makeRoles(leg: Leg, connectionString: string): Promise<string | undefined> {
    const client = new pg.Client({ connectionString })
    await client.connect()
    await client.query(securitySql("roles"))
    if (leg === "serializable") {
        await client.query(`create role serializable superuser login password '${PASSWORD}'`)
        await client.query("alter role serializable set default_transaction_isolation = serializable")
    }
    await client.end()
    return { serializable: "serializable", roles: "cuckmq_runtime" }[leg as string]
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
