/** What a job function is told about the run, as its second argument. */
export class JobContext {
    /** The id that `defer` returned. */
    readonly jobID: number
    /** The name of the job's definition. */
    readonly name: string
    /** 1 on the first run, 2 on the first retry. */
    readonly attempt: number
    #controller: AbortController | undefined
    #reason: Error | undefined

    constructor(params: { jobID: number; name: string; attempt: number }) {
        this.jobID = params.jobID
        this.name = params.name
        this.attempt = params.attempt
    }

    /**
     * Aborted when the outcome of this run no longer counts: its lease was lost, the job timed out, or the worker
     * stops and its grace is over. `signal.reason` is a `LeaseLostError`, `JobTimeoutError` or `ShutdownError`.
     */
    get signal(): AbortSignal {
        // Made at first use: most handlers never ask, and a controller costs more than the rest of a run.
        this.#controller ??= new AbortController()
        if (this.#reason !== undefined) this.#controller.abort(this.#reason)
        return this.#controller.signal
    }

    /** Aborts the signal of a run. */
    static abort(context: JobContext, reason: Error): void {
        context.#reason ??= reason
        context.#controller?.abort(context.#reason)
    }
}
