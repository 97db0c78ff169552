import { type AttemptError, type StoredErrors, toAttemptErrors } from "./attempt-errors.ts"
import type { Core } from "./core.ts"
import { inOurWords } from "./db/failure.ts"
import { shrinking } from "./db/shrinking.ts"
import {
    type DeadLettersOptions,
    FILTERS,
    type ReplayManyOptions,
    replayRate,
    toFilter,
} from "./dead-letter-options.ts"
import { InvalidOptionError } from "./errors.ts"
import { FAILURE_REASONS, type FailureReason } from "./events.ts"
import { jobID, knownOptions, wholeNumber } from "./options.ts"
import {
    findDeadLetters,
    type LetterFilter,
    type LetterPlace,
    type LetterRow,
    type Letters,
    type Look,
    letterClockMs,
    readDeadLetters,
} from "./statements/dead-letters.ts"
import { replayJobs } from "./statements/replay-jobs.ts"

/** A job that failed for good, with all that was tried. */
export interface DeadLetter {
    /** The id that `defer` returned. */
    jobID: number
    /** The name of its definition. */
    name: string
    /** Why it failed. */
    reason: FailureReason
    /** What the job function is called with. */
    payload: unknown
    /** How many attempts were charged since it was deferred, or replayed last. */
    numAttempts: number
    /** What each attempt threw, the last 100 of them; also of those before a replay. */
    errors: AttemptError[]
    /** When it was deferred. */
    createdAt: Date
    /** When it was due first: what `context.dueAt` says, also after a replay. */
    dueAt: Date
    /** When it was finalized as failed. */
    failedAt: Date
    /** The worker that ran the last attempt; null when no worker ended the job. */
    worker: string | null
}

/** Dead letters, the newest first. */
export interface DeadLetterPage {
    deadLetters: DeadLetter[]
    /** What to give as `after` for those before; null when there are none. */
    next: string | null
}

/** What is replayed when no reason is given: neither what depends on a job that failed, nor what nobody wants to run. */
const REPLAYED_REASONS = FAILURE_REASONS.filter(
    (reason) => reason !== "unmet-dependencies" && reason !== "cancelled",
)

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** How many jobs are replayed by one statement, and how many are looked through for them. */
const CHUNK = 500
const MAX_LOOKS = 2_000

/** The jobs of one queue that failed for good. */
export class DeadLetters {
    readonly #core: Core

    constructor(core: Core) {
        this.#core = core
    }

    /** Replays one. Returns whether it was there. */
    async replay(id: number): Promise<boolean> {
        const ids = [jobID("jobID", id)]
        return this.#guard("replay", async () => (await this.#replay(ids, null)) > 0)
    }

    /** Replays those that fit. Returns how many. */
    async replayMany(options: ReplayManyOptions): Promise<number> {
        knownOptions("replayMany", options, [...FILTERS, "ratePerSecond", "limit"])
        const { ratePerSecond, limit = Number.MAX_SAFE_INTEGER } = options
        const { reasons, ...filter } = toFilter(options)
        const intervalMs = ratePerSecond === undefined ? null : 1_000 / replayRate(ratePerSecond)
        return this.#guard("replayMany", () =>
            this.#replayFound({
                filter: { ...filter, reasons: reasons ?? REPLAYED_REASONS },
                limit: wholeNumber("limit", limit, Number.MAX_SAFE_INTEGER),
                intervalMs,
            }),
        )
    }

    /**
     * Each chunk is committed by itself, and what is replayed is no dead letter any more. What has failed again since it
     * was replayed is left, lest this never end.
     */
    async #replayFound(params: {
        filter: LetterFilter
        limit: number
        intervalMs: number | null
    }): Promise<number> {
        const { limit, intervalMs } = params
        const { run, schema } = this.#core
        const beganMs = await letterClockMs({ run, schema })
        const { failedBeforeMs } = params.filter
        const filter = { ...params.filter, failedBeforeMs: Math.min(failedBeforeMs ?? beganMs, beganMs) }
        const inTime = shrinking(MAX_LOOKS)
        let numReplayed = 0
        let after: LetterPlace | null = null
        while (numReplayed < limit) {
            const look: Omit<Look, "numLooks"> = {
                run,
                schema,
                filter,
                after,
                limit: Math.min(CHUNK, limit - numReplayed),
            }
            const found: Letters<LetterPlace> = await inTime((numLooks) =>
                findDeadLetters({ ...look, numLooks }),
            )
            const ids = found.letters.map((letter) => letter.id)
            if (ids.length > 0) numReplayed += await this.#replay(ids, intervalMs)
            if (found.next === null) break
            after = found.next
        }
        return numReplayed
    }

    async #replay(ids: readonly number[], intervalMs: number | null): Promise<number> {
        const { run, schema } = this.#core
        const jobs = await replayJobs({ run, schema, ids, intervalMs })
        this.#core.hints.announceJobs(jobs)
        return jobs.length
    }

    /** Reads a page. */
    async read(options: DeadLettersOptions): Promise<DeadLetterPage> {
        knownOptions("deadLetters", options, [...FILTERS, "limit", "after"])
        const filter = toFilter(options)
        const limit = wholeNumber("limit", options.limit ?? DEFAULT_LIMIT, MAX_LIMIT, 1)
        const after = options.after === undefined ? null : toPlace(options.after)
        return this.#guard("deadLetters", async () => {
            const { letters, next } = await this.#read({ filter, limit, after })
            return { deadLetters: letters.map(toDeadLetter), next: next === null ? null : toText(next) }
        })
    }

    async #read(params: { filter: LetterFilter; limit: number; after: LetterPlace | null }) {
        const { filter, limit } = params
        const { run, schema } = this.#core
        const isLookedThrough = filter.reasons !== null || filter.errorText !== null
        const inTime = shrinking(isLookedThrough ? Math.max(MAX_LOOKS, limit) : limit)
        const letters: LetterRow[] = []
        let next = params.after
        do {
            const look = { run, schema, filter, after: next, limit: limit - letters.length }
            const part = await inTime((numLooks) => readDeadLetters({ ...look, numLooks }))
            letters.push(...part.letters)
            next = part.next
        } while (letters.length < limit && next !== null)
        return { letters, next }
    }

    #guard<T>(action: string, work: () => Promise<T>): Promise<T> {
        return inOurWords({ action, schema: this.#core.schema }, work)
    }
}

function toDeadLetter(row: LetterRow): DeadLetter {
    return {
        jobID: row.id,
        name: row.name,
        reason: row.reason,
        payload: JSON.parse(row.payload) as unknown,
        numAttempts: row.attempt,
        errors: toAttemptErrors(row.errors === null ? null : (JSON.parse(row.errors) as StoredErrors)),
        createdAt: new Date(row.createdAtMs),
        dueAt: new Date(row.dueAtMs),
        failedAt: new Date(row.failedAtUs / 1_000),
        worker: row.worker,
    }
}

function toText({ failedAtUs, id }: LetterPlace): string {
    return `${failedAtUs}-${id}`
}

function toPlace(text: unknown): LetterPlace {
    const [, at, id] = (typeof text === "string" && /^(\d{1,16})-(\d{1,16})$/.exec(text)) || []
    if (at === undefined || id === undefined) {
        throw new InvalidOptionError({
            option: "after",
            message: "expected `after` to be `next` of a page of dead letters",
        })
    }
    return { failedAtUs: Number(at), id: Number(id) }
}
