import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeQueue } from "../support/with-schema.ts"

/** Runs a job whose function is the one given, and returns its row in history with the events about it. */
async function run(jobFunction: () => unknown) {
    const queue = await makeQueue()
    const definition = new JobDefinition<object, unknown>({
        config: queue.config,
        name: "definition",
        jobFunction,
    })
    definition.register()
    queue.worker({ name: "worker one" })
    const id = await definition.defer({ payload: {} })
    const row = await finalizedJob(queue, id)
    return { queue, id, row }
}

/** Runs a job that throws what is given, and returns the record of that. */
async function recordOf(thrown: unknown): Promise<Record<string, unknown>> {
    const { row } = await run(() => {
        throw thrown
    })
    expect(row).toMatchObject({ outcome: "failed", reason: "error", result: null })
    const errors = row.errors as Record<string, unknown>[]
    expect(errors).toHaveLength(1)
    return errors[0] ?? {}
}

describe("the result of a job", () => {
    for (const result of [0, "", false, [1, { a: null }], { text: "é \u001e \n" }, "x".repeat(100_000)]) {
        it(`is kept: ${JSON.stringify(result).slice(0, 30)}`, async () => {
            const { row } = await run(() => result)
            expect(row).toMatchObject({ outcome: "succeeded", worker: "worker one", errors: null })
            expect(row.result).toEqual(result)
        })
    }

    it("is null when the function returns nothing", async () => {
        const { row } = await run(async () => undefined)
        expect(row).toMatchObject({ outcome: "succeeded", result: null })
    })

    for (const { kind, result } of [
        { kind: "has no JSON form", result: () => () => undefined },
        { kind: "is a bigint", result: () => 1n },
        { kind: "contains a NUL character", result: () => ({ text: "a\u0000b" }) },
        { kind: "is larger than is allowed", result: () => "x".repeat(2 * 1024 * 1024) },
        {
            kind: "is cyclic",
            result: () => {
                const cyclic: Record<string, unknown> = {}
                cyclic.self = cyclic
                return cyclic
            },
        },
    ]) {
        it(`is discarded when it ${kind}, and the job has succeeded all the same`, async () => {
            const { queue, id, row } = await run(result)
            expect(row).toMatchObject({ outcome: "succeeded", result: null })
            await expect
                .poll(() => queue.events)
                .toContainEqual({
                    eventType: "worker-job-result-discard",
                    jobID: id,
                    jobName: "definition",
                    reason: expect.any(String),
                })
        })
    }
})

describe("what a job throws", () => {
    it("is kept with name, message, stack, attempt, worker and time", async () => {
        class OrderError extends RangeError {
            override name = "OrderError"
        }
        const error = new OrderError("no such order")
        expect(await recordOf(error)).toEqual({
            attempt: 1,
            name: "OrderError",
            message: "no such order",
            stack: error.stack,
            worker: "worker one",
            at: expect.any(String),
        })
    })

    it("may come from a promise that rejects", async () => {
        const { row } = await run(() => Promise.reject(new Error("rejected")))
        expect(row).toMatchObject({ outcome: "failed", errors: [{ message: "rejected" }] })
    })

    const cyclic: Record<string, unknown> = { a: 1 }
    cyclic.self = cyclic
    const hostile = new Proxy(
        {},
        {
            get: () => {
                throw new Error("touched")
            },
            ownKeys: () => {
                throw new Error("touched")
            },
            getPrototypeOf: () => {
                throw new Error("touched")
            },
        },
    )
    for (const { kind, thrown, expected } of [
        { kind: "undefined", thrown: undefined, expected: { name: "undefined", message: "undefined" } },
        { kind: "null", thrown: null, expected: { name: "object", message: "null" } },
        { kind: "a string", thrown: "plain text", expected: { name: "string", message: "plain text" } },
        { kind: "a number", thrown: 42, expected: { name: "number", message: "42" } },
        { kind: "a symbol", thrown: Symbol("s"), expected: { name: "symbol", message: "Symbol(s)" } },
        { kind: "a plain object", thrown: { code: 7 }, expected: { name: "object", message: '{"code":7}' } },
        {
            kind: "a frozen error",
            thrown: Object.freeze(new TypeError("frozen")),
            expected: { name: "TypeError", message: "frozen" },
        },
        { kind: "a cyclic object", thrown: cyclic, expected: { name: "object" } },
        { kind: "a proxy that throws when touched", thrown: hostile, expected: { name: "object" } },
        {
            kind: "an error with NUL characters and half a surrogate pair",
            thrown: Object.assign(new Error("a\u0000b\ud800c"), { stack: "s\u0000t\ud800" }),
            expected: { message: "a\ufffdb\ufffdc", stack: "s\ufffdt\ufffd" },
        },
        {
            kind: "an object whose message is no text",
            thrown: { message: 5, name: Symbol("n") },
            expected: { name: "object" },
        },
    ]) {
        it(`may be ${kind}`, async () => {
            expect(await recordOf(thrown)).toMatchObject({ ...expected, attempt: 1 })
        })
    }

    for (const { kind, text } of [
        { kind: "plain text", text: "x".repeat(1_000_000) },
        { kind: "characters of several bytes", text: "é👩".repeat(300_000) },
        { kind: "characters that JSON escapes", text: '\u0001\n"\\'.repeat(200_000) },
    ]) {
        it(`is cut to 16 KiB when it is large: ${kind}`, async () => {
            const error = new Error(text)
            error.name = text
            const { at, ...record } = await recordOf(error)
            expect(at).toEqual(expect.any(String))
            const numBytes = Buffer.byteLength(JSON.stringify(record))
            expect(numBytes).toBeLessThanOrEqual(16 * 1024)
            expect(numBytes).toBeGreaterThan(8 * 1024)
            expect(String(record.message).slice(0, 20)).toBe(text.slice(0, 20))
        })
    }
})
