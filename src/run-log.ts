import { monotonicMs } from "./clock.ts"
import { logMessage, progressText } from "./log-values.ts"
import type { LogLine, ProgressNote } from "./statements/write-job-logs.ts"

/** How many lines of a run may wait to be written; the line that says how many were left out comes on top. */
const MAX_WAITING_LINES = 999

/** Who writes the logs of runs. */
export interface RunLogOwner {
    isFull(length: number): boolean
    count(numLines: number, length: number): void
    ask(run: RunLog): void
    written(run: RunLog): Promise<void>
}

/** A line that waits to be written. */
interface WaitingLine {
    readonly number: number
    readonly saidAtMs: number
    readonly message: string
    /** How many lines it stands for: of one that says that others were left out, those. */
    readonly numLines: number
}

/** The run that a log is of. */
interface LoggedRun {
    readonly id: number
    readonly token: number
    readonly attempt: number
}

/** What a job function says of its run, until it is written. Made when it first says something. */
export class RunLog {
    readonly about: LoggedRun
    readonly owner: RunLogOwner
    /** How often in a row it could not be written. */
    numTries = 0
    #lines: WaitingLine[] = []
    #numSaid = 0
    /** Lines that were left out since the last writing, and the number of the last of them. */
    #numLeftOut = 0
    #lastLeftOut = 0
    /** JSON text. */
    #progress: string | undefined

    constructor(about: LoggedRun, owner: RunLogOwner) {
        this.about = { id: about.id, token: about.token, attempt: about.attempt }
        this.owner = owner
    }

    /** Says a line. The oldest of those that wait make room for it. */
    add(value: unknown): void {
        const message = logMessage(value)
        this.#numSaid++
        while (
            this.#lines.length > 0 &&
            (this.#lines.length >= MAX_WAITING_LINES || this.owner.isFull(message.length))
        )
            this.#leaveOut(this.#lines.shift())
        const line = { number: this.#numSaid, saidAtMs: monotonicMs(), message, numLines: 1 }
        if (this.owner.isFull(message.length)) this.#leaveOut(line, false)
        else {
            this.#lines.push(line)
            this.owner.count(1, message.length)
        }
        this.owner.ask(this)
    }

    /** Says how far it is, unless its outcome is decided. */
    setProgress(value: unknown, isOver: boolean): void {
        const progress = progressText(value)
        if (isOver) return
        this.#progress = progress
        this.owner.ask(this)
    }

    /** Resolves when what was said so far is written, or could not be. Never rejects. */
    written(): Promise<void> {
        return this.owner.written(this)
    }

    /** Takes what waits, to write it. */
    take(): Said {
        const lines = this.#numLeftOut === 0 ? this.#lines : [this.#lineOfLeftOut(), ...this.#lines]
        const said = new Said({ run: this, lines, progress: this.#progress })
        this.#lines = []
        this.#numLeftOut = 0
        this.#progress = undefined
        return said
    }

    /** Lets what could not be written wait again, before what was said since. */
    putBack({ lines, progress }: Said): void {
        this.#lines = [...lines, ...this.#lines]
        this.#progress ??= progress
        this.numTries++
        while (this.#lines.length > MAX_WAITING_LINES) this.#leaveOut(this.#lines.shift())
    }

    #leaveOut(line: WaitingLine | undefined, isCounted = true): void {
        if (line === undefined) return
        this.#numLeftOut += line.numLines
        this.#lastLeftOut = line.number
        if (isCounted) this.owner.count(-1, -line.message.length)
    }

    #lineOfLeftOut(): WaitingLine {
        const message = `(${this.#numLeftOut} lines were left out here: more were logged than could be written)`
        this.owner.count(1, message.length)
        return {
            number: this.#lastLeftOut,
            saidAtMs: this.#lines[0]?.saidAtMs ?? monotonicMs(),
            message,
            numLines: this.#numLeftOut,
        }
    }
}

/** What was said in a run, while it is written. */
export class Said {
    readonly run: RunLog
    readonly lines: readonly WaitingLine[]
    readonly progress: string | undefined
    /** In characters. */
    readonly length: number

    constructor(params: { run: RunLog; lines: readonly WaitingLine[]; progress: string | undefined }) {
        this.run = params.run
        this.lines = params.lines
        this.progress = params.progress
        this.length = params.lines.reduce((sum, { message }) => sum + message.length, 0)
    }

    /** The lines as they are written now; plain ones have only characters that every encoding has. */
    linesAt(nowMs: number, isPlain: boolean): LogLine[] {
        const { id: jobID, token, attempt } = this.run.about
        return this.lines.map(({ number, saidAtMs, message }) => ({
            jobID,
            token,
            attempt,
            number,
            agoMs: nowMs - saidAtMs,
            message: isPlain ? message.replace(/[\u0080-\uffff]/g, "?") : message,
        }))
    }

    /** The progress, if there is one. */
    progressNotes(isPlain: boolean): ProgressNote[] {
        if (this.progress === undefined) return []
        const { id: jobID, token } = this.run.about
        return [{ jobID, token, progress: isPlain ? escaped(this.progress) : this.progress }]
    }

    /** It is written, or given up. */
    forget(): void {
        this.run.numTries = 0
        this.run.owner.count(-this.lines.length, -this.length)
    }

    /** Lets it wait again. Returns the run. */
    putBack(): RunLog {
        this.run.putBack(this)
        return this.run
    }
}

/** JSON text of the same value, in ASCII. */
function escaped(json: string): string {
    return json.replace(
        /[\u0080-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
}
