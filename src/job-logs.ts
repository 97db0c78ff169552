import { monotonicMs } from "./clock.ts"
import type { Database } from "./db/database.ts"
import { refusesValues, toCuckmqError } from "./db/failure.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import { RunLog, type RunLogOwner, type Said } from "./run-log.ts"
import { type ProgressNote, writeJobLogs } from "./statements/write-job-logs.ts"

/** What was said is written down within this time. */
const EVERY_MS = 500

/** What was not written is tried again after this time, and so often. */
const RETRY_MS = 2_000
const MAX_TRIES = 5

/** So many lines are written at once, and they, or so many characters, travel in one statement. */
const MAX_LINES = 1_000
const MAX_LENGTH = 4 * 1024 * 1024

/** How many characters may wait to be written, of all runs of the process. */
const MAX_WAITING_LENGTH = 16 * 1024 * 1024

/** Whoever waits for a statement, as the end of a job does, does not wait for longer. */
const DEADLINE_MS = 5_000

/** Who wants to know that something could not be written. */
type OnError = (activity: string, error: unknown) => void

/**
 * Writes down what job functions say of their runs, of all workers of a Config, many lines in a statement. Who says something
 * never waits; what cannot be written is tried again a few times and then left out, and fails no job.
 */
export class JobLogs implements RunLogOwner {
    readonly #database: Database
    readonly #schema: QuotedSchema
    readonly #listeners = new Set<OnError>()
    /** Runs of which something waits. */
    #waiting = new Set<RunLog>()
    #numLines = 0
    #length = 0
    #timer: NodeJS.Timeout | undefined
    #writing: Promise<void> = Promise.resolve()
    #next: Promise<void> | undefined
    #isFailing = false

    constructor(params: { database: Database; schema: QuotedSchema }) {
        this.#database = params.database
        this.#schema = params.schema
    }

    /** The log of a run. */
    open(run: { id: number; token: number; attempt: number }): RunLog {
        return new RunLog(run, this)
    }

    /** Whether so many characters more would be too many. */
    isFull(length: number): boolean {
        return this.#length + length > MAX_WAITING_LENGTH
    }

    /** Tells that a run has so many lines and characters more, or fewer, that wait. */
    count(numLines: number, length: number): void {
        this.#numLines += numLines
        this.#length += length
    }

    /** A run has something to be written. */
    ask(run: RunLog): void {
        this.#waiting.add(run)
        if (this.#numLines >= MAX_LINES) void this.write()
        else this.#writeWithin(EVERY_MS)
    }

    /** Resolves when what a run has said is written, or could not be. Never rejects. */
    written(run: RunLog): Promise<void> {
        return this.#waiting.has(run) ? this.write() : this.#writing
    }

    /** Writes down what was said so far, at the end of what is being written. Never rejects. */
    write(): Promise<void> {
        if (this.#next === undefined) {
            clearTimeout(this.#timer)
            this.#timer = undefined
            this.#next = this.#writing.then(() => {
                this.#next = undefined
                this.#writing = this.#writeAll()
                return this.#writing
            })
        }
        return this.#next
    }

    /** Tells of faults from now on. Returns what ends that, once what was said so far is written. */
    attach(onError: OnError): () => Promise<void> {
        // A function of its own, since two may come with the same one.
        const listener: OnError = (activity, error) => onError(activity, error)
        this.#listeners.add(listener)
        return async () => {
            if (this.#waiting.size > 0) await this.write()
            this.#listeners.delete(listener)
        }
    }

    #writeWithin(ms: number): void {
        this.#timer ??= setTimeout(() => void this.write(), ms).unref()
    }

    async #writeAll(): Promise<void> {
        const runs = this.#waiting
        this.#waiting = new Set()
        let parts: Said[] = []
        let [numLines, length, isWritten] = [0, 0, true]
        for (const run of runs) {
            // After a fault the rest waits too: whoever waits for its own part has waited long enough.
            if (!isWritten) {
                this.#waiting.add(run)
                continue
            }
            const part = run.take()
            parts.push(part)
            numLines += part.lines.length
            length += part.length
            if (numLines < MAX_LINES && length < MAX_LENGTH) continue
            isWritten = await this.#write(parts)
            parts = []
            numLines = 0
            length = 0
        }
        if (parts.length > 0) isWritten = await this.#write(parts)
        if (this.#waiting.size > 0) this.#writeWithin(isWritten ? EVERY_MS : RETRY_MS)
    }

    /** Writes parts of several runs, or lets those wait again. Returns whether others may be tried now. */
    async #write(parts: readonly Said[], isPlain = false): Promise<boolean> {
        const run = this.#database.runWithin(DEADLINE_MS)
        try {
            const lines = parts.flatMap((part) => part.linesAt(monotonicMs(), isPlain))
            const progresses = lastOfEach(parts.flatMap((part) => part.progressNotes(isPlain)))
            await writeJobLogs({ run, schema: this.#schema, lines, progresses })
            for (const part of parts) part.forget()
            this.#isFailing = false
            return true
        } catch (error) {
            // What the encoding of the database has no character for.
            if (!isPlain && refusesValues(error)) return this.#write(parts, true)
            this.#tell(error)
            const schema = this.#schema
            const isInVain = !toCuckmqError({ error, schema, action: "write job logs" }).retryable
            for (const part of parts)
                if (isInVain || part.run.numTries >= MAX_TRIES) part.forget()
                else this.#waiting.add(part.putBack())
            return isInVain
        }
    }

    /** Tells of the first fault in a row, and tells one of those who listen: they are of one process. */
    #tell(error: unknown): void {
        if (this.#isFailing) return
        this.#isFailing = true
        const [listener] = this.#listeners
        listener?.("write job logs", error)
    }
}

/** Two claims of a job may have been this process's: the later one counts. */
function lastOfEach(notes: readonly ProgressNote[]): ProgressNote[] {
    const last = new Map<number, ProgressNote>()
    for (const note of notes) {
        const other = last.get(note.jobID)
        if (other === undefined || other.token <= note.token) last.set(note.jobID, note)
    }
    return [...last.values()]
}
