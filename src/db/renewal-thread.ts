import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"

/** Leases that one thread can watch at the same time; a worker has one for each `lockIntervalMs` of its definitions. */
const NUM_SLOTS = 64

/** Two cells a lease: whose they are, and until when the thread has renewed it. */
const CELLS_PER_SLOT = 2

/** Microseconds on the clock that all threads of a process share, at zero of `performance.now()` of this one. */
const ZERO_MICROS = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1_000

/** A lease as its keeper knows it, by `performance.now()`. */
export interface WatchedLease {
    readonly id: number
    readonly intervalMs: number
    readonly deadlineMs: number
}

/**
 * What the thread runs. It is text, and not a module of its own, because a file beside the bundle is what bundlers
 * lose. A lease that its keeper renews in time is never touched: the thread connects when half of a lease is gone
 * without a word of the keeper, whose event loop must be blocked then, and it disconnects when it has renewed it.
 */
const SOURCE = /* js */ `
const { parentPort, workerData } = require("node:worker_threads")
const { cells, pgPath, options, text } = workerData
const leases = new Map()
let timer
let isRenewing = false

const nowMicros = () => Number(process.hrtime.bigint() / 1000n)

function schedule() {
    clearTimeout(timer)
    if (isRenewing || leases.size === 0) return
    let atMicros = Infinity
    for (const lease of leases.values()) atMicros = Math.min(atMicros, lease.actAtMicros)
    timer = setTimeout(renew, Math.min(Math.max(0, (atMicros - nowMicros()) / 1000), 2 ** 31 - 1))
}

async function renew() {
    const sentMicros = nowMicros()
    const due = [...leases.values()].filter((lease) => lease.actAtMicros <= sentMicros)
    if (due.length === 0) return schedule()
    isRenewing = true
    const shortestMs = Math.min(...due.map((lease) => lease.intervalMs))
    // Not before it is needed, which in most processes is never.
    const { Client } = require(pgPath)
    const client = new Client({ ...options, query_timeout: shortestMs, connectionTimeoutMillis: shortestMs })
    client.on("error", () => undefined)
    try {
        await client.connect()
        const sentAgainMicros = nowMicros()
        const values = ["{" + due.map((lease) => lease.id).join(",") + "}"]
        const { rows } = await client.query({ text, values, rowMode: "array" })
        const renewed = new Set(rows.map(([id]) => Number(id)))
        for (const lease of due) {
            // What was revoked stays lost: its keeper will hear of it.
            if (!renewed.has(lease.id)) leases.delete(lease.id)
            else keep(lease, sentAgainMicros + lease.intervalMs * 1000)
        }
    } catch {
        for (const lease of due) lease.actAtMicros = nowMicros() + lease.intervalMs * 50
    }
    client.end().catch(() => undefined)
    isRenewing = false
    schedule()
}

function keep(lease, deadlineMicros) {
    lease.actAtMicros = deadlineMicros - lease.intervalMs * 500
    // The owner is written last, and only by us, so no other lease is taken to be renewed.
    Atomics.store(cells, lease.slot * ${CELLS_PER_SLOT}, 0n)
    Atomics.store(cells, lease.slot * ${CELLS_PER_SLOT} + 1, BigInt(Math.floor(deadlineMicros)))
    Atomics.store(cells, lease.slot * ${CELLS_PER_SLOT}, BigInt(lease.id))
}

parentPort.on("message", ({ id, slot, intervalMs, deadlineMicros }) => {
    if (intervalMs === undefined) leases.delete(id)
    else leases.set(id, { id, slot, intervalMs, actAtMicros: deadlineMicros - intervalMs * 500 })
    schedule()
})
`

/** Renews leases from a thread of its own while the event loop of this one is blocked. */
export class RenewalThread {
    readonly #worker: Worker
    readonly #cells = new BigInt64Array(new SharedArrayBuffer(NUM_SLOTS * CELLS_PER_SLOT * 8))
    readonly #slots = new Map<number, number>()
    readonly #free = Array.from({ length: NUM_SLOTS }, (_, slot) => slot)
    #isDead = false

    private constructor(params: { pgPath: string; options: object; text: string }) {
        this.#worker = new Worker(SOURCE, {
            eval: true,
            workerData: { ...params, cells: this.#cells },
            name: "cuckmq leases",
            // What the application preloads for itself, tracing for one, is of no use there.
            execArgv: [],
            env: { ...process.env, NODE_OPTIONS: "" },
        })
        // Without it, leases are renewed as they are where there is no thread.
        const die = () => {
            this.#isDead = true
        }
        this.#worker.on("error", die)
        this.#worker.on("exit", die)
        this.#worker.unref()
    }

    /**
     * Starts a thread that renews with a statement, whose one parameter is a list of ids and whose rows are the ids
     * renewed. Undefined where no thread could connect by itself: when options cannot be handed over, such as a
     * password that is a function, or when `pg` is in a bundle and cannot be found.
     */
    static start(params: { options: object; text: string }): RenewalThread | undefined {
        const pgPath = findPg()
        if (pgPath === undefined) return undefined
        try {
            return new RenewalThread({ ...params, pgPath })
        } catch {
            return undefined
        }
    }

    /** Whether it can be relied on. */
    get isAlive(): boolean {
        return !this.#isDead
    }

    /** Begins to watch a lease, or learns that it was renewed. */
    watch({ id, intervalMs, deadlineMs }: WatchedLease): void {
        const slot = this.#slots.get(id) ?? this.#free.pop()
        if (slot === undefined) return
        this.#slots.set(id, slot)
        this.#worker.postMessage({ id, slot, intervalMs, deadlineMicros: ZERO_MICROS + deadlineMs * 1_000 })
    }

    /** Ceases to watch a lease. */
    forget(id: number): void {
        const slot = this.#slots.get(id)
        if (slot === undefined) return
        this.#slots.delete(id)
        this.#free.push(slot)
        this.#worker.postMessage({ id })
    }

    /** Until when the thread has renewed a lease, by `performance.now()`; long ago if it has not. */
    renewedUntilMs(id: number): number {
        const slot = this.#slots.get(id)
        if (slot === undefined) return Number.NEGATIVE_INFINITY
        const owner = () => Number(Atomics.load(this.#cells, slot * CELLS_PER_SLOT))
        if (owner() !== id) return Number.NEGATIVE_INFINITY
        const micros = Number(Atomics.load(this.#cells, slot * CELLS_PER_SLOT + 1))
        return owner() === id ? (micros - ZERO_MICROS) / 1_000 : Number.NEGATIVE_INFINITY
    }

    /** Ends the thread. */
    stop(): void {
        void this.#worker.terminate()
    }
}

/** Where `pg` is installed: beside us, or beside the application. */
function findPg(): string | undefined {
    for (const from of [import.meta.url, pathToFileURL(`${process.cwd()}/package.json`)]) {
        try {
            return createRequire(from).resolve("pg")
        } catch {
            // Not there.
        }
    }
    return undefined
}
