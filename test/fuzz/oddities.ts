/** A value, made anew whenever it is asked for: a proxy or a getter may change when it is looked at. */
export interface Specimen {
    readonly label: string
    readonly make: () => unknown
    /** It reads differently from one time to the next, so it cannot be compared with what became of it. */
    readonly isFickle?: boolean
}

/** An array in an array, and so on. */
function nested(depth: number): unknown {
    let value: unknown = []
    for (let level = 1; level < depth; level++) value = [value]
    return value
}

function raise(): never {
    throw new Error("thrown by the specimen")
}

/** An error that cannot be read without another one. */
function unreadableError(): Error {
    const error = new Error("hidden")
    for (const field of ["stack", "name", "message", "cause", "constructor"])
        Object.defineProperty(error, field, { get: () => raise() })
    return error
}

function raiseUnreadable(): never {
    throw unreadableError()
}

const TRAPS = [
    "get",
    "has",
    "ownKeys",
    "getPrototypeOf",
    "getOwnPropertyDescriptor",
    "isExtensible",
    "apply",
] as const

/** A proxy of which everything fails. */
function brokenProxy(target: object): object {
    return new Proxy(target, Object.fromEntries(TRAPS.map((trap) => [trap, raiseUnreadable])))
}

function revoked(target: object): object {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
}

/** Answers with each of the values in turn, and goes on with the last. */
function fickle(values: readonly unknown[]): object {
    let numReads = 0
    return Object.defineProperty({}, "a", {
        enumerable: true,
        get: () => values[Math.min(numReads++, values.length - 1)],
    })
}

function circle(): object {
    const value: Record<string, unknown> = { list: [] }
    value.self = { back: [value] }
    return value
}

/** Not written out, for a linter takes it for a mistake. */
const THEN = "then"

class Point {
    readonly x = 1
}

const SPECIMENS: Record<string, () => unknown> = {
    undefined: () => undefined,
    null: () => null,
    NaN: () => Number.NaN,
    Infinity: () => Number.POSITIVE_INFINITY,
    "-0": () => -0,
    bigint: () => 2n ** 70n,
    symbol: () => Symbol("symbol"),
    function: () => raise,
    "function with toJSON": () => Object.assign(() => 1, { toJSON: () => "lie" }),
    class: () => Point,
    "class instance": () => new Point(),
    Date: () => new Date(0),
    "invalid Date": () => new Date(Number.NaN),
    "proxy of a Date": () => new Proxy(new Date(0), {}),
    "object that passes for a Date": () => Object.create(Date.prototype),
    Map: () => new Map([[1, 2]]),
    Set: () => new Set([1]),
    RegExp: () => /a/,
    Buffer: () => Buffer.from("abc"),
    Error: () => new Error("\u0000\ud800 'quoted'"),
    "boxed number": () => Object(1),
    promise: () => Promise.resolve(1),
    "object without prototype": () => Object.assign(Object.create(null), { a: 1 }),
    "object that inherits": () => Object.create({ a: 1 }),
    "frozen object": () => Object.freeze({ a: Object.freeze([1]) }),
    "symbol as a key": () => ({ [Symbol("key")]: 1 }),
    "__proto__ as a key": () => JSON.parse('{"__proto__":{"polluted":true},"a":[{"__proto__":[1]}]}'),
    "constructor as a key": () => ({ constructor: { prototype: { polluted: true } }, hasOwnProperty: 1 }),
    "sparse array": () => Object.assign([1], { 2: 2 }),
    "array of holes": () => new Array(3),
    "array with more": () => Object.assign([1], { more: 2 }),
    "array with toJSON": () => Object.assign([1], { toJSON: () => "lie" }),
    "array of another class": () => Object.assign(new (class extends Array<number> {})(), { 0: 2 }),
    "toJSON that throws": () => ({ toJSON: raise }),
    "toJSON that throws what cannot be read": () => ({ toJSON: raiseUnreadable }),
    "toJSON that throws a broken proxy": () => ({
        toJSON: () => {
            throw brokenProxy({})
        },
    }),
    "toJSON that lies": () => ({ a: 1, toJSON: () => ({ a: 2 }) }),
    "toJSON that says undefined": () => ({ toJSON: () => undefined }),
    "toJSON that is no function": () => ({ toJSON: 1 }),
    "getter that throws": () => ({
        get a() {
            return raiseUnreadable()
        },
    }),
    "broken proxy": () => brokenProxy({}),
    "broken proxy of an array": () => brokenProxy([]),
    "broken proxy of a function": () => brokenProxy(raise),
    "revoked proxy": () => revoked({}),
    "revoked proxy of an array": () => revoked([]),
    "proxy without end": () => {
        const handler: ProxyHandler<object> = { get: (_, key) => (key === "toJSON" ? undefined : endless()) }
        const endless = (): object => new Proxy({ a: 1 }, handler)
        return endless()
    },
    "thenable that throws": () => ({ [THEN]: raiseUnreadable }),
    "thenable that rejects": () => ({
        [THEN]: (_: unknown, reject: (e: unknown) => void) => reject(unreadableError()),
    }),
    "getter of then that throws": () => Object.defineProperty({}, THEN, { get: raise }),
    "unreadable error": unreadableError,
    "error without message": () => Object.assign(new Error(), { message: undefined, stack: 5n, name: null }),
    "error with a huge message": () => new Error("\u0001\u0000💥".repeat(100_000)),
    "error with itself as cause": () => {
        const error = new Error("circle")
        error.cause = error
        return error
    },
    "error of another kind": () => new AggregateError([new Error("one"), undefined], "many"),
    circle,
    "500 levels": () => nested(500),
    "501 levels": () => nested(501),
    "7,000 levels": () => nested(7_000),
    "100,000 levels": () => nested(100_000),
    "toString that throws": () => ({ toString: raise, valueOf: raise, [Symbol.toPrimitive]: raise }),
}

const FICKLE: Record<string, () => unknown> = {
    "first plain, then 7,000 levels": () => fickle([1, nested(7_000)]),
    "first plain, then a NUL": () => fickle([1, "\u0000"]),
    "first plain, then undefined": () => fickle([1, undefined]),
    "first plain, then NaN": () => fickle([1, Number.NaN]),
    "first plain, then a circle": () => fickle([1, circle()]),
    "first plain, then huge": () => fickle([1, "x".repeat(3_000_000)]),
}

/** What has given somebody trouble, or may. */
export const oddities: readonly Specimen[] = [
    ...Object.entries(SPECIMENS).map(([label, make]) => ({ label, make })),
    ...Object.entries(FICKLE).map(([label, make]) => ({ label, make, isFickle: true })),
]
