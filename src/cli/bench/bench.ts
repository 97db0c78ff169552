import { Config, type EventHandler, JobDefinition, type Pool, Worker } from "../../index.ts"
import { Limit } from "../limit.ts"
import { type Measurement, rateOf, timesOf } from "./measurement.ts"

/** How a queue is measured. */
export interface BenchSettings {
    numJobs: number
    concurrency: number
    maxSeconds: number
}

/** How many jobs a call defers. */
export const CALL_SIZE = 1_000

/** How often an idle worker is given a job. */
const NUM_STARTS = 200

/** How long callers go on, one job after the other. */
const CALLERS_MS = 1_000

/** What a process has run for a while is faster, and that matters more. */
const NUM_WARM_UP = 5_000

/** The parts of the whole time that each measurement may take. */
const SHARES = { warmUp: 0.1, deferMany: 0.25, run: 0.35, start: 0.2, callers: 0.05 }

interface Payload {
    n: number
    text: string
}

/** A hundred bytes. */
const TEXT = "x".repeat(80)

/** Measures a queue that nobody else uses. */
export class Bench {
    readonly #config: Config
    readonly #settings: BenchSettings
    readonly #signal: AbortSignal
    /** Defers as another process would: a worker hears at once of what its own Config defers. */
    readonly #producer: JobDefinition<Payload, void>
    /** What went wrong in workers, which try again. */
    readonly errors = new Set<string>()
    #onStart: (n: number) => void = () => undefined

