import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { inOurWords } from "../db/failure.ts"
import { InvalidOptionError } from "../errors.ts"
import type { Count } from "../inspect/counts.ts"
import { jobID, knownOptions, listOf, trueOrFalse, wholeNumber } from "../options.ts"
import { findFinalizedJobs } from "../statements/cancel-jobs.ts"
import { waitForLocks } from "../statements/lock-patience.ts"
import { lookOn } from "../statements/look-on.ts"
import {
    cancelOperation,
    findOperation,
    listOperations,
    recordOperation,
    submitOperation,
} from "../statements/operations.ts"
import { registerPriorityOf } from "../statements/priorities.ts"
import { type ChangedJobs, changeJobs } from "./change-jobs.ts"
import {
    byIn,
    type CheckedChange,
    checkedBy,
    checkedChange,
    checkedLimit,
    detailsOf,
    type JobFilter,
    storedFilter,
    toChangeQuery,
} from "./change-options.ts"
import { countFitting } from "./count-fitting.ts"
import {
    type By,
    type ChangeAllOptions,
    type ChangeResult,
    type CountOptions,
    type JobChange,
    type ListOperationsOptions,
    type Operation,
    type OperationPage,
    toOperation,
} from "./operation.ts"

/** The most jobs that are changed by one call. */
const MAX_JOBS = 1_000

/** How long to wait for a job that someone else holds locked. */
const LOCK_MS = 5_000

/** For how long jobs are counted, and may be. */
const COUNT_MS = 1_500
const MAX_COUNT_MS = 10_000

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000

/** Changes of jobs, and what was done to the queue. */
export class Operations {
    readonly #core: Core

    constructor(core: Core) {
        this.#core = core
    }

    /** Changes jobs of which the ids are known, in one transaction. */
    async change(
        change: JobChange,
        jobIDs: readonly number[],
        options: By | undefined,
    ): Promise<ChangeResult[]> {
        const checked = checkedChange(change)
        const ids = listOf({ option: "jobIDs", expected: "an array of job ids", value: jobIDs, check: jobID })
        if (ids.length < 1 || ids.length > MAX_JOBS) {
            throw new InvalidOptionError({
                option: "jobIDs",
                message: `expected \`jobIDs\` to be 1 to 1,000 ids of jobs, got: ${ids.length}`,
            })
        }
        const by = checkedBy("change", options)
        // In the order of their ids, in which rows are locked.
        const inOrder = [...new Set(ids)].sort((a, b) => a - b)
        const results = await this.#guard("change", () => this.#change({ change: checked, ids: inOrder, by }))
        return ids.map((id) => ({ jobID: id, result: results.get(id) ?? "not-found" }))
    }

