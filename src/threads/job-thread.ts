import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import { Alarm } from "../clock.ts"
import type { SqlClient } from "../db/client.ts"
import { InvalidCompletionError, ThreadExitError, ThreadModuleError } from "../errors.ts"
import type { JobContext } from "../job-context.ts"
import { EncodedResult } from "../payload.ts"
import { messageOf } from "../thrown.ts"
import type { Answer, Asked, Ended, FromThread, Noted, ResultCopy, ToThread } from "./thread-messages.ts"
import type { ThreadModule } from "./thread-module.ts"
import { THREAD_PROGRAM } from "./thread-program.ts"
import { copyThrown, reviveThrown } from "./thrown-copy.ts"

/** A job function to run in a thread. */
export interface ThreadCall {
    readonly module: ThreadModule
    /** As JSON text: it is parsed where it is used. */
    readonly payload: string
    readonly context: JobContext
}

/** What a thread runs now. */
interface ThreadRun extends ThreadCall {
    readonly number: number
    readonly resolve: (returned: unknown) => void
    readonly reject: (error: unknown) => void
}

/** Statements that the client of a transaction, which is in the thread, was asked to run. */
type Pending = Map<number, { resolve: (rows: { rows: unknown[] }) => void; reject: (error: unknown) => void }>

/** A thread that runs job functions, one at a time. */
export class JobThread {
    readonly #worker: Worker
    readonly #port: MessagePort
    /** The number of the run whose signal is aborted, for a job function that keeps its thread too busy to be told. */
    readonly #abortedRun = new Int32Array(new SharedArrayBuffer(4))
    /** How many notes of a run are on their way: a thread that says more than we take in keeps the rest to itself. */
    readonly #numNotes = new Int32Array(new SharedArrayBuffer(4))
    readonly #force = new Alarm(() => this.#terminateBusy())
    readonly #queries: Pending = new Map()
    readonly #onFree: () => void
    #numRuns = 0
    #numQueries = 0
    #run: ThreadRun | undefined
    /** Why the thread ends, where we know. */
    #fault: { readonly how: string; readonly cause?: unknown } | undefined

