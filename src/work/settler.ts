import { Batcher, type Linger } from "../batcher.ts"
import { completeWithin } from "../complete.ts"
import type { Core } from "../config.ts"
import type { SqlClient } from "../db/client.ts"
import { lockNotAvailable, refusesValues, wasTooLong } from "../db/failure.ts"
import type { FailureReason } from "../events.ts"
import { announceDependents, type FinalizeParams, finalize } from "../finalize.ts"
import { isHoldingBack } from "../gate.ts"
import type { RegisteredJob } from "../registry.ts"
import type { Finalization } from "../statements/finalize-jobs.ts"
import { findSettledJobs } from "../statements/find-settled-jobs.ts"
import { ringOf, SHORTEST_RING } from "../statements/history-rings.ts"
import { type Hold, holdJobs } from "../statements/hold-jobs.ts"
import type { ClaimKey, LetGo } from "../statements/query.ts"
import { type Retry, retryJobs } from "../statements/retry-jobs.ts"
import { returnJobs } from "../statements/return-jobs.ts"
import type { DependentState } from "../statements/settle-dependents.ts"
import { type Snooze, snoozeJobs } from "../statements/snooze-jobs.ts"
import { ownOutcomes } from "./own-outcomes.ts"
import { Pending } from "./pending.ts"

/**
 * Whether the outcome was recorded, or the job was no longer ours, or no answer told which; or the job is a success
 * already, which its job function completed itself.
 */
export type Settled = "recorded" | "lost" | "unknown" | "completed"

/** Stands for an error that the database refused to hold. */
const REFUSED_ERROR = JSON.stringify({ name: "Error", message: "the database refused what was thrown" })

/** How jobs end that are recorded in one statement. */
type Ending = Pick<FinalizeParams, "outcome" | "reason" | "ring">

/** What counts of a definition when its jobs end. */
type Ended = Pick<RegisteredJob, "keepSucceededMs" | "keepFailedMs" | "gate">

/** One way to record outcomes. */
interface Writing<Item> {
    readonly activity: string
    /** Returns the ids of those that were recorded. */
    readonly write: (items: readonly Item[]) => Promise<Iterable<number>>
    readonly linger?: Linger
    /** The same outcome without the values that a database could refuse. */
    readonly strip: (item: Item) => Item
}

/** Jobs that end in a stream are recorded so often. */
const LINGER: Linger = { everyMs: 10, minItems: 16 }

/** How many outcomes travel in one statement, and how many characters of results. */
const MAX_JOBS = 2_000
const MAX_LENGTH = 16 * 1024 * 1024
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2_000

/** How soon to try again to record the outcome of a job that someone else holds locked. */
const LOCKED_RETRY_MS = 500

/** What a flush knows of an outcome: how it went, or that it goes on by itself. */
type Recorded = Settled | Promise<Settled>

/**
 * Records what became of claimed jobs, many at a time. What the database refuses or does not answer is tried again
 * until it is recorded: a failed write is never a failure of the handler. The token makes repetition harmless.
 */
export class Settler {
    readonly #core: Core
    readonly #worker: string
    readonly #onError: (activity: string, error: unknown) => void
    readonly #ended = new Map<string, Batcher<Finalization, Settled>>()
    readonly #retried: Batcher<Retry, Settled>
    readonly #returned: Batcher<ClaimKey, Settled>
    readonly #snoozed: Batcher<Snooze, Settled>
    readonly #held: Batcher<Hold, Settled>
    readonly #completed: Batcher<ClaimKey, Settled>
    readonly #pending = new Pending()
    #hasGivenUp = false

