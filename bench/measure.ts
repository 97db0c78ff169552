import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import type { Client } from "pg"
import type { Servers } from "./servers.ts"

/** What was measured of one run of one system. Absent where it makes no sense. */
export interface Metrics {
    jobsPerSecond?: number
    /** CPU time per job of the processes that enqueue or run jobs, in microseconds. */
    processMicros?: number
    /** CPU time per job of Postgres, or of Redis, in microseconds. */
    serverMicros?: number
    walBytes?: number
    /** The most memory that the measured process held meanwhile. */
    peakMb?: number
    p50Ms?: number
    p99Ms?: number
    queriesPerSecond?: number
    /** Memory of one idle worker process. */
    rssMb?: number
    /** A rate compared with another of the same run. */
    ratio?: number
    numRounds?: number
}

/** What one run measured, by the name of the row: one scenario may measure several things. */
export type Rows = Record<string, Metrics>

/** Clock ticks of /proc/<pid>/stat; 100 a second on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000

/** Of fewer jobs, what the server does besides is more than what they cost. */
const MIN_JOBS = 100

/** Watches the processes and the server from `start` to `stop`. */
export class Meter {
    readonly #servers: Servers
    readonly #admin: Client
    #startedAtMs = 0
    #processMicros = 0
    #serverMicros = 0
    #walBytes = 0

    constructor(params: { servers: Servers; admin: Client }) {
        this.#servers = params.servers
        this.#admin = params.admin
    }

    async start(): Promise<void> {
        // Resets the high-water mark of this process.
        writeFileSync("/proc/self/clear_refs", "5")
        this.#walBytes = await this.#walPosition()
        this.#serverMicros = serverMicros(this.#servers)
        this.#processMicros = ownMicros()
        this.#startedAtMs = performance.now()
    }

    /** `othersMicros` is the CPU time of worker processes that took part. */
    async stop(numJobs: number, othersMicros = 0): Promise<Metrics> {
        const seconds = (performance.now() - this.#startedAtMs) / 1_000
        const processMicros = ownMicros() - this.#processMicros + othersMicros
        const server = serverMicros(this.#servers) - this.#serverMicros
        const wal = (await this.#walPosition()) - this.#walBytes
        const jobsPerSecond = numJobs / seconds
        if (numJobs < MIN_JOBS) return { jobsPerSecond }
        return {
            jobsPerSecond,
            processMicros: processMicros / numJobs,
            serverMicros: server / numJobs,
            walBytes: wal / numJobs,
            peakMb: kilobytes("/proc/self/status", "VmHWM") / 1_024,
        }
    }

    async #walPosition(): Promise<number> {
        const { rows } = await this.#admin.query("select pg_current_wal_insert_lsn() - '0/0' as bytes")
        return Number(rows[0].bytes)
    }
}

export function ownMicros(): number {
    const { user, system } = process.cpuUsage()
    return user + system
}

/** The value at a percentile of a list that need not be sorted. */
export function percentile(values: readonly number[], percent: number): number {
    const sorted = [...values].sort((a, b) => a - b)
    const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))
    return sorted[index] ?? Number.NaN
}

export function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b)
    const middle = Math.floor(sorted.length / 2)
    const upper = sorted[middle] ?? Number.NaN
    return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Memory that a process holds now, in MB. */
export function rssMb(pid: number): number {
    return kilobytes(`/proc/${pid}/status`, "VmRSS") / 1_024
}

function kilobytes(file: string, field: string): number {
    const line = readFileSync(file, "utf8")
        .split("\n")
        .find((text) => text.startsWith(`${field}:`))
    return Number(line?.replace(/\D/g, ""))
}

/** CPU time so far of Postgres, all of its processes, those that have ended too, and of Redis. */
function serverMicros({ postmasterPid, redisPid }: Servers): number {
    let ticks = ticksOf(postmasterPid) + (redisPid === undefined ? 0 : ticksOf(redisPid))
    for (const name of readdirSync("/proc")) {
        if (/^\d+$/.test(name) && parentOf(name) === postmasterPid) ticks += ticksOf(Number(name))
    }
    return ticks * MICROS_PER_TICK
}

function statOf(pid: number | string): string[] {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, "utf8")
        // The second field is a name in parentheses that may contain spaces.
        return text.slice(text.lastIndexOf(")") + 2).split(" ")
    } catch {
        // It ended meanwhile; its parent has its time.
        return []
    }
}

function parentOf(pid: string): number {
    return Number(statOf(pid)[1])
}

/** Its own time, and that of its children that have ended. */
function ticksOf(pid: number): number {
    return statOf(pid)
        .slice(11, 15)
        .reduce((sum, field) => sum + Number(field), 0)
}
