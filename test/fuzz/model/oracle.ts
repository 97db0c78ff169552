/** Where a job is, as an outsider would say it: the states of the table `job`, and the two ends. */
export type State =
    | "ready"
    | "delayed"
    | "blocked"
    | "running"
    | "unmet"
    | "exhausted"
    | "succeeded"
    | "failed"

/** What one attempt left behind. */
export interface ModelError {
    attempt: number
    name: string
    /** Null where none ran the job. */
    worker: string | null
}

/** A job as it should be. */
export interface ModelJob {
    readonly id: number
    readonly definition: string
    numAttempts: number
    priority: number
    state: State
    attempt: number
    token: number
    numBlockers: number
    /** Its due time lies in the future. */
    isFar: boolean
    /** Its timeout has passed. */
    isExpired: boolean
    /** It was cancelled, and has yet to end. */
    isCancelled: boolean
    /** The worker under whose lease it runs. */
    heldBy: string | null
    /** The place in its lane, as the database numbered it. */
    position: number
    errors: ModelError[]
    reason: string | null
    endedBy: string | null
    result: string | null
}

export interface ModelDefinition {
    numAttempts: number
    priority: number
    /** No daemon has vouched for it for long. */
    isStale: boolean
    isRetired: boolean
}

/** A claim: the writes that end it count only while no later claim was made. */
export interface ModelClaim {
    readonly id: number
    readonly token: number
    readonly worker: string
}

/** The whole queue in memory: what docs/design.md says about the life of a job, without a word of SQL. */
export class Oracle {
    readonly jobs = new Map<number, ModelJob>()
    readonly definitions = new Map<string, ModelDefinition>()
    /** The dependents of each live job that has some. */
    readonly dependents = new Map<number, Set<number>>()
    /** The jobs that got a new place in their lanes since the database was last compared. */
    readonly moved = new Set<number>()
    /** The definitions that are paused. */
    readonly paused = new Set<string>()
    readonly #lapsed = new Set<string>()

    get live(): ModelJob[] {
        return [...this.jobs.values()].filter(isLive)
    }

    get ended(): ModelJob[] {
        return [...this.jobs.values()].filter((job) => !isLive(job))
    }

    /** A job that was deferred, with the id that `defer` returned. */
    add(job: {
        id: number
        definition: string
        dependencies: readonly number[]
        isFar: boolean
        priority: number | null
    }): void {
        const required = [...new Set(job.dependencies)].map((id) => this.job(id))
        const blockers = required.filter(isLive)
        const isUnmet = required.some(({ state }) => state === "failed")
        const definition = this.definition(job.definition)
        // Who defers a job of a retired definition writes it down again.
        if (definition.isRetired) Object.assign(definition, { isStale: false, isRetired: false })
        this.jobs.set(job.id, {
            id: job.id,
            definition: job.definition,
            numAttempts: definition.numAttempts,
            priority: job.priority ?? definition.priority,
            state: isUnmet ? "unmet" : blockers.length > 0 ? "blocked" : stateWhenFree(job),
            attempt: 0,
            token: 0,
            numBlockers: blockers.length,
            isFar: job.isFar,
            isExpired: false,
            isCancelled: false,
            heldBy: null,
            position: job.id,
            errors: [],
            reason: null,
            endedBy: null,
            result: null,
        })
        this.moved.add(job.id)
        if (isUnmet) return
        for (const { id } of blockers)
            this.dependents.set(id, (this.dependents.get(id) ?? new Set()).add(job.id))
    }

    /** A worker took a ready job. One that has timed out does not start. */
    claim({ id, worker }: { id: number; worker: string }): void {
        const job = this.job(id)
        job.state = "running"
        job.attempt++
        job.token++
        job.heldBy = worker
        if (!job.isExpired) return
        job.errors.push({ attempt: job.attempt, name: "JobTimeoutError", worker })
        this.#end([job], { state: "failed", reason: "timeout", worker })
    }

    /** A handler returned. That counts even when the lease lapsed, as long as nobody claimed the job since. */
    succeed(claim: ModelClaim, result: string): void {
        const job = this.jobs.get(claim.id)
        if (job === undefined || !isLive(job) || job.token !== claim.token) return
        job.result = result
        this.#end([job], { state: "succeeded", reason: null, worker: claim.worker })
    }