    constructor(params: { core: Core; worker: string; onError: (activity: string, error: unknown) => void }) {
        this.#core = params.core
        this.#worker = params.worker
        this.#onError = params.onError
        const { run, schema } = params.core
        this.#retried = this.#batcher({
            activity: "retry jobs",
            strip: (job: Retry) => ({ ...job, error: REFUSED_ERROR }),
            write: async (jobs) => this.#letGo(await retryJobs({ run, schema, jobs })),
        })
        this.#returned = this.#batcher({
            activity: "hand jobs back",
            strip: (job: ClaimKey) => job,
            write: async (jobs) => this.#letGo(await returnJobs({ run, schema, jobs })),
        })
        this.#snoozed = this.#batcher({
            activity: "put jobs off",
            strip: (job: Snooze) => job,
            write: async (jobs) => this.#letGo(await snoozeJobs({ run, schema, jobs })),
        })
        this.#held = this.#batcher({
            activity: "hold jobs back",
            strip: (job: Hold) => job,
            write: async (jobs) => this.#letGo(await holdJobs({ run, schema, jobs })),
        })
        this.#completed = this.#batcher({
            activity: "find completed jobs",
            strip: (job: ClaimKey) => job,
            write: async (jobs) =>
                (await findSettledJobs({ run, schema, jobs, outcome: "succeeded" })).finalized,
        })
    }

    /** How many outcomes are not recorded yet. */
    get numPending(): number {
        return this.#pending.num
    }

    /** Others may wait for the place of one that is gated, so it is not kept waiting. */
    succeed(job: Finalization, { keepSucceededMs, gate }: Ended): Promise<Settled> {
        const ring = ringOf({ outcome: "succeeded", keepMs: keepSucceededMs })
        const ended = this.#endingAs({ outcome: "succeeded", reason: null, ring })
        return this.track(ended.add(job, isHoldingBack(gate)))
    }

    fail(job: Finalization, reason: FailureReason, { keepFailedMs, gate }: Ended): Promise<Settled> {
        const ring = ringOf({ outcome: "failed", keepMs: keepFailedMs })
        return this.track(this.#endingAs({ outcome: "failed", reason, ring }).add(job, isHoldingBack(gate)))
    }

    retry(job: Retry): Promise<Settled> {
        return this.track(this.#retried.add(job))
    }

    snooze(job: Snooze): Promise<Settled> {
        return this.track(this.#snoozed.add(job))
    }

    hold(job: Hold): Promise<Settled> {
        return this.track(this.#held.add(job))
    }

    giveBack(job: ClaimKey): Promise<Settled> {
        return this.track(this.#returned.add(job))
    }

    /** Records a success within the job function's own transaction, which may yet be rolled back. */
    completeWithin(params: {
        client: SqlClient
        job: ClaimKey
        result: string | null
        keepMs: number | null
    }): Promise<DependentState[]> {
        // Only history says whether it was committed, so a job that is not to be kept goes there for a while.
        const ring = ringOf({ outcome: "succeeded", keepMs: params.keepMs }) ?? SHORTEST_RING
        return completeWithin({ ...params, schema: this.#core.schema, worker: this.#worker, ring })
    }

    /** Records the outcome of a run whose job function has called `complete`, unless that is committed. */
    unlessCompleted(
        job: ClaimKey & { released: readonly DependentState[] },
        write: () => Promise<Settled>,
    ): Promise<Settled> {
        return this.track(this.#unlessCompleted(job, write))
    }

    async #unlessCompleted(
        job: ClaimKey & { released: readonly DependentState[] },
        write: () => Promise<Settled>,
    ): Promise<Settled> {
        let isCompleted = (await this.#completed.add(job)) === "recorded"
        if (!isCompleted) {
            const settled = await write()
            if (settled === "recorded") return settled
            // While the transaction was open its job was locked, and has been written down by its commit since.
            isCompleted = (await this.#completed.add(job)) === "recorded"
            if (!isCompleted) return settled
        }
        announceDependents(this.#core, job.released)
        return "completed"
    }

    /** A look finalizes those that were to be cancelled. */
    #letGo({ ids, isAnyCancelled }: LetGo): number[] {
        if (isAnyCancelled) this.#core.hints.announce("look")
        return ids
    }

    /** Resolves when everything so far is recorded, or given up. */
    drain(): Promise<void> {
        return this.#pending.drain()
    }

    /** Ceases to repeat what fails: the leases will lapse and the jobs run again. */
    giveUp(): void {
        this.#hasGivenUp = true
    }

    /** Counts an outcome that is on its way until it is recorded. */
    track(settled: Promise<Settled>): Promise<Settled> {
        return this.#pending.track(settled)
    }

    #endingAs(ending: Ending): Batcher<Finalization, Settled> {
        const key = `${ending.reason} ${ending.ring}`
        let batcher = this.#ended.get(key)
        if (batcher === undefined) {
            batcher = this.#finalizing(ending)
            this.#ended.set(key, batcher)
        }
        return batcher
    }

    #finalizing(ending: Ending): Batcher<Finalization, Settled> {
        return this.#batcher({
            activity: "finalize jobs",
            linger: LINGER,
            strip: (job) => ({ ...job, result: null, error: job.error === null ? null : REFUSED_ERROR }),
            write: async (jobs) => {
                const { now, before } = await finalize({
                    ...ending,
                    core: this.#core,
                    jobs,
                    worker: this.#worker,
                })
                return [...now, ...before]
            },
        })
    }

    #batcher<Item extends ClaimKey>(writing: Writing<Item>): Batcher<Item, Settled> {
        return new Batcher<Item, Settled>({
            maxItems: MAX_JOBS,
            weigh: (item) => ("result" in item && typeof item.result === "string" ? item.result.length : 0),
            maxWeight: MAX_LENGTH,
            linger: writing.linger,
            flush: (items) => this.#record(items, writing),
        })
    }

    /**
     * Writes until it is recorded. What takes too long, or has a value that the database refuses, or is locked by
     * someone else, is written in halves, so that one job does not hold up the others. What is refused alone is
     * recorded without its values; what is locked is recorded later, and the others do not wait for it.
     */
    async #record<Item extends ClaimKey>(
        items: readonly Item[],
        writing: Writing<Item>,
    ): Promise<Recorded[]> {
        // After a fault, a job that is not ours any more may be one that we recorded without hearing of it.
        let absence: Settled = "lost"
        for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)) {
            try {
                const ids = new Set(await writing.write(items))
                return ownOutcomes(items, ids).map((isRecorded) => (isRecorded ? "recorded" : absence))
            } catch (error) {
                if (items.length > 1 && isDivisible(error)) {
                    const half = Math.ceil(items.length / 2)
                    const first = await this.#record(items.slice(0, half), writing)
                    return [...first, ...(await this.#record(items.slice(half), writing))]
                }
                this.#onError(writing.activity, error)
                if (lockNotAvailable(error)) return items.map((item) => this.#recordLater(item, writing))
                if (refusesValues(error)) items = items.map(writing.strip)
                absence = "unknown"
                if (this.#hasGivenUp) return items.map(() => "unknown")
                await pause(waitMs)
            }
        }
    }

    /** Writes one outcome whose job someone else holds locked, as often as it takes. */
    async #recordLater<Item extends ClaimKey>(item: Item, writing: Writing<Item>): Promise<Settled> {
        for (;;) {
            await pause(LOCKED_RETRY_MS)
            if (this.#hasGivenUp) return "unknown"
            try {
                const ids = new Set(await writing.write([item]))
                return ids.has(item.id) ? "recorded" : "unknown"
            } catch (error) {
                if (!lockNotAvailable(error)) this.#onError(writing.activity, error)
            }
        }
    }
}

/** Whether fewer jobs in a statement may help. */
function isDivisible(error: unknown): boolean {
    return wasTooLong(error) || refusesValues(error) || lockNotAvailable(error)
}

/** Waits about so long: those who met the same fault should not come back together. */
function pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())))
}
