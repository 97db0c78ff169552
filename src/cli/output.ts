import type { Stream } from "./io.ts"
import { Look } from "./look.ts"
import { toJson } from "./text.ts"

/** What a command prints, either as text or as JSON. */
export class Output {
    readonly isJson: boolean
    /** Whether somebody looks at it. */
    readonly isTerminal: boolean
    readonly #isColoured: boolean
    readonly #stdout: Stream
    readonly #stderr: Stream

    constructor(params: { stdout: Stream; stderr: Stream; isJson: boolean; isColoured: boolean }) {
        const { stdout, stderr } = params
        this.isJson = params.isJson
        this.isTerminal = stdout.isTTY === true
        this.#stdout = stdout
        this.#stderr = stderr
        this.#isColoured = params.isColoured && this.isTerminal
    }

    /** How text is laid out now: a window may change its size. */
    get look(): Look {
        const width = this.isTerminal ? (this.#stdout.columns ?? 80) : Number.POSITIVE_INFINITY
        return new Look({ width, isColoured: this.#isColoured })
    }

    /** Prints what a command has found: a JSON document, or lines. */
    show(value: unknown, toLines: (look: Look) => readonly string[]): void {
        if (this.isJson) this.raw(`${toJson(value, 2)}\n`)
        else this.lines(toLines(this.look))
    }

    /** The same for one of many, as they come: a JSON document a line, or lines. */
    showNext(value: unknown, toLines: (look: Look) => readonly string[]): void {
        if (this.isJson) this.raw(`${toJson(value)}\n`)
        else this.lines(toLines(this.look))
    }

    /** Prints lines that a `Look` has made. */
    lines(lines: readonly string[]): void {
        if (lines.length > 0) this.raw(`${lines.join("\n")}\n`)
    }

    /** Says something beside what was asked for. */
    note(text: string): void {
        this.#stderr.write(`${this.look.line(text)}\n`)
    }

    /** Prints text as it is: what is ours, or has been made harmless. */
    raw(text: string): void {
        this.#stdout.write(text)
    }
}
