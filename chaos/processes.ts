import { type ChildProcess, fork } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { monotonicMicros } from "./clock.ts"
import { endedByOwnJob, lastWords } from "./exits.ts"
import type { Victim } from "./faults/fault.ts"
import type { Peer, PeerOptions } from "./peers/peer.ts"
import { GRACE_MS } from "./profile.ts"
import type { Random } from "./random.ts"
import type { Recorder } from "./recorder.ts"

export const PROGRAM = fileURLToPath(new URL("programs/program.ts", import.meta.url))
const SHIFTED_CLOCK = new URL("faults/shifted-clock.ts", import.meta.url).href

/** What a process of the campaign is given. */
export interface ProgramTask {
    readonly role: Victim["role"] | "prepare" | "prepare-again"
    readonly index: number
    readonly life: number
    readonly peer: Peer["name"]
    readonly options: PeerOptions
    readonly recordsFile: string
    readonly params: {
        readonly concurrency: number
        /** Of this producer. */
        readonly jobsPerSecond: number
        readonly graceMs: number
    }
    /** Another build of cuckmq than the one that `cuckmq` names. */
    readonly cuckmqPath?: string
}

/** A process that was asked to end, or has all that it needs to start, and does neither, is ended after this time. */
const END_MARGIN_MS = 20_000

/** A process that ends unasked so soon, and so often in a row, will not live. */
const SHORT_LIFE_MS = 5_000
const MAX_SHORT_LIVES = 10

const ZONES = ["UTC", "America/St_Johns", "Asia/Kolkata", "Pacific/Chatham", "Europe/Berlin"]
const MAX_SHIFT_MS = 10 * 60_000

/** One process of the peer's after the other: when one ends, the next begins, until the campaign is over. */
export class Slot implements Victim {
    readonly role: Victim["role"]
    readonly index: number
    readonly #task: (params: { life: number; process: string; zone: string }) => ProgramTask
    readonly #records: Recorder
    readonly #random: Random
    readonly #onHopeless: (error: Error) => void
    #child: ChildProcess | undefined
    #exited: Promise<void> = Promise.resolve()
    #life = 0
    #recordsFile = ""
    #isAsked = false
    #isSuspended = false
    #isOver = false
    #timer: NodeJS.Timeout | undefined
    #sinceMs = 0
    #numShortLives = 0

    constructor(params: {
        role: Victim["role"]
        index: number
        task: (params: { life: number; process: string; zone: string }) => ProgramTask
        records: Recorder
        random: Random
        onHopeless: (error: Error) => void
    }) {
        this.role = params.role
        this.index = params.index
        this.#task = params.task
        this.#records = params.records
        this.#random = params.random
        this.#onHopeless = params.onHopeless
    }

    /** Of the life that runs or ran last. */
    get name(): string {
        return `${this.role}-${this.index}.${this.#life}`
    }

    get pid(): number {
        return this.#child?.pid ?? 0
    }

    get isRunning(): boolean {
        return this.#child !== undefined
    }

    /** Whether no fault has it in its hands. */
    get isFree(): boolean {
        return this.isRunning && !this.#isAsked && !this.#isSuspended
    }

