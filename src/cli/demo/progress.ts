import type { Event } from "../../index.ts"
import type { Cell } from "../look.ts"
import { describeEvent } from "./describe-event.ts"

/** Where a job is, as far as the events have told. */
export type State = "waiting" | "running" | "retrying" | "succeeded" | "failed"

/** The jobs of one definition. */
export interface Tally extends Record<State, number> {
    attempts: number
    /** Jobs ended a second, between the first and the last; undefined before there are two. */
    perSecond: number | undefined
}

/** Something to show. */
export interface Happening {
    atMs: number
    cells: Cell[]
}

interface Job {
    name: string
    state: State
    attempts: number
    endedAtMs: number | undefined
}

const MAX_HAPPENINGS = 20

/** What the events of all daemons amount to. */
export class Progress {
    readonly happenings: Happening[] = []
    /** Resolves when every job that was deferred with `expect` has ended. */
    readonly allEnded: Promise<void>
    readonly #jobs = new Map<number, Job>()
    readonly #expected = new Set<number>()
    readonly #startMs = performance.now()
    #resolveAllEnded: () => void = () => undefined

    constructor() {
        this.allEnded = new Promise((resolve) => {
            this.#resolveAllEnded = resolve
        })
    }

    get elapsedMs(): number {
        return performance.now() - this.#startMs
    }

    get numExpected(): number {
        return this.#jobs.size
    }

    get numEnded(): number {
        return [...this.#jobs.values()].filter((job) => job.endedAtMs !== undefined).length
    }

    /** Takes note of jobs that were deferred. */
    expect(name: string, jobIDs: readonly number[]): void {
        for (const id of jobIDs) {
            this.#jobs.set(id, { name, state: "waiting", attempts: 0, endedAtMs: undefined })
            this.#expected.add(id)
        }
    }

    /** Takes note of what a daemon tells. */
    hear(event: Event): void {
        const cells = describeEvent(event)
        if (cells !== undefined) {
            this.happenings.push({ atMs: this.elapsedMs, cells })
            if (this.happenings.length > MAX_HAPPENINGS) this.happenings.shift()
        }
        if ("jobID" in event) this.#move(event)
    }

    tally(name: string): Tally {
        const tally = { waiting: 0, running: 0, retrying: 0, succeeded: 0, failed: 0, attempts: 0 }
        const endedAtMs: number[] = []
        for (const job of this.#jobs.values()) {
            if (job.name !== name) continue
            tally[job.state]++
            tally.attempts += job.attempts
            if (job.endedAtMs !== undefined) endedAtMs.push(job.endedAtMs)
        }
        const spanMs = Math.max(...endedAtMs) - Math.min(...endedAtMs)
        const perSecond = spanMs > 0 ? ((endedAtMs.length - 1) / spanMs) * 1_000 : undefined
        return { ...tally, perSecond }
    }

    #move(event: Extract<Event, { jobID: number }>): void {
        const job = this.#jobs.get(event.jobID) ?? {
            name: event.jobName,
            state: "waiting",
            attempts: 0,
            endedAtMs: undefined,
        }
        this.#jobs.set(event.jobID, job)
        const state = stateAfter(event)
        if (state === undefined) return
        job.state = state
        if ("attempt" in event) job.attempts = event.attempt
        if (state !== "succeeded" && state !== "failed") return
        job.endedAtMs = this.elapsedMs
        this.#expected.delete(event.jobID)
        if (this.#expected.size === 0) this.#resolveAllEnded()
    }
}

function stateAfter(event: Event): State | undefined {
    switch (event.eventType) {
        case "worker-job-dequeue":
            return "running"
        case "worker-job-return":
            return "waiting"
        case "worker-job-finalize-success":
            return "succeeded"
        case "worker-job-error":
            return event.retryDelayMs === null ? undefined : "retrying"
        default:
            return event.eventType.includes("-finalize-failure") ? "failed" : undefined
    }
}
