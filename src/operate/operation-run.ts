import { monotonicMs } from "../clock.ts"
import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { lockNotAvailable, toCuckmqError, wasTooLong } from "../db/failure.ts"
import { type Shrinking, shrinking } from "../db/shrinking.ts"
import { isBeyond } from "../inspect/job-list.ts"
import { type ListedJobs, type ListedRow, listJobs } from "../statements/list-jobs.ts"
import { lockFittingJobs } from "../statements/lock-fitting-jobs.ts"
import { waitForLocks } from "../statements/lock-patience.ts"
import { lookOn } from "../statements/look-on.ts"
import {
    advanceOperation,
    failOperation,
    holdOperation,
    leaveOperation,
    lockOperation,
    type OperationRow,
} from "../statements/operations.ts"
import { type ChangedJobs, changeJobs } from "./change-jobs.ts"
import {
    type ChangeQuery,
    type CheckedChange,
    changeOf,
    checkedLimit,
    filterOf,
    toChangeQuery,
} from "./change-options.ts"
import { firstIDOf } from "./count-fitting.ts"
import { registerPriority } from "./operations.ts"

/** Jobs changed in one transaction. */
const CHUNK = 500

/** How many jobs are looked through for them, and how many where payloads have to be read for it. */
const MAX_LOOKS = 20_000
const MAX_PAYLOAD_LOOKS = 5_000

/** How long a chunk waits for a job that someone else holds locked, and how long one job does that is alone. */
const LOCK_MS_OF_MANY = 250
const LOCK_MS = 5_000

const MAX_ERROR_LENGTH = 1_000

const NOTHING: ChangedJobs = { ids: [], running: [], announce: () => undefined }

/** How many jobs a chunk may have: fewer while somebody has one of them locked. */
export interface Pace {
    numJobs: number
}

/** The pace of an orchestrator that has met with nothing yet. */
export function newPace(): Pace {
    return { numJobs: CHUNK }
}

/** An operation that has come to its end, or cannot go on. */
export interface EndedOperation {
    id: number
    kind: string
    by: string | null
    numDone: number
    numSkipped: number
    /** Why it failed; null when it did not. */
    error: string | null
}

/** An operation under way, as one orchestrator goes on with it. */
export class OperationRun {
    readonly #core: Core
    readonly #holder: string
    readonly #row: OperationRow
    readonly #change: CheckedChange
    readonly #query: ChangeQuery
    #afterID: number
    readonly #pace: Pace
    /** How many jobs the chunk under way is about. */
    #numFound = CHUNK
    readonly #inTime: Shrinking
    /** How many jobs it is to change at the most. */
    readonly #limit: number
    #ended: EndedOperation | null = null
    #numDone: number
    #numSkipped: number

    /**
     * `row` is an operation that the holder has taken.
     *
     * @throws InvalidOptionError for one that another release has submitted, and this one does not understand.
     */
    constructor(params: { core: Core; holder: string; row: OperationRow; pace?: Pace }) {
        const { row, pace = newPace() } = params
        this.#pace = pace
        this.#core = params.core
        this.#holder = params.holder
        this.#row = row
        this.#change = changeOf(row.kind, row.details)
        this.#query = withEnd(toChangeQuery(this.#change.action, filterOf(row.target)), row.askedAtMs)
        this.#afterID = row.afterID
        this.#numDone = row.numDone
        this.#numSkipped = row.numSkipped
        this.#limit = checkedLimit(row.details)
        this.#inTime = shrinking(this.#query.filter.payload === null ? MAX_LOOKS : MAX_PAYLOAD_LOOKS)
    }

    /** The id of the job that it has come to. */
    get afterID(): number {
        return this.#afterID
    }

    /** What became of it, once this has ended it. */
    get ended(): EndedOperation | null {
        return this.#ended
    }

    /**
     * Does the next chunk. Returns whether there is more to do: not when the operation has come to its end, was
     * cancelled, or is somebody else's by now.
     */
    async goOn(): Promise<boolean> {
        try {
            const isMore = await this.#doChunk(LOCK_MS_OF_MANY)
            this.#pace.numJobs = Math.min(this.#pace.numJobs * 2, CHUNK)
            return isMore
        } catch (error) {
            const isLocked = lockNotAvailable(error)
            if (!isLocked && !wasTooLong(error)) throw error
            const num = Math.min(this.#pace.numJobs, this.#numFound)
            if (num > 1) this.#pace.numJobs = Math.ceil(num / 2)
            else if (isLocked) return this.#waitForOne()
            else throw error
            return true
        }
    }

    /** One job that someone has locked is waited for, and left if that takes too long: it does not hold up all others. */
    async #waitForOne(): Promise<boolean> {
        try {
            return await this.#doChunk(LOCK_MS)
        } catch (error) {
            if (lockNotAvailable(error)) return this.#doChunk(null)
            throw error
        }
    }