    constructor(params: { config: Config; pool: Pool; settings: BenchSettings; signal: AbortSignal }) {
        const { config, pool } = params
        this.#config = config
        this.#settings = params.settings
        this.#signal = params.signal
        const name = "bench"
        this.#producer = new JobDefinition({
            config: new Config({ pool, schema: config.schema }),
            name,
            jobFunction: (_payload: Payload) => undefined,
        })
        new JobDefinition({
            config,
            name,
            jobFunction: ({ n }: Payload) => this.#onStart(n),
        }).register()
    }

    /** Measures one thing after the other, and tells what comes next. What is interrupted is left out. */
    async measure(onNext: (what: string) => void): Promise<Measurement[]> {
        const { numJobs, concurrency } = this.#settings
        const measurements: Measurement[] = []
        const count = numJobs.toLocaleString("en")
        const steps: [what: string, measure: () => Promise<Measurement | undefined>][] = [
            ["warming up", () => this.#warmUp()],
            [`deferring ${count} jobs, ${CALL_SIZE.toLocaleString("en")} in a call`, () => this.#deferMany()],
            [`running them, ${concurrency} at a time`, () => this.#run(measurements[0]?.numJobs ?? 0, "run")],
            [`giving an idle worker ${NUM_STARTS} jobs, one by one`, () => this.#start()],
            ["deferring single jobs, from 1 caller", () => this.#callers(1)],
            ["deferring single jobs, from 20 callers", () => this.#callers(20)],
        ]
        for (const [what, measure] of steps) {
            if (this.#signal.aborted) return measurements
            onNext(what)
            const measured = await measure()
            if (measured !== undefined) measurements.push(measured)
        }
        return measurements
    }

    async #warmUp(): Promise<undefined> {
        const limit = this.#limit("warmUp")
        const deferred = await this.#fill(Math.min(NUM_WARM_UP, this.#settings.numJobs), limit)
        await this.#drain(deferred, limit)
    }

    async #deferMany(): Promise<Measurement> {
        const { numJobs: wanted } = this.#settings
        const startMs = performance.now()
        const numJobs = await this.#fill(wanted, this.#limit("deferMany"))
        const tookMs = performance.now() - startMs
        return rateOf({ name: "defer-many", numJobs, tookMs, isWhole: numJobs === wanted })
    }

    /** From the start of a worker until the end of all is on record. */
    async #run(count: number, name: "run"): Promise<Measurement> {
        const startMs = performance.now()
        const { numJobs, endedMs } = await this.#drain(count, this.#limit("run"))
        return rateOf({ name, numJobs, tookMs: endedMs - startMs, isWhole: numJobs === count })
    }

    /** From the call of `defer` to the first line of the job function, on a worker that has nothing to do. */
    async #start(): Promise<Measurement> {
        const limit = this.#limit("start")
        const timesMs: number[] = []
        const worker = this.#worker(() => undefined)
        try {
            // The first one is not counted: the worker looks around before it rests.
            for (let n = 0; n <= NUM_STARTS && !limit.isOver; n++) {
                let startedMs = 0
                const started = new Promise<void>((resolve) => {
                    this.#onStart = (startedN) => {
                        if (startedN !== n) return
                        startedMs = performance.now()
                        resolve()
                    }
                })
                const sentMs = performance.now()
                const deferred = this.#producer.defer({ payload: { n, text: TEXT } })
                if (!(await limit.isInTime(Promise.all([deferred, started])))) break
                if (n > 0) timesMs.push(startedMs - sentMs)
                await limit.isInTime(pause(10 + Math.random() * 10))
            }
        } finally {
            this.#onStart = () => undefined
            await stopped(worker)
        }
        return timesOf({ name: "start", timesMs, tookMs: null, isWhole: timesMs.length === NUM_STARTS })
    }

    /** Each waits until its job is stored, and defers the next. */
    async #callers(numCallers: 1 | 20): Promise<Measurement> {
        const limit = this.#limit("callers", CALLERS_MS)
        const timesMs: number[] = []
        const startMs = performance.now()
        const call = async () => {
            while (!limit.isOver) {
                const sentMs = performance.now()
                await this.#producer.defer({ payload: { n: timesMs.length, text: TEXT } })
                timesMs.push(performance.now() - sentMs)
            }
        }
        await limit.isInTime(Promise.all(Array.from({ length: numCallers }, call)))
        const tookMs = performance.now() - startMs
        const name = numCallers === 1 ? "defer-1-caller" : "defer-20-callers"
        return timesOf({ name, timesMs, tookMs, isWhole: true })
    }

    /** Defers jobs, and returns how many. */
    async #fill(count: number, limit: Limit): Promise<number> {
        let numJobs = 0
        while (numJobs < count && !limit.isOver) {
            const length = Math.min(CALL_SIZE, count - numJobs)
            const first = numJobs
            const jobs = Array.from({ length }, (_, i) => ({ payload: { n: first + i, text: TEXT } }))
            if (!(await limit.isInTime(this.#producer.deferMany(jobs)))) break
            numJobs += length
        }
        return numJobs
    }

    async #drain(count: number, limit: Limit): Promise<{ numJobs: number; endedMs: number }> {
        let numJobs = 0
        let worker: Worker | undefined
        try {
            const ended = new Promise<void>((resolve) => {
                if (count === 0) resolve()
                worker = this.#worker(() => {
                    if (++numJobs === count) resolve()
                })
            })
            await limit.isInTime(ended)
            return { numJobs: Math.min(numJobs, count), endedMs: performance.now() }
        } finally {
            await stopped(worker)
        }
    }

    #worker(onSuccess: () => void): Worker {
        const eventHandler: EventHandler = ({ event }) => {
            if (event.eventType === "worker-job-finalize-success") onSuccess()
            if (event.eventType === "daemon-error") this.errors.add(`${event.activity}: ${event.error}`)
        }
        const { concurrency } = this.#settings
        return new Worker({ config: this.#config, name: "bench", concurrency, eventHandler })
    }

    #limit(share: keyof typeof SHARES, mostMs = Number.POSITIVE_INFINITY): Limit {
        const ms = Math.min(this.#settings.maxSeconds * 1_000 * SHARES[share], mostMs)
        return new Limit({ ms, signal: this.#signal })
    }
}

async function stopped(worker: Worker | undefined): Promise<void> {
    worker?.stop()
    await worker?.join({ graceMs: 0 })
}

function pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
}
