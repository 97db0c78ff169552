import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Event } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { fuzz } from "../support/fuzz.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"
import { builtins, isSameAsJson, type Specimen, specimen } from "./specimens.ts"

/** What the README promises of each error that is kept. */
const MAX_ERROR_BYTES = 16 * 1024

interface Trial {
    readonly how: "returns" | "throws"
    readonly specimen: Specimen
    readonly numAttempts: 0 | 1
}

const trial: fc.Arbitrary<Trial> = fc.record({
    how: fc.constantFrom("returns", "throws"),
    specimen,
    numAttempts: fc.constantFrom(0, 1),
})

function expectErrors(errors: unknown, numAttempts: number): void {
    expect(errors).toHaveLength(numAttempts + 1)
    for (const [index, error] of (errors as Record<string, unknown>[]).entries()) {
        expect(error).toMatchObject({
            attempt: index + 1,
            name: expect.any(String),
            message: expect.any(String),
        })
        expect(Buffer.byteLength(JSON.stringify(error))).toBeLessThanOrEqual(MAX_ERROR_BYTES)
    }
}

/** What became of a returned value: kept as JSON has it, or left out with an event. */
async function expectResult(
    row: Record<string, unknown>,
    tried: Specimen,
    events: readonly Event[],
): Promise<void> {
    const isDiscarded = events.some(
        (event) => event.eventType === "worker-job-result-discard" && event.jobID === Number(row.id),
    )
    if (isDiscarded || tried.isFickle) return expect(row.result).toBe(isDiscarded ? null : row.result)
    // A promise is awaited, and what it resolves to is the result.
    const text = JSON.stringify(await tried.make())
    if (text === undefined) return expect(row.result).toBeNull()
    expect(isSameAsJson(JSON.parse(text), row.result), tried.label).toBe(true)
}

/** Whether the end of a job was told, and with it whether its result was discarded. */
function isToldOver(events: readonly Event[], jobID: number): boolean {
    return events.some(
        (event) => /^worker-job-finalize-/.test(event.eventType) && "jobID" in event && event.jobID === jobID,
    )
}

describe("handlers that return and throw values of any kind", () => {
    it("are settled each, with a result or capped errors, whatever the event handler throws", async () => {
        const queue = await makeQueue()
        const before = builtins()
        const trials: Trial[] = []
        const events: Event[] = []
        const definitions = ([0, 1] as const).map((numAttempts) =>
            define(
                queue.config,
                ({ index }) => {
                    const { how, specimen: tried } = trials[Number(index)] as Trial
                    if (how === "throws") throw tried.make()
                    return tried.make()
                },
                { name: `attempted ${numAttempts}`, numAttempts },
            ),
        )
        queue.worker({
            concurrency: 8,
            eventHandler: ({ event }) => {
                events.push(event)
                const value = "jobID" in event ? trials.at(-1)?.specimen.make() : undefined
                if (events.length % 2 === 0) throw value
                return value as undefined
            },
        })
        await fuzz(
            [fc.array(trial, { minLength: 1, maxLength: 8 })],
            async (tried) => {
                const offset = trials.push(...tried) - tried.length
                const ids = await Promise.all(
                    tried.map(({ numAttempts }, index) =>
                        (definitions[numAttempts] as (typeof definitions)[number]).defer({
                            payload: { index: offset + index },
                        }),
                    ),
                )
                const rows = await finalizedJobs(queue, ids)
                // The worker tells of an end after it is written.
                await eventually(() => ids.every((id) => isToldOver(events, id)))
                for (const [index, row] of rows.entries()) {
                    const { how, specimen: value, numAttempts } = tried[index] as Trial
                    if (row.outcome === "failed") {
                        expect(row.reason).toBe("error")
                        expectErrors(row.errors, numAttempts)
                    } else {
                        expect(how, value.label).toBe("returns")
                        await expectResult(row, value, events)
                    }
                }
                await queue.sql.query(`delete from ${queue.schema}.job_history`)
                expect(builtins()).toEqual(before)
            },
            { weight: 3 },
        )
    })
})
