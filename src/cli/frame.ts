import type { Stream } from "./io.ts"

const ESCAPE = "\u001b["
const CLEAR_LINE = `${ESCAPE}K`
const CLEAR_BELOW = `${ESCAPE}J`

/** Lines that stay and, below them on a terminal, a frame that is drawn over. */
export class Frame {
    readonly #stream: Stream
    #height = 0

    constructor(stream: Stream) {
        this.#stream = stream
    }

    /** Prints lines that stay, above the frame. */
    print(lines: readonly string[]): void {
        this.#stream.write(`${this.#toTop()}${CLEAR_BELOW}${lines.join("\n")}\n`)
        this.#height = 0
    }

    /** Draws the frame over the one before. */
    draw(lines: readonly string[]): void {
        const shown = lines.slice(0, Math.max(1, (this.#stream.rows ?? 24) - 1))
        // Cleared before it is written: behind a line as wide as the terminal, its last letter would go.
        const text = shown.map((line) => `${CLEAR_LINE}${line}\n`).join("")
        this.#stream.write(`${this.#toTop()}${text}${CLEAR_BELOW}`)
        this.#height = shown.length
    }

    /** Leaves the frame as it is, above what is printed next. */
    leave(): void {
        this.#height = 0
    }

    #toTop(): string {
        return this.#height > 0 ? `\r${ESCAPE}${this.#height}A` : ""
    }
}
