import { describe, expect, it } from "vitest"
import { Config, InvalidPayloadError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeQueue } from "../support/with-schema.ts"

const MIB = 1024 * 1024

function nested(depth: number): object {
    let value: object = {}
    for (let level = 1; level < depth; level++) value = { in: value }
    return value
}

/** A payload whose JSON takes exactly so many bytes. */
function ofBytes(numBytes: number): object {
    return { text: "x".repeat(numBytes - '{"text":""}'.length) }
}

const CARRIED: [string, object][] = [
    ["an empty object", {}],
    ["__proto__ as a key", JSON.parse('{"__proto__": {"isAdmin": true}, "a": {"__proto__": 1}}')],
    ["constructor and prototype as keys", { constructor: { prototype: { a: 1 } }, toString: 1 }],
    ["escapes that look like NUL", { a: "\\u0000", "\\ud800": "\\\\u0000" }],
    ["control characters and separators", { a: "\u0001\u001e\u001f\u007f\u2028\u2029\ufeff", "\u001e": 1 }],
    ["all planes", { a: "🦆 ünï 中文 \u{10ffff}", "🦆": [] }],
    ["quotes and statements", { a: `'"; drop table job; -- $1 \\' {} NULL`, b: "NULL", c: "{1,2}" }],
    ["numbers at the edge", { a: [Number.MAX_SAFE_INTEGER, 5e-324, 1.7976931348623157e308, 0.1, -1] }],
    ["empty containers and nulls", { a: [], b: {}, c: null, d: [null, [[]]], "": "" }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    [
        "the same object twice",
        [{ a: 1 }].flatMap((same) => ({ same, again: same, list: [same, same] }))[0] ?? {},
    ],
    ["500 levels", nested(500)],
    ["1 MiB exactly", ofBytes(MIB)],
    ["10,000 keys in order", Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]))],
]

describe("a payload with", () => {
    it("what JSON cannot carry is refused, alone or among others, before anything is deferred", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const good = { payload: {} }
        for (const payload of [
            undefined,
            { a: [1n] },
            { a: "\u0000" },
            { a: "\ud83d" },
            { at: new Date() },
            nested(600),
        ]) {
            const bad = { payload: payload as never }
            await expect(job.defer(bad)).rejects.toThrow(InvalidPayloadError)
            await expect(job.deferMany([good, bad, good])).rejects.toThrow(InvalidPayloadError)
            // A caller's payload must not spoil the statement that it would share with others.
            const [refused, accepted] = await Promise.allSettled([job.defer(bad), job.defer(good)])
            expect([refused.status, accepted.status]).toEqual(["rejected", "fulfilled"])
        }
        expect((await queue.jobs()).map(({ payload }) => payload)).toEqual(
            Array.from({ length: 6 }, () => ({})),
        )
    })

    it.each(CARRIED)("%s arrives as it was given", async (_what, payload) => {
        const queue = await makeQueue()
        let received: unknown
        const job = define(queue.config, (given) => {
            received = given
        })
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: payload as never }))
        expect(JSON.stringify(received)).toBe(JSON.stringify(payload))
        expect(Object.keys(received as object)).toEqual(Object.keys(payload))
        expect({}).not.toHaveProperty("isAdmin")
    })

    it("-0 arrives with 0 instead, which JSON does not tell apart", async () => {
        const queue = await makeQueue()
        let received: unknown
        const job = define(queue.config, ({ zero }) => {
            received = zero
        })
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: { zero: -0 } }))
        expect(Object.is(received, 0)).toBe(true)
    })

    it("more than the Config's own `maxPayloadBytes` is refused, and less is not", async () => {
        const queue = await makeQueue()
        const config = new Config({ pool: queue.pool, schema: queue.schemaName, maxPayloadBytes: 20 })
        const job = define(config, () => undefined)
        await expect(job.defer({ payload: ofBytes(21) as never })).rejects.toThrow(/21 bytes.*20/)
        await job.defer({ payload: ofBytes(20) as never })
        expect(await queue.jobs()).toHaveLength(1)
    })

    it("what the handler does to it changes nothing for the next attempt", async () => {
        const queue = await makeQueue()
        const received: unknown[] = []
        const job = define(
            queue.config,
            (payload, { attempt }) => {
                received.push(structuredClone(payload))
                payload.a = "changed"
                if (attempt === 1) throw new Error("again")
            },
            { numAttempts: 1 },
        )
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: { a: 1 } }))
        expect(received).toEqual([{ a: 1 }, { a: 1 }])
    })
})
