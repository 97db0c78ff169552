import { Alarm, monotonicMs, Soon } from "../clock.ts"
import type { Session } from "../daemon.ts"
import type { Event } from "../events.ts"
import type { HintKind, HintSubscriber } from "../hints.ts"
import type { JobLogs } from "../job-logs.ts"
import { ThreadPool } from "../threads/thread-pool.ts"
import { type Claim, Claimer } from "./claimer.ts"
import { ForcedEnd } from "./forced-end.ts"
import { handBackPaused } from "./hand-back-paused.ts"
import { LeaseKeeper } from "./lease-keeper.ts"
import { Lookout } from "./lookout.ts"
import { LoopWatch } from "./loop-watch.ts"
import { OtherClaims } from "./other-claims.ts"
import type { RunHost } from "./run-host.ts"
import { JobRun } from "./run-job.ts"
import { MAX_WAIT_MS, RunPool } from "./run-pool.ts"
import { RunReport } from "./run-report.ts"
import { RunWatch } from "./run-watch.ts"
import type { WorkerSettings } from "./settings.ts"
import { Settler } from "./settler.ts"

/** No more is claimed while so many outcomes wait to be recorded. */
const MAX_UNSETTLED = 10_000

/** After a fault of the database, the wait before the next claim. */
const RETRY_MS = 200

/** One life of a worker, from start to stop: takes jobs while it has slots for them, and runs them. */
export class WorkerSession implements Session, HintSubscriber, RunHost<JobRun> {
    readonly ended: Promise<void>
    readonly channel: string
    readonly worker: string
    readonly maxResultBytes: number
    readonly settler: Settler
    readonly report: RunReport
    readonly logs: JobLogs
    readonly threads: ThreadPool
    readonly #settings: WorkerSettings
    readonly #leases: LeaseKeeper
    readonly #claimer: Claimer
    readonly #pool: RunPool
    readonly #lookout: Lookout
    /** The claims of definitions that are not plain. */
    readonly #others: OtherClaims
    readonly #runWatch: RunWatch
    readonly #loopWatch: LoopWatch
    /** Whom it tells, and who tells it, until it ends. */
    readonly #detach: readonly (() => Promise<void>)[]
    /** Runs that end in the same tick are replaced together. */
    readonly #pumpSoon = new Soon(() => this.#pump())
    readonly #retryAlarm = new Alarm(() => this.#claimMore())
    readonly #forcedEnd: ForcedEnd
    #mayHaveJobs = false
    #isClaiming = false
    #isHeldUp = false
    #isStopping = false
    #isEnding = false
    #resolveEnded: () => void = () => undefined

