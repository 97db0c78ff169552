import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Config, DatabaseError, InvalidPayloadError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { fuzz } from "../support/fuzz.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"
import { builtins, isSameAsJson, SIZE, type Specimen, specimen } from "./specimens.ts"

const MAX_BYTES = SIZE
const GOOD = { good: true }

/** Takes all live jobs out of the queue: their payloads as they were sent, by id. */
async function takePayloads({ sql, schema }: Queue): Promise<Map<number, string>> {
    const { rows } = await sql.query(`delete from ${schema}.job returning id, payload::text as text`)
    return new Map(rows.map(({ id, text }) => [Number(id), String(text)]))
}

/** Refused before anything is sent; but what changed while it was read may be for the database to refuse. */
function expectRefusal(error: unknown, label: string, isFickle = false): void {
    if (isFickle && error instanceof DatabaseError) expect(error.sqlState, label).toMatch(/^54/)
    else expect(error, label).toBeInstanceOf(InvalidPayloadError)
}

/** What must have come of the deferral of one specimen. */
function judge(params: {
    tried: Specimen
    outcome: PromiseSettledResult<number>
    payloads: Map<number, string>
}): void {
    const { tried, outcome, payloads } = params
    if (outcome.status === "rejected") {
        expectRefusal(outcome.reason, tried.label, tried.isFickle)
        expect(String(outcome.reason.message).length, tried.label).toBeLessThan(5_000)
        return
    }
    const text = payloads.get(outcome.value)
    expect(text, tried.label).toBeDefined()
    expect(Buffer.byteLength(text ?? ""), tried.label).toBeLessThanOrEqual(MAX_BYTES)
    if (tried.isFickle) return
    const isSame = isSameAsJson(tried.make(), JSON.parse(text ?? ""))
    expect(isSame, `${tried.label} arrived as ${text}`).toBe(true)
}

describe("payloads of any kind", () => {
    it("arrive as they were given or are refused by name, and never harm those beside them", async () => {
        const queue = await makeQueue()
        const before = builtins()
        const config = new Config({
            pool: queue.pool,
            schema: queue.schemaName,
            maxPayloadBytes: MAX_BYTES,
        })
        const job = define(config, () => undefined)
        await fuzz(
            [fc.array(specimen, { minLength: 1, maxLength: 6 })],
            async (specimens) => {
                const payloads = specimens.flatMap(({ make }) => [GOOD, make()])
                const outcomes = await Promise.allSettled(
                    [...payloads, GOOD].map(async (payload) => job.defer({ payload: payload as never })),
                )
                const arrived = await takePayloads(queue)
                for (const [index, outcome] of outcomes.entries()) {
                    const tried = specimens[(index - 1) / 2] ?? { label: "a good one", make: () => GOOD }
                    if (index % 2 === 0) expect(outcome.status, "a good one").toBe("fulfilled")
                    judge({ tried, outcome, payloads: arrived })
                }
                expect(arrived.size).toBe(outcomes.filter(({ status }) => status === "fulfilled").length)
                expect(builtins()).toEqual(before)
            },
            { weight: 10 },
        )
    })

    it("are deferred all or none by `deferMany`", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        await fuzz(
            [fc.array(specimen, { minLength: 1, maxLength: 4 })],
            async (specimens) => {
                const jobs = specimens.map(({ make }) => ({ payload: make() as never }))
                const [outcome] = await Promise.allSettled([job.deferMany([{ payload: {} }, ...jobs])])
                const arrived = await takePayloads(queue)
                if (outcome.status === "fulfilled")
                    expect([...arrived.keys()].sort()).toEqual([...outcome.value].sort())
                else {
                    expectRefusal(
                        outcome.reason,
                        "one of them",
                        specimens.some(({ isFickle }) => isFickle),
                    )
                    expect(arrived.size).toBe(0)
                }
            },
            { weight: 4 },
        )
    })
})
