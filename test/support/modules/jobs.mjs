/** Job functions for the threads of tests. Plain JavaScript, since nothing compiles what a thread loads. */
import { once } from "node:events"
import { isMainThread, threadId } from "node:worker_threads"

export default function describe(payload, { jobID, name, attempt, token, dueAt }) {
    return { payload, jobID, name, attempt, token, dueAt, isMainThread }
}

/** Keeps its thread busy. */
export function block({ ms }) {
    const endMs = performance.now() + ms
    while (performance.now() < endMs);
    return threadId
}

export function blockForEver() {
    for (;;);
}

/** Never yields to its event loop, and asks its signal. */
export function blockUntilAborted(_payload, { signal }) {
    while (!signal.aborted);
    throw signal.reason
}

export async function untilAborted(_payload, { signal }) {
    if (!signal.aborted) await once(signal, "abort")
    const { name, code, message, retryable } = signal.reason
    throw Object.assign(new Error("aborted", { cause: signal.reason }), { name, code, message, retryable })
}

export async function endWell(_payload, { signal }) {
    if (!signal.aborted) await once(signal, "abort")
    return "in time"
}

export function snooze({ delayMs }, context) {
    return context.snooze(delayMs)
}

/** Puts its job off once. */
let numSnoozes = 0
export function snoozeOnce(_payload, { snooze }) {
    if (numSnoozes++ === 0) snooze(1)
    return "done"
}

let numHolds = 0
export function holdOnce(_payload, { rateLimited }) {
    if (numHolds++ === 0) rateLimited(1)
    return "done"
}

export function catchSnooze(_payload, context) {
    try {
        return context.snooze(1)
    } catch {
        return "caught"
    }
}

class OrderError extends RangeError {
    name = "OrderError"
}

const cyclic = {}
cyclic.self = cyclic
const hostile = new Proxy(
    {},
    {
        get: () => {
            throw new Error("touched")
        },
        getPrototypeOf: () => {
            throw new Error("touched")
        },
    },
)

const THROWN = {
    order: () =>
        Object.assign(new OrderError("no such order"), { code: "NO_ORDER", order: 7, undo: () => 1 }),
    caused: () => new TypeError("outer", { cause: new Error("inner", { cause: "innermost" }) }),
    aggregate: () => new AggregateError([new Error("one"), "two"], "many"),
    text: () => "plain text",
    nothing: () => undefined,
    object: () => ({ code: 7 }),
    symbol: () => Symbol("s"),
    // What `Unretryable` is known by; the package's own tests throw it itself.
    unretryable: () => Object.assign(new Error("no use"), { [Symbol.for("cuckmq.unretryable")]: true }),
    hostile: () => hostile,
    selfCaused: () => {
        const error = new Error("round")
        error.cause = error
        return error
    },
}

export function fail({ kind }) {
    throw THROWN[kind]()
}

const RESULTS = {
    nothing: () => undefined,
    bigint: () => 1n,
    function: () => () => 1,
    cyclic: () => cyclic,
    nul: () => "a\u0000b",
    large: () => "x".repeat(2 * 1024 * 1024),
    date: () => new Date(0),
}

export function answer({ kind }) {
    return RESULTS[kind]()
}

const CRASHES = {
    exit: () => process.exit(3),
    throw: () => {
        setImmediate(() => {
            throw new Error("nobody catches this")
        })
        return new Promise(() => undefined)
    },
    reject: () => {
        void Promise.reject(new Error("nobody awaits this"))
        return new Promise(() => undefined)
    },
}

export function crash({ how }) {
    return CRASHES[how]()
}

/** Returns, and brings its thread down a moment later. */
export function crashLater() {
    setTimeout(() => {
        throw new Error("left behind")
    }, 20)
}

export function log({ text }) {
    console.log(text)
    return "logged"
}

export const notAFunction = 5

export function logLines({ num, text }, { log, setProgress }) {
    for (let n = 1; n <= num; n++) log(`${n} ${text ?? "a\u0000b \ud800"}`)
    setProgress({ done: num })
}

export function logWrong(_payload, { log }) {
    log(5)
}
