import { after, before } from "node:test"
import pg from "pg"
import { PostgresServer } from "../../../test/support/postgres-server.ts"
import { check } from "../index.ts"
import { FACTS, History } from "./history.ts"

/** A server with an empty ledger, for the tests of a file. */
export function useLedger() {
    let server: PostgresServer | undefined
    let pool: pg.Pool | undefined
    before(async () => {
        server = await PostgresServer.start({ version: 18, flags: ["fsync=off"] })
        pool = new pg.Pool({ connectionString: server.connectionString, max: 1 })
    })
    after(async () => {
        await pool?.end()
        await server?.destroy()
    })
    const ledger = (): pg.Pool => {
        if (pool === undefined) throw new Error("the server has not started")
        return pool
    }
    return {
        ledger,
        /** What was violated, and how often: nothing else may be. */
        violationsOf: async (history: History, facts = FACTS): Promise<Record<string, number>> => {
            await history.fill(ledger(), facts)
            const verdicts = await check(ledger())
            return Object.fromEntries(
                verdicts
                    .filter(({ finding }) => finding.numViolations > 0)
                    .map(({ invariant, finding }) => [invariant.id, finding.numViolations]),
            )
        },
    }
}

/** Two workers, an orchestrator, and a drained campaign of a hundred seconds. */
export function campaign(): History {
    return new History()
        .phases({ begin: 0, calm: 60_000, "producers-ended": 60_100, drained: 61_000, end: 62_000 })
        .worker("worker-1.1")
        .worker("worker-2.1")
        .process("orchestrator-1.1", "orchestrator")
}