    /** A handler threw: the job gets another attempt, or that was the last one. */
    fail(claim: ModelClaim & { attempt: number }, retry: { isFar: boolean }): void {
        const job = this.jobs.get(claim.id)
        if (job === undefined) return
        const isLast = claim.attempt > job.numAttempts
        const isOurs = job.token === claim.token && (isLast ? isLive(job) : job.state === "running")
        if (!isOurs) return
        job.errors.push({ attempt: claim.attempt, name: "Error", worker: claim.worker })
        if (isLast) return this.#end([job], { state: "failed", reason: "error", worker: claim.worker })
        job.isFar = retry.isFar
        if (job.isCancelled) job.state = "exhausted"
        this.#free(job)
    }

    /** Somebody cancels a job: one that runs is only marked, any other never runs again, whoever finalizes it. */
    cancel(id: number): "cancelled" | "cancelling" | "finalized" {
        const job = this.job(id)
        if (!isLive(job)) return "finalized"
        job.isCancelled = true
        if (job.state === "running") return "cancelling"
        job.state = "exhausted"
        job.token++
        return "cancelled"
    }

    /** A worker has seen that a job which it runs is to be cancelled. */
    heed(claim: ModelClaim & { attempt: number }): void {
        const job = this.jobs.get(claim.id)
        const isTold = job?.isCancelled && job.state === "running" && job.heldBy === claim.worker
        if (!isTold || job.token !== claim.token) return
        job.errors.push({ attempt: claim.attempt, name: "JobCancelledError", worker: claim.worker })
        this.#end([job], { state: "failed", reason: "cancelled", worker: claim.worker })
    }

    /** A worker handed a job back: not charged, and to its old place. */
    giveBack(claim: ModelClaim): void {
        const job = this.jobs.get(claim.id)
        if (job?.state !== "running" || job.token !== claim.token) return
        job.state = job.isCancelled ? "exhausted" : "ready"
        job.attempt--
        job.heldBy = null
    }

    /** Another priority, and with it another place. */
    changePriority(id: number, priority: number): boolean {
        const job = this.jobs.get(id)
        if (job === undefined || !isLive(job)) return false
        if (job.priority !== priority) this.moved.add(id)
        job.priority = priority
        return true
    }

    /** A job that waits for its time is due now. One that no worker had has its whole time from now on. */
    runNow(id: number): boolean {
        const job = this.job(id)
        if (job.state !== "delayed") return false
        job.isFar = false
        if (job.token === 0) job.isExpired = false
        this.#free(job)
        return true
    }

    /** A job that is queued is due at another time, and has its whole time from then on. One that stays ready stays in its place. */
    setDueTime(id: number, { isFar }: { isFar: boolean }): boolean {
        const job = this.job(id)
        if (job.state !== "ready" && job.state !== "delayed") return false
        if (job.state === "delayed") this.moved.add(id)
        Object.assign(job, { isFar, isExpired: false, state: stateWhenFree({ isFar }) })
        return true
    }

    /** A job that failed begins again, whatever it depended on. No claim of before counts any more. */
    replay(id: number): boolean {
        const job = this.job(id)
        if (job.state !== "failed") return false
        const definition = this.definition(job.definition)
        definition.isRetired = false
        Object.assign(job, {
            state: "ready",
            numAttempts: definition.numAttempts,
            attempt: 0,
            numBlockers: 0,
        })
        Object.assign(job, {
            isFar: false,
            isExpired: false,
            isCancelled: false,
            reason: null,
            endedBy: null,
        })
        job.token++
        this.moved.add(id)
        return true
    }

    /** A job that is over is forgotten. */
    delete(id: number): boolean {
        if (isLive(this.job(id))) return false
        this.jobs.delete(id)
        return true
    }

    /** A worker went silent for longer than its lease. */
    lapse(worker: string): void {
        this.#lapsed.add(worker)
    }

