import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { recordThrown } from "./thrown.ts"

const MAX_BYTES = 16 * 1024

function record(thrown: unknown) {
    return recordThrown({ thrown, attempt: 3, worker: "anon" })
}

function revoked(target: object): object {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
}

const HOSTILE = {
    get message(): string {
        throw new Error("no message")
    },
    get name(): string {
        throw new Error("no name")
    },
    get stack(): string {
        throw new Error("no stack")
    },
    toJSON() {
        throw new Error("no JSON")
    },
}

/** UTF-16 units of every kind, halves of surrogate pairs among them, and above all those that need care. */
const HOSTILE_TEXT = fc.string({
    unit: fc.oneof(
        fc.constantFrom("\u0000", '"', "'", "\\", ";", "\n", "\u001e", "\ud83d", "\udc00", "🦆", "ü", "a"),
        fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
    maxLength: 20,
})

describe("recordThrown", () => {
    it("keeps an error's name, message and stack, the attempt and the worker", () => {
        const thrown = new TypeError("wrong")
        expect(record(thrown)).toEqual({
            attempt: 3,
            name: "TypeError",
            message: "wrong",
            stack: thrown.stack,
            worker: "anon",
        })
    })

    it.each<[string, unknown, string, string]>([
        ["a text", "plain", "string", "plain"],
        ["undefined", undefined, "undefined", "undefined"],
        ["null", null, "object", "null"],
        ["a number", 5, "number", "5"],
        ["a BigInt", 5n, "bigint", "5"],
        ["a symbol", Symbol("s"), "symbol", "Symbol(s)"],
        ["an object", { code: 5 }, "object", '{"code":5}'],
        [
            "an object with a cycle",
            Object.assign([], { 0: HOSTILE }),
            "object",
            "a value that cannot be described",
        ],
        ["a revoked proxy", revoked({}), "object", "a value that cannot be described"],
        ["a revoked function", revoked(() => 1), "function", "a value that cannot be described"],
        ["an object that throws when it is read", HOSTILE, "object", "a value that cannot be described"],
    ])("describes %s", (_what, thrown, name, message) => {
        expect(record(thrown)).toMatchObject({ name, message })
    })

    it("replaces what Postgres cannot hold", () => {
        const { message, name } = record(Object.assign(new Error("a\u0000b\ud800c"), { name: "N\u0000" }))
        expect({ message, name }).toEqual({ message: "a\ufffdb\ufffdc", name: "N\ufffd" })
    })

    it("never cuts a character in two", () => {
        for (let length = 190; length <= 210; length++) {
            const text = `${"a".repeat(length)}${"🦆".repeat(20_000)}`
            const { name, message, stack } = record(
                Object.assign(new Error(text), { name: text, stack: text }),
            )
            for (const kept of [name, message, stack ?? ""]) expect(kept.isWellFormed()).toBe(true)
        }
    })

    it.each([
        ["plain", "a"],
        ["three-byte", "中"],
        ["four-byte", "🦆"],
        ["escaped", "\n"],
        ["six-fold escaped", "\u0001"],
        ["quote", '"'],
        ["lone surrogate", "\ud800"],
    ])("takes at most 16 KiB of JSON, whatever %s characters it is made of", (_what, character) => {
        const text = character.repeat(100_000)
        const thrown = Object.assign(new Error(text), { name: text, stack: text })
        const kept = recordThrown({ thrown, attempt: 1_000_000, worker: character.repeat(120) })
        expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(MAX_BYTES)
        expect(kept.message.length).toBeGreaterThan(1_000)
    })

    it("never throws, and makes text that Postgres holds (property)", () => {
        const text = HOSTILE_TEXT.chain((part) => fc.nat(500).map((times) => part.repeat(times)))
        const error = fc
            .record({ name: text, message: text, stack: text })
            .map((fields) => Object.assign(new Error(), fields))
        const anything = fc.anything({
            withBigInt: true,
            withSparseArray: true,
            withMap: true,
            withDate: true,
        })
        fc.assert(
            fc.property(fc.oneof(error, anything, text), fc.nat(), (thrown, attempt) => {
                const kept = recordThrown({ thrown, attempt, worker: "anon" })
                expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(MAX_BYTES)
                for (const part of [kept.name, kept.message, kept.stack ?? ""]) {
                    expect(part).not.toContain("\u0000")
                    expect(part.isWellFormed()).toBe(true)
                }
            }),
            { numRuns: 200 },
        )
    })
})
