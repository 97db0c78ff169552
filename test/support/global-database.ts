import type { TestProject } from "vitest/node"
import { PostgresServer } from "./postgres-server.ts"

declare module "vitest" {
    interface ProvidedContext {
        /** Where the tests' Postgres is; empty when they run on PGlite. */
        connectionString: string
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
        return async () => undefined
    }
    const server = await PostgresServer.start({ version: Number(leg) })
    project.provide("connectionString", server.connectionString)
    return () => server.destroy()
}
