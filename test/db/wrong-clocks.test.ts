import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { startProgram } from "../support/program.ts"
import { eventually, hasServer, makeQueue, queueURL } from "../support/with-schema.ts"

const PROGRAM = fileURLToPath(new URL("../support/programs/other-clock.ts", import.meta.url))
const WRONG_MS = 600_000
const RELEASE_MS = 100

it.skipIf(!hasServer())(
    "processes whose clocks are ten minutes slow and fast keep to the database's clock",
    async () => {
        const queue = await makeQueue()
        const { sql, schema, schemaName } = queue
        const limited = new JobDefinition({
            config: queue.config,
            name: "limited",
            releaseIntervalMs: RELEASE_MS,
            jobFunction: () => 0,
        })
        const programs = [-WRONG_MS, WRONG_MS].map((offsetMs) =>
            startProgram(process.execPath, [
                "--import",
                "tsx",
                PROGRAM,
                queueURL(),
                schemaName,
                String(offsetMs),
            ]),
        )
        const delayedIDs: number[] = []
        for (const program of programs) {
            await program.hasPrinted(/^delayed (\d+)$/m)
            delayedIDs.push(Number(program.output().match(/^delayed (\d+)$/m)?.[1]))
        }

        // Both are there by now, to run some of them each.
        const limitedIDs = await limited.deferMany(Array.from({ length: 30 }, () => ({ payload: {} })))

        // No lease is lapsed, nor longer than it was asked for, while both processes renew theirs.
        const leftMs = `select count(*)::int as num,
                coalesce(bool_and(expires_at - clock_timestamp() between interval '0' and interval '2 s'), false) as is_right
            from ${schema}.lease where revoked_by is null`
        await eventually(async () => {
            const [row] = (await sql.query(leftMs)).rows
            return Number(row?.num) >= 2 && row?.is_right === true
        })
        for (const row of await finalizedJobs(queue, delayedIDs)) {
            const lateMs = Number(row.claimed_at) - Number(row.due_at)
            expect(row).toMatchObject({ outcome: "succeeded", attempt: 1 })
            expect(lateMs).toBeGreaterThanOrEqual(0)
            expect(lateMs).toBeLessThan(WRONG_MS / 2)
        }
        await finalizedJobs(queue, limitedIDs)
        const gaps = `select extract(epoch from claimed_at - lag(claimed_at) over (order by claimed_at)) * 1000 as ms, result
            from ${schema}.job_history join ${schema}.job_definition as d on d.id = definition_id where d.name = 'limited'`
        const released = (await sql.query(gaps)).rows
        for (const { ms } of released) if (ms !== null) expect(Number(ms)).toBeGreaterThanOrEqual(RELEASE_MS)
        // Both have run some, each by its own wrong clock.
        const nowMs = Date.now()
        expect(released.some(({ result }) => Number(result) < nowMs - WRONG_MS / 2)).toBe(true)
        expect(released.some(({ result }) => Number(result) > nowMs + WRONG_MS / 2)).toBe(true)
        const ticks = `select due_at from ${schema}.job_history
            join ${schema}.job_definition as d on d.id = definition_id where d.name = $1 order by due_at`
        for (const [name, num] of [
            ["tick", 3],
            ["cron", 2],
        ] as const) {
            const dueAt = await eventually(async () => {
                const { rows } = await sql.query(ticks, [name])
                return rows.length >= num && rows.map((row) => Number(row.due_at))
            })
            expect(new Set(dueAt).size).toBe(dueAt.length)
            for (const at of dueAt) expect(Math.abs(at - nowMs)).toBeLessThan(WRONG_MS / 2)
        }
        const outcomes = (await queue.history()).filter(
            ({ outcome, attempt }) => outcome !== "succeeded" || attempt !== 1,
        )
        expect(outcomes).toEqual([])
    },
    60_000,
)
