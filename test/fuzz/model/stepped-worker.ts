import { monotonicMs } from "../../../src/clock.ts"
import type { Core } from "../../../src/config.ts"
import type { Event } from "../../../src/index.ts"
import type { JobLogs } from "../../../src/job-logs.ts"
import { selectCancelRequests } from "../../../src/statements/cancel-jobs.ts"
import type { ClaimedJob } from "../../../src/statements/claim-jobs.ts"
import { ThreadPool } from "../../../src/threads/thread-pool.ts"
import { Claimer, type KnownDefinition } from "../../../src/work/claimer.ts"
import { LeaseKeeper } from "../../../src/work/lease-keeper.ts"
import type { RunHost } from "../../../src/work/run-host.ts"
import { JobRun } from "../../../src/work/run-job.ts"
import { RunReport } from "../../../src/work/run-report.ts"
import { Settler } from "../../../src/work/settler.ts"

/** A run whose handler ends when the model says so. */
export interface SteppedRun {
    readonly run: JobRun
    readonly job: ClaimedJob
    readonly worker: SteppedWorker
    /** Lets the handler return or throw, and waits until that is recorded, or refused. */
    end(how: { returns: unknown } | { throws: unknown }): Promise<void>
}

/**
 * The library's own worker, but for the part that decides when: claims, leases, runs and settling are the real ones,
 * and each step waits for the database. A `Worker` does the same whenever it sees fit, which no model could follow.
 */
export class SteppedWorker implements RunHost<JobRun> {
    readonly worker: string
    readonly maxResultBytes: number
    readonly settler: Settler
    readonly report: RunReport
    readonly logs: JobLogs
    /** The model has no job that needs one. */
    readonly threads = new ThreadPool({ size: 1, onFree: () => undefined, onError: () => undefined })
    readonly events: Event[] = []
    readonly runs = new Set<SteppedRun>()
    /** Its leases were let lapse: it claims nothing more, but what it runs may still end. */
    isSilent = false
    readonly #core: Core
    readonly #leases: LeaseKeeper
    readonly #claimer: Claimer

    constructor(params: { core: Core; worker: string }) {
        const { core, worker } = params
        this.#core = core
        this.worker = worker
        this.maxResultBytes = core.maxPayloadBytes
        this.logs = core.logs
        this.report = new RunReport({ emit: (event) => this.emit(event), counter: core.counter })
        const onError = (activity: string, error: unknown) =>
            this.emit({ eventType: "daemon-error", activity, error })
        this.settler = new Settler({ core, worker, onError })
        this.#leases = new LeaseKeeper({ core, worker, onError })
        this.#claimer = new Claimer({ core, leases: this.#leases })
    }

    /** Claims up to `limit` jobs and starts them. */
    async claim(definitions: readonly KnownDefinition[], limit: number): Promise<ClaimedJob[]> {
        this.#claimer.lanes.rewind(monotonicMs())
        const { jobs, answeredAtMs } = await this.#claimer.claim(definitions, limit)
        for (const job of jobs) {
            const known = definitions.find(({ id }) => id === job.definitionID)
            if (known === undefined)
                throw new Error(`claimed a job of ${job.definitionID}, which was not asked for`)
            this.#start({ job, answeredAtMs, known })
        }
        await this.settler.drain()
        return jobs
    }

    /** Hands one run back. */
    async giveBack({ run }: SteppedRun): Promise<void> {
        run.giveBack()
        await this.settler.drain()
    }

    /** Ends the runs that are to be cancelled. */
    async heed(): Promise<void> {
        const { leaseIDs } = this.#leases
        const { run, schema } = this.#core
        for (const { id, token, reason } of await selectCancelRequests({ run, schema, leaseIDs }))
            for (const { run } of this.runs) if (run.id === id && run.token === token) run.cancel(reason)
        await this.settler.drain()
    }

    /** Hands back what runs, and ends. */
    async stop(): Promise<void> {
        for (const { run } of this.runs) run.giveBack()
        await this.settler.drain()
        await this.#leases.close()
    }

    emit(event: Event): void {
        this.events.push(event)
    }

    onSlotFree(): void {}

    onSettled(run: JobRun): void {
        this.#leases.drop(run.job.leaseID, run)
        for (const stepped of this.runs) if (stepped.run === run) this.runs.delete(stepped)
    }

    isHeld(run: JobRun): boolean {
        return this.#leases.isHeld(run.job.leaseID, run)
    }

    onRetry(): void {}

    #start(params: { job: ClaimedJob; answeredAtMs: number; known: KnownDefinition }): void {
        const { job, answeredAtMs, known } = params
        let settle: (how: { returns: unknown } | { throws: unknown }) => void = () => undefined
        const ended = new Promise<unknown>((resolve, reject) => {
            settle = (how) => ("returns" in how ? resolve(how.returns) : reject(how.throws))
        })
        const definition = { ...known.definition, run: () => ended }
        const run = new JobRun({ job, definition, host: this, answeredAtMs })
        if (!this.#leases.hold(job.leaseID, run)) throw new Error(`a new claim of job ${job.id} is not held`)
        const started = { promise: Promise.resolve() }
        this.runs.add({
            run,
            job,
            worker: this,
            end: async (how) => {
                settle(how)
                await started.promise
                await this.settler.drain()
            },
        })
        started.promise = run.start()
    }
}