    constructor(params: {
        /** It runs nothing any more, and may be given the next job. */
        onFree: () => void
        /** It has ended; with an error, when it ended by that and ran nothing. */
        onEnd: (error: unknown) => void
    }) {
        const { port1, port2 } = new MessageChannel()
        this.#onFree = params.onFree
        this.#port = port1
        this.#worker = new Worker(THREAD_PROGRAM, {
            eval: true,
            name: "cuckmq jobs",
            workerData: { port: port2, abortedRun: this.#abortedRun, numNotes: this.#numNotes },
            transferList: [port2],
        })
        port1.on("message", (message: FromThread) => this.#receive(message))
        this.#worker.on("error", (cause: unknown) => {
            const isOutOfMemory = (cause as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY"
            const how = isOutOfMemory ? "ran out of memory" : `threw what nobody caught: ${messageOf(cause)}`
            this.#fault ??= { how, cause }
        })
        this.#worker.once("exit", (code) => params.onEnd(this.#afterExit(code)))
        this.#setHoldsProcess(false)
    }

    /** Runs a job function. What it returns comes as an `EncodedResult`. */
    run(call: ThreadCall): Promise<unknown> {
        return new Promise((resolve, reject) => {
            const run = { ...call, number: ++this.#numRuns, resolve, reject }
            const { jobID, name, attempt, token, dueAt, signal } = call.context
            const { url, exportName } = call.module
            const { number, payload } = run
            this.#run = run
            this.#setHoldsProcess(true)
            signal.addEventListener("abort", () => this.#abort(run), { once: true })
            const about = { jobID, name, attempt, token, dueAtMs: dueAt.getTime() }
            this.#send({ type: "run", number, url, exportName, payload, ...about })
        })
    }

    /** Ends the thread, whatever it does. Resolves when it has ended. */
    async end(): Promise<void> {
        this.#force.clear()
        this.#fault ??= { how: "was ended with its worker" }
        await this.#worker.terminate()
    }

    #send(message: ToThread): void {
        this.#port.postMessage(message)
    }

    #abort(run: ThreadRun): void {
        if (this.#run !== run) return
        this.#send({ type: "abort", number: run.number, reason: copyThrown(run.context.signal.reason) })
        // After the message: who sees this looks for that.
        Atomics.store(this.#abortedRun, 0, run.number)
        if (run.module.forceAfterMs !== null) this.#force.set(run.module.forceAfterMs)
    }

    #terminateBusy(): void {
        const reason: unknown = this.#run?.context.signal.reason
        this.#fault ??= { how: "was ended, since it did not heed its aborted signal", cause: reason }
        void this.#worker.terminate()
    }

    #receive(message: FromThread): void {
        if (message.type === "answer") this.#onAnswer(message)
        else if (message.type === "noted") this.#note(message)
        else if (message.type === "complete") void this.#complete(message)
        else this.#onEnded(message)
    }

    #note({ number, lines, progress }: Noted): void {
        Atomics.sub(this.#numNotes, 0, 1)
        if (this.#run?.number !== number) return
        const { context } = this.#run
        for (const line of lines) context.log(line)
        if (progress !== undefined) context.setProgress(progress)
    }

    #onEnded(ended: Ended): void {
        const run = this.#run
        if (run === undefined || ended.number !== run.number) return
        this.#run = undefined
        this.#force.clear()
        this.#setHoldsProcess(false)
        settle(run, ended)
        // A module that could not be loaded is not loaded again by the same thread.
        if ("unloaded" in ended) void this.end()
        else this.#onFree()
    }

    /** Completes the job of the run by statements that the thread runs, whose client it is. */
    async #complete({ number, call, jobID, names, hasQuery, result }: Asked): Promise<void> {
        try {
            const run = this.#run
            if (run?.number !== number)
                throw new InvalidCompletionError({ jobID, reason: "its job function has ended" })
            const client = hasQuery ? this.#clientOf(call) : {}
            const values: Record<string, unknown> = { client, result: toResult(result) }
            const options = names && Object.fromEntries(names.map((name) => [name, values[name]]))
            await run.context.complete(options as never)
            this.#send({ type: "completed", call })
        } catch (error) {
            this.#send({ type: "completed", call, thrown: copyThrown(error) })
        }
    }

    #clientOf(call: number): SqlClient {
        return {
            query: (text, values = []) =>
                new Promise((resolve, reject) => {
                    const query = ++this.#numQueries
                    this.#queries.set(query, { resolve, reject })
                    this.#send({ type: "query", call, query, text, values })
                }),
        }
    }

    #onAnswer(answer: Answer): void {
        const pending = this.#queries.get(answer.query)
        this.#queries.delete(answer.query)
        if ("rows" in answer) pending?.resolve({ rows: answer.rows })
        else pending?.reject(reviveThrown(answer.thrown))
    }

    /** Returns the error that the thread ended by, unless its run has failed with it. */
    #afterExit(code: number): unknown {
        this.#force.clear()
        // What it said last may come later than its end.
        for (let got = receiveMessageOnPort(this.#port); got !== undefined; ) {
            this.#receive(got.message)
            got = receiveMessageOnPort(this.#port)
        }
        this.#port.close()
        const run = this.#run
        this.#run = undefined
        const { how, cause } = this.#fault ?? { how: `exited with code ${code}` }
        const error = (jobID: number) => new ThreadExitError({ jobID, how, cause })
        for (const { reject } of this.#queries.values()) reject(error(run?.context.jobID ?? 0))
        this.#queries.clear()
        run?.reject(error(run.context.jobID))
        return run === undefined ? cause : undefined
    }

    /** A thread that runs nothing does not keep the process alive. */
    #setHoldsProcess(holds: boolean): void {
        for (const handle of [this.#worker, this.#port]) {
            if (holds) handle.ref()
            else handle.unref()
        }
    }
}

function settle({ module, context, resolve, reject }: ThreadRun, ended: Ended): void {
    if ("result" in ended) return resolve(toResult(ended.result))
    if ("thrown" in ended) return reject(reviveThrown(ended.thrown))
    if ("unloaded" in ended)
        return reject(new ThreadModuleError({ ...module, cause: reviveThrown(ended.unloaded) }))
    try {
        context[ended.putOff.way](ended.putOff.delayMs as number)
    } catch (thrown) {
        reject(thrown)
    }
}

function toResult(result: ResultCopy): EncodedResult {
    if ("thrown" in result) return new EncodedResult({ reason: messageOf(reviveThrown(result.thrown)) })
    return new EncodedResult(result)
}