    /** Jobs of silent workers go back to the queue, charged; or are exhausted. */
    reclaim(): void {
        for (const job of this.live) {
            if (job.state !== "running" || job.heldBy === null || !this.#lapsed.has(job.heldBy)) continue
            job.errors.push({ attempt: job.attempt, name: "LeaseLostError", worker: job.heldBy })
            if (job.attempt > job.numAttempts || job.isCancelled) job.state = "exhausted"
            this.#free(job)
        }
    }

    /** What cannot run any more ends; so does what depends on it, and so on. */
    endDoomed(): void {
        const byState = (state: State) => this.live.filter((job) => job.state === state)
        const cancelled = byState("exhausted").filter(({ isCancelled }) => isCancelled)
        this.endCancelled(cancelled)
        this.#end(byState("exhausted"), { state: "failed", reason: "no-attempts-remaining", worker: null })
        for (let unmet = byState("unmet"); unmet.length > 0; unmet = byState("unmet"))
            this.#end(unmet, { state: "failed", reason: "unmet-dependencies", worker: null })
    }

    /** Jobs that were cancelled and do not run end. */
    endCancelled(jobs: readonly ModelJob[]): void {
        for (const { attempt, errors } of jobs)
            errors.push({ attempt, name: "JobCancelledError", worker: null })
        this.#end(jobs, { state: "failed", reason: "cancelled", worker: null })
    }

    /** What has existed for too long ends, whatever its state. */
    endExpired(): void {
        const expired = this.live.filter((job) => job.isExpired)
        this.#end(expired, { state: "failed", reason: "timeout", worker: null })
    }

    /** Delayed jobs that are due become ready. */
    promote(): void {
        for (const job of this.live) if (job.state === "delayed" && !job.isFar) this.#free(job)
    }

    /** Definitions that nobody vouches for and that have no live jobs are retired. */
    sweepDefinitions(): void {
        for (const [name, definition] of this.definitions)
            definition.isRetired ||= definition.isStale && !this.live.some((job) => job.definition === name)
    }

    /** Every definition is vouched for. */
    vouch(): void {
        for (const definition of this.definitions.values())
            Object.assign(definition, { isStale: false, isRetired: false })
    }

    /** A worker without limits runs all that can run, until nothing can. Every handler succeeds. */
    drain(params: { worker: string; result: string }): void {
        for (;;) {
            this.reclaim()
            this.endDoomed()
            this.promote()
            const ready = this.live.filter(({ state }) => state === "ready")
            if (ready.length === 0) return
            for (const { id } of ready) {
                this.claim({ id, worker: params.worker })
                this.succeed({ ...params, id, token: this.job(id).token }, params.result)
            }
        }
    }

    job(id: number): ModelJob {
        const job = this.jobs.get(id)
        if (job === undefined) throw new Error(`the oracle knows no job ${id}`)
        return job
    }

    definition(name: string): ModelDefinition {
        const definition = this.definitions.get(name)
        if (definition === undefined) throw new Error(`the oracle knows no definition ${name}`)
        return definition
    }

    /** Ends jobs together, and only then settles what depends on them. */
    #end(
        jobs: readonly ModelJob[],
        end: { state: "succeeded" | "failed"; reason: string | null; worker: string | null },
    ): void {
        for (const job of jobs) {
            Object.assign(job, { state: end.state, reason: end.reason, endedBy: end.worker, heldBy: null })
        }
        for (const { id } of jobs) {
            for (const dependentID of this.dependents.get(id) ?? []) {
                const dependent = this.jobs.get(dependentID)
                if (dependent?.state !== "blocked") continue
                if (end.state === "failed") dependent.state = "unmet"
                else this.#release(dependent)
            }
            this.dependents.delete(id)
        }
    }

    #release(dependent: ModelJob): void {
        dependent.numBlockers--
        if (dependent.numBlockers === 0) this.#free(dependent)
        else this.moved.add(dependent.id)
    }

    /** To the end of the lane. */
    #free(job: ModelJob): void {
        if (job.state !== "exhausted") job.state = stateWhenFree(job)
        job.heldBy = null
        this.moved.add(job.id)
    }
}

export function isLive({ state }: ModelJob): boolean {
    return state !== "succeeded" && state !== "failed"
}

function stateWhenFree({ isFar }: { isFar: boolean }): "delayed" | "ready" {
    return isFar ? "delayed" : "ready"
}
