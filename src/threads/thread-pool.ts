import { JobThread, type ThreadCall } from "./job-thread.ts"

/** A thread that has run nothing for so long is ended. */
const IDLE_MS = 30_000

/** A thread, and what ends it while nobody needs it. */
interface Idle {
    readonly thread: JobThread
    readonly timer: NodeJS.Timeout
}

/**
 * The threads of a worker, which run job functions, one each at a time. They start when they are needed, stay for the
 * next job, and end when none came for a while, or with the worker.
 */
export class ThreadPool {
    /** The most threads that there are at the same time. */
    readonly size: number
    readonly #onFree: () => void
    readonly #onError: (activity: string, error: unknown) => void
    readonly #threads = new Set<JobThread>()
    /** The one that ran something last is the next one, so that the others may grow old. */
    readonly #idle: Idle[] = []

    constructor(params: {
        size: number
        /** There is room for another job. */
        onFree: () => void
        onError: (activity: string, error: unknown) => void
    }) {
        this.size = params.size
        this.#onFree = params.onFree
        this.#onError = params.onError
    }

    /** How many jobs could run now. A thread whose job was given up is not free before that has ended. */
    get numFree(): number {
        return this.size - this.#threads.size + this.#idle.length
    }

    /** Runs a job function in a thread. Rejects when it throws, and when its thread ends before it. */
    async run(call: ThreadCall): Promise<unknown> {
        const idle = this.#idle.pop()
        clearTimeout(idle?.timer)
        return (idle?.thread ?? this.#start()).run(call)
    }

    /** Ends all threads, whatever they do. */
    async end(): Promise<void> {
        for (const { timer } of this.#idle) clearTimeout(timer)
        await Promise.all([...this.#threads].map((thread) => thread.end()))
    }

    #start(): JobThread {
        const thread = new JobThread({
            onFree: () => this.#rest(thread),
            onEnd: (error) => this.#forget(thread, error),
        })
        this.#threads.add(thread)
        return thread
    }

    #rest(thread: JobThread): void {
        const timer = setTimeout(() => {
            this.#take(thread)
            void thread.end()
        }, IDLE_MS)
        timer.unref()
        this.#idle.push({ thread, timer })
        this.#onFree()
    }

    #take(thread: JobThread): void {
        const at = this.#idle.findIndex((idle) => idle.thread === thread)
        if (at >= 0) clearTimeout(this.#idle.splice(at, 1)[0]?.timer)
    }

    #forget(thread: JobThread, error: unknown): void {
        this.#threads.delete(thread)
        this.#take(thread)
        if (error !== undefined) this.#onError("keep a thread for jobs", error)
        this.#onFree()
    }
}
