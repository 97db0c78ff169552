import type { RunLog } from "../run-log.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import type { RunHost } from "./run-host.ts"
import type { Settled } from "./settler.ts"

/** The part of a run by which its job function says things. */
export abstract class LoggedRun<Run> {
    readonly job: ClaimedJob
    protected readonly host: RunHost<Run>
    /** The outcome is decided; whatever the handler still does changes nothing. */
    protected isOver = false
    /** Made when the job function first says something: most say nothing. */
    #log: RunLog | undefined

    constructor({ job, host }: { job: ClaimedJob; host: RunHost<Run> }) {
        this.job = job
        this.host = host
    }

    log(message: string): void {
        this.#open().add(message)
    }

    setProgress(value: number | object): void {
        this.#open().setProgress(value, this.isOver)
    }

    /** Begins to write what was said, and waits for nothing. */
    protected writeLog(): void {
        void this.#log?.written()
    }

    protected get hasLog(): boolean {
        return this.#log !== undefined
    }

    /** Writes an outcome down after what was said, so that whoever sees the one finds the other. */
    protected afterLog(write: () => Promise<Settled>): Promise<Settled> {
        return this.#log === undefined ? write() : this.host.settler.track(this.#log.written().then(write))
    }

    #open(): RunLog {
        this.#log ??= this.host.logs.open(this.job)
        return this.#log
    }
}
