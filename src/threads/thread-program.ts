import { MAX_MESSAGE_LENGTH, MAX_PROGRESS_BYTES } from "../log-values.ts"

/** How many lines a thread keeps that cannot be taken in yet. */
const MAX_LINES = 999

/**
 * What a thread for job functions runs. It is text, and not a module of its own, because a file beside the bundle is what
 * bundlers lose; and it imports nothing of ours, because where we are bundled that would be the whole application.
 *
 * It gets orders over a port of its own, so that nothing that a user's module says over `parentPort` is mistaken for an
 * answer. `look` takes what has come in without waiting for the event loop: a loop that never yields to it sees all the
 * same that its signal is aborted. `copy` and `revive` are those of thrown-copy.ts, for the other side.
 */
export const THREAD_PROGRAM = /* js */ `
import("node:worker_threads").then(({ workerData, receiveMessageOnPort }) => {
    const { port, abortedRun, numNotes } = workerData
    const KINDS = Symbol.for("cuckmq.kinds")
    const UNRETRYABLE = Symbol.for("cuckmq.unretryable")
    const BASES = ["EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]
    const MAX_CAUSES = 10
    const MAX_NOTES = 1000
    const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted").get
    const asked = new Map()
    let numAsked = 0
    let current

    function safely(work, otherwise) {
        try {
            return work()
        } catch {
            return otherwise
        }
    }

    function describe(value) {
        if (typeof value === "object" && value !== null)
            return safely(() => JSON.stringify(value), undefined) ?? "a value that cannot be described"
        return safely(() => String(value), "a value that cannot be described")
    }

    function isCloneable(value) {
        return safely(() => (structuredClone(value), true), false)
    }

    function copy(thrown, depth = 0) {
        if (!safely(() => thrown instanceof Error, false)) {
            if (isCloneable(thrown)) return { value: thrown }
            return { error: { name: typeof thrown, message: describe(thrown), stack: "", fields: [] } }
        }
        const read = (name) => safely(() => thrown[name], undefined)
        const text = (name) => (typeof read(name) === "string" ? read(name) : "")
        const skipped = ["name", "message", "stack", "cause", "errors"]
        const names = safely(() => Object.keys(thrown), []).filter((name) => !skipped.includes(name))
        if (read("code") !== undefined && !names.includes("code")) names.push("code")
        const error = {
            name: text("name"),
            message: text("message"),
            stack: text("stack"),
            base: BASES.find((name) => safely(() => thrown instanceof globalThis[name], false)),
            fields: names.map((name) => [name, read(name)]).filter(isCloneable),
            kinds: Array.isArray(read(KINDS)) ? read(KINDS).map(String) : undefined,
            isUnretryable: safely(() => UNRETRYABLE in thrown, false),
        }
        const isDeep = depth >= MAX_CAUSES
        if (!isDeep && safely(() => "cause" in thrown, false)) error.cause = copy(read("cause"), depth + 1)
        if (!isDeep && Array.isArray(read("errors")))
            error.errors = read("errors").map((one) => copy(one, depth + 1))
        return { error }
    }

    function revive(copied) {
        if (copied.error === undefined) return copied.value
        const { name, message, stack, fields, kinds, cause } = copied.error
        const error = new Error(message, cause === undefined ? undefined : { cause: revive(cause) })
        const hidden = (name, value) =>
            Object.defineProperty(error, name, { value, writable: true, configurable: true })
        hidden("name", name)
        hidden("stack", stack)
        if (kinds !== undefined) hidden(KINDS, kinds)
        for (const [name, value] of fields)
            Object.defineProperty(error, name, { value, writable: true, configurable: true, enumerable: true })
        return error
    }

    function encode(result) {
        if (result === undefined) return { text: null }
        try {
            const text = JSON.stringify(result)
            return text === undefined ? { reason: "a " + typeof result + " has no JSON form" } : { text }
        } catch (error) {
            return { thrown: copy(error) }
        }
    }

    function look() {
        if (current === undefined || current.reason !== undefined) return
        if (Atomics.load(abortedRun, 0) !== current.number) return
        for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port))
            receive(got.message)
    }

    function makeSignal(run) {
        run.controller = new AbortController()
        const { signal } = run.controller
        Object.defineProperty(signal, "aborted", {
            get() {
                if (run === current) look()
                return isAborted.call(signal)
            },
        })
        Object.defineProperty(signal, "throwIfAborted", {
            value() {
                if (signal.aborted) throw signal.reason
            },
        })
        if (run.reason !== undefined) run.controller.abort(run.reason)
        return signal
    }

    function complete(run, options) {
        return new Promise((resolve, reject) => {
            const call = ++numAsked
            const names = safely(() => Object.keys(options), undefined)
            const client = safely(() => options.client, undefined)
            const hasQuery = safely(() => typeof client.query === "function", false)
            const settle = ({ thrown }) => (thrown === undefined ? resolve() : reject(revive(thrown)))
            asked.set(call, { client, settle })
            const result = encode(safely(() => options.result, undefined))
            const { number, jobID } = run
            port.postMessage({ type: "complete", number, jobID, call, names, hasQuery, result })
        })
    }

    function putOff(run, way, delayMs) {
        run.putOff = new Error("the job is put off: let this through")
        run.putOff.name = "PutOff"
        Object.assign(run.putOff, { way, delayMs })
        throw run.putOff
    }

    function refused(option, expected, got) {
        const shown = typeof got === "number" || typeof got === "string" ? got : "a value of type " + typeof got
        const error = new Error("expected \`" + option + "\` to be " + expected + ", got: " + shown)
        const hidden = { name: "InvalidOptionError", [KINDS]: ["InvalidOptionError", "CuckmqError"] }
        for (const key of Reflect.ownKeys(hidden)) Object.defineProperty(error, key, { value: hidden[key] })
        return Object.assign(error, { code: "CUCKMQ_INVALID_OPTION", retryable: false, option })
    }

    // What the other side has not taken in yet is its to keep, so a thread that says too much keeps the rest, and the last of it.
    function note(run, isEnd) {
        if (run !== current || (run.lines.length === 0 && run.progress === undefined && run.numLeftOut === 0)) return
        if (!isEnd && Atomics.load(numNotes, 0) >= MAX_NOTES) {
            run.timer ??= setTimeout(() => ((run.timer = undefined), note(run, false)), 20)
            return
        }
        const { number, lines, progress, numLeftOut } = run
        if (numLeftOut > 0) lines.unshift("(" + numLeftOut + " lines were left out here: more were logged than could be written)")
        Object.assign(run, { lines: [], progress: undefined, numLeftOut: 0 })
        Atomics.add(numNotes, 0, 1)
        port.postMessage({ type: "noted", number, lines, progress })
    }

    function log(run, message) {
        if (typeof message !== "string") throw refused("message", "a text", message)
        const mark = "… (cut, of " + message.length + " characters)"
        const isLong = message.length > ${MAX_MESSAGE_LENGTH}
        run.lines.push(isLong ? message.slice(0, ${MAX_MESSAGE_LENGTH} - mark.length) + mark : message)
        if (run.lines.length > ${MAX_LINES}) {
            run.lines.shift()
            run.numLeftOut++
        }
        note(run, false)
    }

    function setProgress(run, value) {
        const isNumber = typeof value === "number" && value >= 0 && value <= 100
        const isObject = typeof value === "object" && value !== null
        const text = isNumber || isObject ? safely(() => JSON.stringify(value), undefined) : undefined
        if (typeof text !== "string" || (isObject && !text.startsWith("{")))
            throw refused("value", "a number from 0 to 100, or an object that has a JSON form", value)
        const numBytes = Buffer.byteLength(text)
        if (numBytes > ${MAX_PROGRESS_BYTES})
            throw refused("value", "at most ${MAX_PROGRESS_BYTES} bytes of JSON", numBytes + " bytes")
        run.progress = JSON.parse(text)
        note(run, false)
    }

    function makeContext(run, { jobID, name, attempt, token, dueAtMs }) {
        return {
            jobID,
            name,
            attempt,
            token,
            dueAt: new Date(dueAtMs),
            get signal() {
                if (run === current) look()
                return run.controller?.signal ?? makeSignal(run)
            },
            complete: (options) => complete(run, options),
            snooze: (delayMs) => putOff(run, "snooze", delayMs),
            rateLimited: (delayMs) => putOff(run, "rateLimited", delayMs),
            log: (message) => log(run, message),
            setProgress: (value) => setProgress(run, value),
        }
    }

    async function load({ url, exportName }) {
        const namespace = await import(url)
        // Where the module is CommonJS, what it exports may be known as a whole only.
        const found = [namespace[exportName], namespace.default?.[exportName]]
        const jobFunction = found.find((value) => typeof value === "function")
        if (jobFunction === undefined) throw new TypeError("it exports no function named " + exportName)
        return jobFunction
    }

    async function outcomeOf(run, order) {
        let jobFunction
        try {
            jobFunction = await load(order)
        } catch (error) {
            return { unloaded: copy(error) }
        }
        try {
            return { result: encode(await jobFunction(JSON.parse(order.payload), makeContext(run, order))) }
        } catch (thrown) {
            if (run.putOff === undefined || thrown !== run.putOff) return { thrown: copy(thrown) }
            const { way, delayMs } = run.putOff
            return { putOff: { way, delayMs: isCloneable(delayMs) ? delayMs : describe(delayMs) } }
        }
    }

    async function start(order) {
        const run = { number: order.number, jobID: order.jobID, lines: [], numLeftOut: 0 }
        current = run
        const outcome = await outcomeOf(run, order)
        clearTimeout(run.timer)
        note(run, true)
        current = undefined
        port.postMessage({ type: "end", number: run.number, ...outcome })
    }

    async function query({ call, query, text, values }) {
        let answer
        try {
            const { rows } = await asked.get(call).client.query(text, values)
            answer = isCloneable(rows) ? { rows } : { thrown: copy(new TypeError("rows that are no plain data")) }
        } catch (error) {
            answer = { thrown: copy(error) }
        }
        port.postMessage({ type: "answer", query, ...answer })
    }

    function receive(message) {
        if (message.type === "run") void start(message)
        else if (message.type === "query") void query(message)
        else if (message.type === "completed") {
            asked.get(message.call)?.settle(message)
            asked.delete(message.call)
        } else if (message.type === "abort" && current?.number === message.number) {
            current.reason = revive(message.reason)
            current.controller?.abort(current.reason)
        }
    }

    port.on("message", receive)
})
`
