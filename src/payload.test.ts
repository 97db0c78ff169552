import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { InvalidPayloadError } from "./errors.ts"
import { encodePayload, encodeResult } from "./payload.ts"

const MIB = 1024 * 1024

function encode(payload: unknown): string {
    return encodePayload({ payload, definition: "job", maxBytes: MIB })
}

function cycle(): object {
    const item: Record<string, unknown> = {}
    return { items: [Object.assign(item, { back: item })] }
}

function nested(depth: number): object {
    let value: object = {}
    for (let level = 1; level < depth; level++) value = { in: value }
    return value
}

/** A payload whose JSON takes exactly so many bytes. */
function ofBytes(numBytes: number): object {
    return { text: "x".repeat(numBytes - '{"text":""}'.length) }
}

class Price {
    amount = 1
}

const REFUSED: [string, unknown, string][] = [
    ["nothing", undefined, "payload"],
    ["a cycle", cycle(), "payload.items[0].back"],
    ["a BigInt", { a: { b: [1, 2n] } }, "payload.a.b[1]"],
    ["a NUL in a text", { a: ["x\u0000y"] }, "payload.a[0]"],
    ["a NUL in a key", { a: { "x\u0000": 1 } }, "a key of payload.a"],
    ["a lone surrogate", { a: "\ud83d" }, "payload.a"],
    ["a lone surrogate in a key", { "\udc00": 1 }, "a key of payload"],
    ["undefined in an object", { a: undefined }, "payload.a"],
    ["undefined in an array", { a: [1, undefined] }, "payload.a[1]"],
    // biome-ignore lint/suspicious/noSparseArray: that is the fault.
    ["a hole in an array", { a: [1, , 3] }, "payload.a[1]"],
    ["a function", { a: () => 1 }, "payload.a"],
    ["a symbol", { a: Symbol("a") }, "payload.a"],
    ["NaN", { a: Number.NaN }, "payload.a"],
    ["Infinity", { a: [-Infinity] }, "payload.a[0]"],
    ["a Date", { at: new Date(0) }, "payload.at"],
    ["a Map", { a: new Map([[1, 2]]) }, "payload.a"],
    ["a Set", { "odd key": new Set([1]) }, 'payload["odd key"]'],
    ["a typed array", { a: new Uint8Array(2) }, "payload.a"],
    ["a Buffer", { a: Buffer.from("a") }, "payload.a"],
    ["an Error", { a: new Error("a") }, "payload.a"],
    ["a RegExp", { a: /a/ }, "payload.a"],
    ["a boxed text", { a: Object("a") }, "payload.a"],
    ["an instance of a class", { list: [{ price: new Price() }] }, "payload.list[0].price"],
    ["an object with toJSON", { a: { toJSON: () => 1 } }, "payload.a"],
    ["an array with toJSON", { a: Object.assign([1], { toJSON: () => 1 }) }, "payload.a"],
    ["600 levels", nested(600), "payload"],
    ["1 MiB and a byte", ofBytes(MIB + 1), "payload"],
    ["1 MiB and a byte of two-byte characters", { text: "ü".repeat((MIB - 10) / 2) }, "payload"],
    [
        "a getter that throws",
        {
            get a() {
                throw new Error("no")
            },
        },
        "payload",
    ],
    ["a revoked proxy", revoked(), "payload"],
    ["a proxy that has toJSON only when it is asked again", fickle(), "payload"],
]

function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return { a: proxy }
}

function fickle(): object {
    let numAsked = 0
    return new Proxy(
        {},
        { get: (_, key) => (key === "toJSON" && numAsked++ > 0 ? () => undefined : undefined) },
    )
}

