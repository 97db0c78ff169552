import { randomBytes } from "node:crypto"
import pg from "pg"
import { describe, expect, it, onTestFinished } from "vitest"
import { Config, type Daemon, type Event, Orchestrator, Worker } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { isLegOfRelease } from "../support/own-server.ts"
import { PostgresServer } from "../support/postgres-server.ts"
import { produce } from "../support/produce.ts"
import { eventually } from "../support/with-schema.ts"

const NUM_RESTARTS = 2

describe.skipIf(!isLegOfRelease())("a restart of the server", () => {
    it.each(["immediate", "fast"] as const)(
        "(%s) loses nothing that was acknowledged, and stops no daemon",
        async (mode) => {
            const server = await PostgresServer.start({ version: 18 })
            const pool = new pg.Pool({ connectionString: server.connectionString, max: 6 })
            const schema = `test_${randomBytes(8).toString("hex")}`
            const config = new Config({ pool, schema })
            const events: Event[] = []
            const eventHandler = ({ event }: { event: Event }) => void events.push(event)
            const has = (eventType: Event["eventType"]) =>
                events.some((event) => event.eventType === eventType)
            let numRuns = 0
            const job = define(config, () => void numRuns++)
            await config.prepareSchema()
            const daemons: Daemon[] = [
                new Worker({ config, concurrency: 5, processIntervalMs: 100, eventHandler }),
                new Worker({ config, concurrency: 5, processIntervalMs: 100, eventHandler }),
                new Orchestrator({ config, eventHandler }),
            ]
            onTestFinished(async () => {
                for (const daemon of daemons) daemon.stop()
                await Promise.all(daemons.map((daemon) => daemon.join({ graceMs: 1_000 })))
                await pool.end()
                await server.destroy()
            })
            const producers = [1, 2, 3].map(() => produce(() => job.defer({ payload: {} })))

            for (let restart = 1; restart <= NUM_RESTARTS; restart++) {
                const numBefore = numRuns
                await eventually(() => numRuns > numBefore + 20)
                await server.stop(mode)
                await eventually(() => has("daemon-error"))
                await server.restart()
            }
            const numBefore = numRuns
            await eventually(() => numRuns > numBefore + 20)
            await Promise.all(producers.map(({ stop }) => stop()))

            const remaining = `select count(*)::int as n from "${schema}".job`
            await eventually(async () => (await pool.query(remaining)).rows[0]?.n === 0)
            const { rows } = await pool.query(
                `select id::int, count(*)::int as n, min(outcome::text) as outcome from "${schema}".job_history group by id`,
            )
            const finalized = new Map(rows.map((row) => [row.id, row]))
            const acknowledged = producers.flatMap(({ ids }) => ids)
            expect(acknowledged.filter((id) => !finalized.has(id))).toEqual([])
            expect(rows.filter(({ n, outcome }) => n !== 1 || outcome !== "succeeded")).toEqual([])
            expect(has("daemon-stop")).toBe(false)
        },
        60_000,
    )
})