    async #change(params: {
        change: CheckedChange
        ids: readonly number[]
        by: string | null
    }): Promise<Map<number, ChangeResult["result"]>> {
        const { change, ids, by } = params
        const { database, schema } = this.#core
        await registerPriority({ core: this.#core, change, ids })
        const { changed, results } = await database.transaction(async (run) => {
            await waitForLocks({ run, ms: LOCK_MS })
            const done = await this.#changeWithin(run, change, ids)
            const numChanged = [...done.results.values()].filter(isChanged).length
            const operation = {
                ...{ kind: change.action, by },
                ...{ target: { jobIDs: ids }, details: detailsOf(change) },
            }
            const numSkipped = ids.length - numChanged
            await recordOperation({ run, schema, operation, numLookedAt: ids.length, numSkipped })
            return done
        })
        for (const { announce } of changed) await announce(this.#core)
        return results
    }

    /**
     * A job that is not found where it should be may have been replayed since, and is live: then that which is for live
     * jobs is tried once more.
     */
    async #changeWithin(run: Run, change: CheckedChange, ids: readonly number[]) {
        const { schema } = this.#core
        const results = new Map<number, ChangeResult["result"]>()
        const changed: ChangedJobs[] = []
        const isForAllLive = change.action === "cancel" || change.action === "set-priority"
        let left = ids
        for (let tries = 1; left.length > 0; tries++) {
            const done = await changeJobs({ core: this.#core, run, change, ids: left })
            changed.push(done)
            for (const id of done.ids) results.set(id, "done")
            for (const id of done.running) results.set(id, "running")
            const rest = left.filter((id) => !results.has(id))
            if (rest.length === 0) break
            const { finalized, live } = await findFinalizedJobs({ run, schema, ids: rest })
            for (const id of [...finalized, ...live]) results.set(id, "wrong-state")
            if (!isForAllLive || tries > 1) break
            for (const id of live) results.delete(id)
            if (change.action === "set-priority" && live.length > 0)
                await registerPriorityOf({ run, schema, ids: live, priority: change.priority })
            left = live
        }
        return { changed, results }
    }

    /** How many jobs a change would concern. */
    async preview(change: JobChange, filter: JobFilter, options: CountOptions): Promise<Count> {
        const query = toChangeQuery(checkedChange(change).action, filter)
        knownOptions("preview", options, ["countMs"])
        const countMs = countTime(options)
        return this.#guard("preview", () => countFitting({ core: this.#core, query, countMs }))
    }

    /** Has orchestrators change all jobs that fit. */
    async changeAll(change: JobChange, filter: JobFilter, options: ChangeAllOptions): Promise<Operation> {
        const checked = checkedChange(change)
        const query = toChangeQuery(checked.action, filter)
        knownOptions("changeAll", options, ["by", "countMs", "limit"])
        const by = byIn(options)
        const countMs = countTime(options)
        const limit = checkedLimit(options)
        const { run, schema, hints } = this.#core
        const row = await this.#guard("changeAll", async () => {
            const { num, isExact } = await countFitting({ core: this.#core, query, countMs })
            const target = { filter: storedFilter(filter) }
            const details = { ...detailsOf(checked), ...(options.limit === undefined ? {} : { limit }) }
            const operation = { kind: checked.action, by, target, details }
            const numExpected = isExact || num >= limit ? Math.min(num, limit) : null
            return submitOperation({ run, schema, operation, numExpected })
        })
        hints.announceNews("operation")
        return toOperation(row)
    }

    /** The operation of an id. */
    async get(operationID: number): Promise<Operation | null> {
        const id = checkedOperationID(operationID)
        const { run, schema } = this.#core
        const row = await this.#guard("operation", () => findOperation({ run, schema, id }))
        return row === undefined ? null : toOperation(row)
    }

    /** Operations, the newest first. */
    async list(options: ListOperationsOptions): Promise<OperationPage> {
        knownOptions("operations", options, ["limit", "after", "isRunning"])
        const limit = wholeNumber("limit", options.limit ?? DEFAULT_LIMIT, MAX_LIMIT, 1)
        const beforeID = placeOf(options.after)
        const isRunning = options.isRunning === undefined ? null : trueOrFalse("isRunning", options.isRunning)
        const { database, schema } = this.#core
        const rows = await this.#guard("operations", () =>
            lookOn(database, (run) => listOperations({ run, schema, beforeID, isRunning, limit })),
        )
        const last = rows.length === limit ? rows.at(-1) : undefined
        return { operations: rows.map(toOperation), next: last === undefined ? null : String(last.id) }
    }

    /** Ends an operation before it is done. */
    async cancel(operationID: number, options: By | undefined): Promise<boolean> {
        const id = checkedOperationID(operationID)
        const by = checkedBy("cancelOperation", options)
        const { database, schema } = this.#core
        return this.#guard("cancelOperation", () =>
            database.transaction(async (run) => {
                const isCancelled = await cancelOperation({ run, schema, id, by })
                const operation = { kind: "cancel-operation", by, target: { operationID: id }, details: {} }
                if (isCancelled) await recordOperation({ run, schema, operation })
                return isCancelled
            }),
        )
    }

    #guard<T>(action: string, work: () => Promise<T>): Promise<T> {
        return inOurWords({ action, schema: this.#core.schema }, work)
    }
}

function isChanged(result: ChangeResult["result"]): boolean {
    return result === "done" || result === "running"
}

/** Writes the lanes down that jobs are to come to: by itself, while none is locked. */
export async function registerPriority(params: {
    core: Core
    change: CheckedChange
    ids: readonly number[]
}): Promise<void> {
    const { core, change, ids } = params
    if (change.action !== "set-priority" || ids.length === 0) return
    await registerPriorityOf({ run: core.run, schema: core.schema, ids, priority: change.priority })
}

function countTime({ countMs = COUNT_MS }: CountOptions): number {
    return wholeNumber("countMs", countMs, MAX_COUNT_MS, 1)
}

function checkedOperationID(value: unknown): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value
    throw new InvalidOptionError({
        option: "operationID",
        message: "expected `operationID` to be the id of an operation",
    })
}

/** Where a list goes on, or begins. */
function placeOf(after: unknown): number {
    if (after === undefined) return Number.MAX_SAFE_INTEGER
    if (typeof after === "string" && /^[1-9]\d{0,14}$/.test(after)) return Number(after)
    throw new InvalidOptionError({
        option: "after",
        message: "expected `after` to be `next` of a page of operations",
    })
}