    start(): void {
        this.#life++
        const zone = this.#random.pick(ZONES)
        // Orchestrators and producers must not mind either, but workers have the most to do with time.
        const shiftMs =
            this.role === "worker" && this.#random.chance(0.6)
                ? this.#random.integer(-MAX_SHIFT_MS, MAX_SHIFT_MS)
                : 0
        const task = this.#task({ life: this.#life, process: this.name, zone })
        this.#recordsFile = task.recordsFile
        this.#isAsked = false
        this.#sinceMs = performance.now()
        // What a process says when it dies is only of interest when nobody killed it.
        const errors = openSync(errorsFileOf(task.recordsFile), "a")
        const child = fork(PROGRAM, [JSON.stringify(task)], {
            // Where cores would be left.
            cwd: dirname(task.recordsFile),
            stdio: ["ignore", "ignore", errors, "ipc"],
            execArgv: shiftMs === 0 ? [] : ["--import", SHIFTED_CLOCK],
            env: { ...process.env, TZ: zone, CHAOS_CLOCK_SHIFT_MS: String(shiftMs) },
        })
        closeSync(errors)
        this.#child = child
        this.#exited = new Promise((resolve) => {
            child.once("exit", (code, signal) => {
                this.#onExit(code, signal)
                resolve()
            })
            child.on("error", () => resolve())
        })
        if (shiftMs !== 0) this.#recordMark("clock-shift", `${shiftMs} ms`)
        if (zone !== "UTC") this.#recordMark("time-zone", zone)
    }

    async kill(): Promise<void> {
        this.#isAsked = true
        this.#child?.kill("SIGKILL")
        await this.#exited
    }

    async terminate(): Promise<void> {
        const child = this.#child
        if (child === undefined) return
        this.#isAsked = true
        child.kill("SIGTERM")
        const timer = setTimeout(() => {
            this.#isAsked = false
            child.kill("SIGKILL")
        }, GRACE_MS + END_MARGIN_MS)
        await this.#exited
        clearTimeout(timer)
    }

    suspend(): void {
        this.#isSuspended = true
        this.#child?.kill("SIGSTOP")
    }

    resume(): void {
        this.#isSuspended = false
        this.#child?.kill("SIGCONT")
    }

    /** Ends it in good order, and for good. */
    async end(): Promise<void> {
        this.#isOver = true
        clearTimeout(this.#timer)
        await this.terminate()
    }

    /** Ends it at once, and for good: the campaign is given up. */
    destroy(): void {
        this.#isOver = true
        this.#isAsked = true
        clearTimeout(this.#timer)
        this.#child?.kill("SIGKILL")
    }

    #onExit(code: number | null, signal: string | null): void {
        this.#child = undefined
        this.#isSuspended = false
        // By SIGTERM itself: it was asked before it was ready to listen.
        const isInGoodOrder = code === 0 || signal === "SIGKILL" || signal === "SIGTERM"
        const isInjected =
            (this.#isAsked && isInGoodOrder) || (signal === "SIGABRT" && endedByOwnJob(this.#recordsFile))
        this.#records.write({ kind: "exit", victim: this.name, code, signal, isInjected })
        if (!isInjected)
            process.stderr.write(
                `${this.name} ended with ${code ?? signal}: ${lastWords(errorsFileOf(this.#recordsFile))}\n`,
            )
        const isShort = !isInjected && performance.now() - this.#sinceMs < SHORT_LIFE_MS
        this.#numShortLives = isShort ? this.#numShortLives + 1 : 0
        if (this.#numShortLives === MAX_SHORT_LIVES) {
            this.#isOver = true
            this.#onHopeless(new Error(`${this.role}-${this.index} does not live`))
        }
        if (this.#isOver) return
        this.#timer = setTimeout(() => this.start(), this.#random.between(200, 1_500))
    }

    /** A condition that a process lives under from its beginning. */
    #recordMark(fault: string, detail: string): void {
        const at = monotonicMicros()
        this.#records.write({
            kind: "fault",
            fault,
            target: this.name,
            from: at,
            to: at,
            isOutage: false,
            detail,
        })
    }
}

/** Runs a program that does one thing and ends. Rejects unless it ended well. */
export async function runOnce(task: ProgramTask, forMs: number): Promise<void> {
    const errorsFile = errorsFileOf(task.recordsFile)
    const errors = openSync(errorsFile, "a")
    const child = fork(PROGRAM, [JSON.stringify(task)], { stdio: ["ignore", "ignore", errors, "ipc"] })
    closeSync(errors)
    const timer = setTimeout(() => child.kill("SIGKILL"), forMs)
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
        child.once("exit", (...end) => resolve(end))
        child.once("error", reject)
    })
    clearTimeout(timer)
    if (code !== 0) throw new Error(`${task.role} ended with ${code ?? signal}: ${lastWords(errorsFile)}`)
}

/** Where a process writes its records. */
export function recordsFileOf(folder: string, process: string): string {
    return join(folder, `${process}.jsonl`)
}

function errorsFileOf(recordsFile: string): string {
    return recordsFile.replace(/\.jsonl$/, ".err")
}
