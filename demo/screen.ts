import { clip } from "./paint.ts"

const HIDE_CURSOR = "\x1b[?25l"
const SHOW_CURSOR = "\x1b[?25h"
const CLEAR_REST_OF_LINE = "\x1b[K"
const CLEAR_BELOW = "\x1b[J"

/** Standard output: lines that stay and, on a terminal, a frame below them that is drawn over. */
export class Screen {
    /** Whether it is a terminal that a frame can be drawn on. */
    readonly isLive = process.stdout.isTTY === true && process.env.TERM !== "dumb"
    #frameHeight = 0

    constructor() {
        // The reader is gone, as in `npm run demo | head`.
        process.stdout.on("error", () => process.exit(0))
        if (this.isLive) process.once("exit", () => process.stdout.write(SHOW_CURSOR))
    }

    get columns(): number {
        return process.stdout.columns ?? 80
    }

    /** Prints lines that stay, above the frame. */
    print(lines: readonly string[]): void {
        this.erase()
        process.stdout.write(`${lines.join("\n")}\n`)
    }

    /** Prints lines that stay, with room around them. */
    printApart(lines: readonly string[]): void {
        // A frame begins with an empty line itself.
        this.print(this.isLive ? ["", ...lines] : ["", ...lines, ""])
    }

    /** Draws the frame over the one before. */
    draw(lines: readonly string[]): void {
        const { rows = 24 } = process.stdout
        const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => clip(line, this.columns - 1))
        const text = shown.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join("")
        process.stdout.write(`${HIDE_CURSOR}${this.#toTop()}${text}${CLEAR_BELOW}`)
        this.#frameHeight = shown.length
    }

    /** Takes the frame away. */
    erase(): void {
        if (this.#frameHeight > 0) process.stdout.write(`${this.#toTop()}${CLEAR_BELOW}${SHOW_CURSOR}`)
        this.#frameHeight = 0
    }

    /** Leaves the frame as it is, above what is printed next. */
    leave(): void {
        process.stdout.write(SHOW_CURSOR)
        this.#frameHeight = 0
    }

    #toTop(): string {
        return this.#frameHeight > 0 ? `\r\x1b[${this.#frameHeight}A` : "\r"
    }
}