    /**
     * The jobs are found first, while nothing is locked. Then one transaction changes those that still fit, and says that
     * it did: a crash anywhere neither loses a chunk nor has it done twice. `lockMs` is how long a locked job is waited
     * for; null to leave those found as they are.
     */
    async #doChunk(lockMs: number | null): Promise<boolean> {
        const { rows, next } = await this.#find()
        const found = rows.filter((row) => this.#isInTime(row))
        const ids = found.map(({ id }) => id)
        this.#numFound = ids.length
        const isLast = next === null || isBeyond(this.#query.filter, "asc", next.createdAtMs)
        await registerPriority({ core: this.#core, change: this.#change, ids })
        const { database, schema } = this.#core
        const operation = { schema, id: this.#row.id, holder: this.#holder }
        const afterID = next?.id ?? this.#afterID
        const changed = await database.transaction(async (run) => {
            if (!(await lockOperation({ run, ...operation, afterID: this.#afterID }))) return undefined
            const done = lockMs === null ? NOTHING : await this.#changeWithin(run, found, lockMs)
            const numDone = done.ids.length
            const numSkipped = ids.length - numDone
            const isEnd = isLast || this.#numDone + numDone >= this.#limit
            await advanceOperation({ run, ...operation, afterID, numDone, numSkipped, isEnd })
            return { ...done, isEnd }
        })
        if (changed === undefined) return false
        this.#cameTo({ afterID, numDone: changed.ids.length, numFound: ids.length, isEnd: changed.isEnd })
        await changed.announce(this.#core)
        return !changed.isEnd
    }

    #cameTo(of: { afterID: number; numDone: number; numFound: number; isEnd: boolean }): void {
        this.#afterID = of.afterID
        this.#numDone += of.numDone
        this.#numSkipped += of.numFound - of.numDone
        const row = { ...this.#row, numDone: this.#numDone, numSkipped: this.#numSkipped }
        if (of.isEnd) this.#ended = toEnded(row, null)
    }

    async #find(): Promise<ListedJobs> {
        const { schema, database } = this.#core
        const { source, filter, startMs } = this.#query
        const afterID = this.#afterID === 0 ? await firstIDOf(this.#core, startMs) : this.#afterID
        const look = { schema, sources: [source], order: "asc", afterID, filter } as const
        const limit = Math.min(this.#pace.numJobs, this.#limit - this.#numDone)
        return this.#inTime((numLooks) =>
            lookOn(database, (run) => listJobs({ run, ...look, limit, numLooks })),
        )
    }

    /** What failed, or succeeded, since the operation was submitted is none of its business: else it might never end. */
    #isInTime({ finalizedAtMs }: ListedRow): boolean {
        return finalizedAtMs === null || finalizedAtMs < this.#row.askedAtMs
    }

    /** Finalized jobs stay as they are, so of those there is nothing to look at again. */
    async #changeWithin(run: Run, rows: readonly ListedRow[], lockMs: number): Promise<ChangedJobs> {
        const { schema } = this.#core
        const { filter, isPast } = this.#query
        if (rows.length === 0) return NOTHING
        const found = rows.map(({ id }) => id)
        await waitForLocks({ run, ms: lockMs })
        const ids = isPast ? found : await lockFittingJobs({ run, schema, ids: found, filter })
        const slots = isPast ? rows.map(({ slot }) => slot ?? 0) : undefined
        return changeJobs({ core: this.#core, run, change: this.#change, ids, slots })
    }
}

function toEnded(row: OperationRow, error: string | null): EndedOperation {
    const { id, kind, askedBy: by, numDone, numSkipped } = row
    return { id, kind, by, numDone, numSkipped, error }
}

/** Leaves out what was deferred after the operation was submitted. */
function withEnd(query: ChangeQuery, askedAtMs: number): ChangeQuery {
    const { createdBeforeMs } = query.filter
    const filter = { ...query.filter, createdBeforeMs: Math.min(createdBeforeMs ?? askedAtMs, askedAtMs) }
    return { ...query, filter }
}

/** For how long an orchestrator goes on with an operation before it looks at its other chores. */
const SLICE_MS = 500

/**
 * Goes on with the operation whose turn it is, for a while and until something is done. Returns false when there is none.
 * `onEnd` is told of it when it has ended here.
 *
 * @throws what the database throws, where it may be tried again: the operation goes on then, here or elsewhere.
 */
export async function performSlice(params: {
    core: Core
    holder: string
    pace?: Pace
    onEnd?: (ended: EndedOperation) => void
}): Promise<boolean> {
    const { core, holder, onEnd = () => undefined } = params
    const { run, schema } = core
    const row = await holdOperation({ run, schema, holder })
    if (row === undefined) return false
    const { id } = row
    const beganMs = monotonicMs()
    try {
        const operation = new OperationRun({ ...params, row })
        const isOver = () => monotonicMs() - beganMs >= SLICE_MS && operation.afterID > row.afterID
        while ((await operation.goOn()) && !isOver());
        if (operation.ended !== null) onEnd(operation.ended)
    } catch (cause) {
        const error = toCuckmqError({ error: cause, action: row.kind, schema })
        if (!error.retryable && error.code !== "CUCKMQ_SCHEMA_NOT_PREPARED") {
            const failed = await failOperation({ run, schema, id, holder, error: messageOf(error) })
            if (failed !== undefined) onEnd(toEnded(failed, failed.error))
        }
        throw error
    } finally {
        await leaveOperation({ run, schema, id, holder })
    }
    return true
}

function messageOf({ message }: Error): string {
    return message.slice(0, MAX_ERROR_LENGTH)
}