/** UTF-16 units of every kind, halves of surrogate pairs among them, and above all those that need care. */
const HOSTILE_TEXT = fc.string({
    unit: fc.oneof(
        fc.constantFrom("\u0000", '"', "'", "\\", ";", "\n", "\u001e", "\ud83d", "\udc00", "🦆", "ü", "a"),
        fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
    maxLength: 6,
})

describe("encodePayload", () => {
    it.each(REFUSED)("refuses %s, and says where it is", (_what, payload, path) => {
        let thrown: unknown
        try {
            encode(payload)
        } catch (error) {
            thrown = error
        }
        expect(thrown).toBeInstanceOf(InvalidPayloadError)
        expect(thrown).toMatchObject({
            code: "CUCKMQ_INVALID_PAYLOAD",
            definition: "job",
            path,
            retryable: false,
        })
        expect((thrown as Error).message).toContain(`"job": ${path} `)
        expect((thrown as Error).message.length).toBeLessThan(300)
    })

    it("takes exactly as many bytes as are allowed", () => {
        expect(Buffer.byteLength(encode(ofBytes(MIB)))).toBe(MIB)
        expect(Buffer.byteLength(encode({ text: "ü".repeat((MIB - 12) / 2) }))).toBeLessThanOrEqual(MIB)
    })

    it("takes an object that appears twice without containing itself", () => {
        const same = { a: [1] }
        expect(encode({ one: same, two: [same, same] })).toBe(
            JSON.stringify({ one: same, two: [same, same] }),
        )
    })

    it("takes texts that only look like escapes of what is refused", () => {
        for (const text of ["\\u0000", "\\\\u0000", "\\ud800", "u0000"]) {
            expect(JSON.parse(encode({ [text]: text }))).toEqual({ [text]: text })
        }
    })

    it("leaves the payload as it is", () => {
        const payload = Object.freeze({ list: Object.freeze([1, 2]) })
        encode(payload)
        expect(payload).toEqual({ list: [1, 2] })
    })

    it("gives back what it was given, or refuses it (property)", () => {
        const anything = fc.anything({
            key: HOSTILE_TEXT,
            values: [HOSTILE_TEXT, fc.double(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined)],
            withBigInt: true,
            withDate: true,
            withMap: true,
            withSet: true,
            withNullPrototype: true,
            withSparseArray: true,
            withTypedArray: true,
            withBoxedValues: true,
        })
        fc.assert(
            fc.property(anything, (payload) => {
                let text: string
                try {
                    text = encode(payload)
                } catch (error) {
                    expect(error).toBeInstanceOf(InvalidPayloadError)
                    return
                }
                expect(asEntries(JSON.parse(text))).toEqual(asEntries(payload))
                expect(text).not.toContain("\u0000")
                expect(text).not.toContain("\u001e")
                expect(text.isWellFormed()).toBe(true)
            }),
            { numRuns: 500 },
        )
    })

    it("gives back every JSON value (property)", () => {
        fc.assert(
            fc.property(fc.jsonValue(), (value) => {
                expect(asEntries(JSON.parse(encode({ value })))).toEqual(asEntries({ value }))
            }),
            { numRuns: 500 },
        )
    })
})

/** What JSON can tell apart: not -0 from 0, nor an object with a prototype from one without. */
function asEntries(value: unknown): unknown {
    if (typeof value === "number") return value === 0 ? 0 : value
    if (Array.isArray(value)) return value.map(asEntries)
    if (typeof value !== "object" || value === null) return value
    return { entries: Object.entries(value).map(([key, item]) => [key, asEntries(item)]) }
}

describe("encodeResult", () => {
    it("keeps what JSON makes of a result, and nothing for undefined", () => {
        expect(encodeResult(undefined, MIB)).toEqual({ text: null })
        expect(encodeResult(null, MIB)).toEqual({ text: "null" })
        const backslash = { at: new Date(0), text: "\\u0000" }
        expect(encodeResult(backslash, MIB)).toEqual({ text: JSON.stringify(backslash) })
        expect(encodeResult({ at: new Date(0), no: undefined }, MIB)).toEqual({
            text: '{"at":"1970-01-01T00:00:00.000Z"}',
        })
    })

    it.each<[string, unknown]>([
        ["a function", () => 1],
        ["a symbol", Symbol("a")],
        ["a cycle", cycle()],
        ["a BigInt", { a: 1n }],
        ["a NUL", { a: "\u0000" }],
        ["a lone surrogate", ["\ud800"]],
        ["too many bytes", ofBytes(MIB + 1)],
        [
            "toJSON that throws",
            {
                toJSON() {
                    throw new Error("no")
                },
            },
        ],
        [
            "toJSON that throws an error whose message throws",
            {
                toJSON() {
                    throw Object.defineProperty(new Error(), "message", {
                        get() {
                            throw new Error("no")
                        },
                    })
                },
            },
        ],
        [
            "toJSON that throws a revoked proxy",
            {
                toJSON() {
                    const { proxy, revoke } = Proxy.revocable({}, {})
                    revoke()
                    throw proxy
                },
            },
        ],
    ])("says why it does not keep %s", (_what, result) => {
        expect(encodeResult(result, MIB)).toEqual({ reason: expect.any(String) })
    })

    it("never throws (property)", () => {
        fc.assert(
            fc.property(fc.anything({ withBigInt: true, withSparseArray: true }), (result) => {
                const encoded = encodeResult(result, MIB)
                if ("text" in encoded && encoded.text !== null) JSON.parse(encoded.text)
            }),
            { numRuns: 300 },
        )
    })
})