    constructor(settings: WorkerSettings) {
        this.#settings = settings
        const { core, name, concurrency } = settings
        this.channel = settings.channel
        this.worker = name
        this.maxResultBytes = core.maxPayloadBytes
        this.logs = core.logs
        this.report = new RunReport({ emit: settings.emit, counter: core.counter })
        this.settler = new Settler({ core, worker: name, onError: this.#report })
        this.#leases = new LeaseKeeper({ core, worker: name, onError: this.#report })
        this.#claimer = new Claimer({ core, leases: this.#leases })
        const onFree = () => this.#onThreadFree()
        this.threads = new ThreadPool({ size: settings.numThreads, onFree, onError: this.#report })
        this.#pool = new RunPool({ concurrency, threads: this.threads })
        this.ended = new Promise((resolve) => {
            this.#resolveEnded = resolve
        })
        const onOverdue = () => this.#conclude()
        this.#forcedEnd = new ForcedEnd({ pool: this.#pool, settler: this.settler, onOverdue })
        this.#lookout = new Lookout({
            settings,
            lanes: this.#claimer.lanes,
            onError: this.#report,
            onReady: () => this.#claimReady(),
            onRelease: (inMs) => this.#others.releaseWithin(inMs),
            onLook: () => this.#refresh(),
            onPaused: (outlook) => handBackPaused({ core, pool: this.#pool, outlook }),
        })
        this.#runWatch = new RunWatch({
            core,
            leases: this.#leases,
            pool: this.#pool,
            intervalMs: settings.processIntervalMs,
            onError: this.#report,
        })
        this.#others = new OtherClaims({
            settings,
            claimer: this.#claimer,
            lookout: this.#lookout,
            pool: this.#pool,
            host: {
                mayClaim: () => this.#mayClaim(),
                onClaimed: (claim) => this.#take(claim),
                onFault: (activity, error) => this.#afterFault(activity, error),
            },
            onError: this.#report,
        })
        const isWanted = () => !this.#pool.isEmpty
        const isLeaseRenewed = () => this.#leases.hasStandby
        this.#loopWatch = new LoopWatch({ isWanted, isLeaseRenewed, emit: settings.emit })
        const told = [core.counter, core.logs].map((one) => one.attach(this.#report))
        this.#detach = [...told, core.hints.subscribe(this)]
        this.#lookout.look()
    }

    get numRunning(): number {
        return this.#pool.numRunning
    }

    onHint(kind: HintKind): void {
        if (kind === "look") return this.#lookout.look()
        if (kind === "cancel") return this.#runWatch.check()
        // Jobs that were handed back stand in their old places, which claims are past.
        if (kind === "resume") this.#claimer.lanes.rewind(monotonicMs())
        this.#claimAll()
    }

    stop(): void {
        this.#isStopping = true
        this.#lookout.stop()
        this.#retryAlarm.clear()
        this.#others.stop()
        for (const run of this.#pool.takeAhead()) run.giveBack()
        this.#endIfDone()
    }

    force(): void {
        this.#forcedEnd.begin()
    }

    emit(event: Event): void {
        this.#settings.emit(event)
    }

    onSlotFree(run: JobRun): void {
        this.#pool.free(run)
        this.#pumpSoon.ask()
    }

    onSettled(run: JobRun): void {
        this.#leases.drop(run.job.leaseID, run)
        if (run.isGated) this.#onPlaceFree()
        if (this.#isStopping) this.#endIfDone()
        else if (this.#isHeldUp) this.#claimMore()
    }

    isHeld(run: JobRun): boolean {
        return this.#leases.isHeld(run.job.leaseID, run)
    }

    onRetry(delayMs: number): void {
        if (delayMs > 0) this.#lookout.lookWithin(delayMs)
        else this.#settings.core.hints.announce("ready", this.channel)
    }

    #onThreadFree(): void {
        if (this.#pool.takeHasLeftOut()) this.#claimAll()
        this.#pumpSoon.ask()
    }

    #pump(): void {
        this.#pool.startAll()
        this.#lookForStale()
        this.#claimMore()
        if (this.#isStopping) this.#endIfDone()
    }

    readonly #report = (activity: string, error: unknown): void => {
        this.emit({ eventType: "daemon-error", activity, error })
    }

    #claimAll(): void {
        this.#mayHaveJobs = true
        this.#others.wake()
        this.#claimMore()
    }

    /** A look tells about limited definitions apart, by `onRelease`: to ask for them too would ask for another look. */
    #claimReady(): void {
        this.#mayHaveJobs = true
        this.#others.wakeGated()
        this.#claimMore()
    }

    /** Claims what there is room for, unless a claim is under way already. */
    #claimMore(): void {
        if (!this.#mayClaim()) return
        this.#others.claimMore()
        if (this.#mayHaveJobs && !this.#isClaiming) void this.#claim()
    }

    /** Not while it stops, nor while outcomes pile up. */
    #mayClaim(): boolean {
        this.#isHeldUp = this.settler.numPending >= MAX_UNSETTLED
        return !this.#isStopping && !this.#isHeldUp
    }

    async #claim(): Promise<void> {
        const { definitions, limit } = this.#pool.wanted(this.#lookout.unlimited)
        if (limit === 0) return
        this.#isClaiming = true
        this.#mayHaveJobs = false
        try {
            const claim = await this.#claimer.claim(definitions, limit)
            // A hint that came meanwhile may be about a job that this claim was too early for.
            this.#mayHaveJobs ||= !claim.isDrained
            this.#isClaiming = false
            this.#take(claim)
        } catch (error) {
            this.#isClaiming = false
            this.#afterFault("claim jobs", error)
        }
    }

    #take({ jobs, answeredAtMs }: Claim): void {
        const runs: JobRun[] = []
        for (const job of jobs) {
            const definition = this.#lookout.definitionOf(job.definitionID)
            if (definition === undefined) {
                void this.settler.giveBack(job)
                continue
            }
            const run = new JobRun({ job, definition, host: this, answeredAtMs })
            // A lease that was lost while the claim was under way takes its jobs with it.
            if (this.#leases.hold(job.leaseID, run)) runs.push(run)
            else run.giveBack()
        }
        if (this.#isStopping) {
            for (const run of runs) run.giveBack()
            return this.#endIfDone()
        }
        this.#pool.add(runs)
        if (runs.length > 0) {
            this.#loopWatch.begin()
            this.#runWatch.begin()
        }
        this.#pump()
    }

    #refresh(): void {
        const stale = this.#pool.takeStale()
        for (const run of stale) run.giveBack()
        if (stale.length > 0) this.#mayHaveJobs = true
        // What is there still has not waited long enough.
        this.#lookForStale()
        this.#others.look()
    }

    /** What is in the way of others goes back when it has waited, and not at the next interval. */
    #lookForStale(): void {
        if (this.#pool.isInTheWay) this.#lookout.lookWithin(MAX_WAIT_MS)
    }

    /** A job that may have held back others has ended: we can have one of them, or another worker that has a slot. */
    #onPlaceFree(): void {
        const hasRoom = !this.#isStopping && this.#pool.numGatedWanted() > 0
        if (hasRoom) this.#others.wakeGated()
        else this.#settings.core.hints.announce("ready", this.channel)
    }

    #afterFault(activity: string, error: unknown): void {
        this.#report(activity, error)
        this.#mayHaveJobs = true
        if (this.#isStopping) this.#endIfDone()
        else this.#retryAlarm.set(RETRY_MS)
    }

    #endIfDone(): void {
        const isClaiming = this.#isClaiming || this.#others.isClaiming
        const isBusy = isClaiming || !this.#pool.isEmpty
        if (isBusy || this.#isEnding) return
        this.#isEnding = true
        void this.#finish()
    }

    async #finish(): Promise<void> {
        const threadsEnded = this.threads.end()
        await this.settler.drain()
        await this.#lookout.idle()
        await this.#leases.close().catch((error: unknown) => this.#report("end leases", error))
        await Promise.all([threadsEnded, ...this.#detach.map((detach) => detach())])
        this.#forcedEnd.clear()
        this.#conclude()
    }

    #conclude(): void {
        this.#runWatch.end()
        this.#resolveEnded()
    }
}
