import type { Io } from "./io.ts"

const ENTER = "\u001b[?1049h\u001b[?25l"
const LEAVE = "\u001b[?25h\u001b[?1049l"
const HOME = "\u001b[H"
const CLEAR_LINE = "\u001b[K"
const CLEAR_REST = "\u001b[J"
const CTRL_C = "\u0003"

/** A terminal's screen, which is drawn over and over, and afterwards is as it was before. */
export class Screen {
    readonly #io: Io
    readonly #stopHearing: () => void
    #isQuit = false
    #isInterrupted = false
    #onEnd: () => void = () => undefined

    constructor(io: Io) {
        this.#io = io
        // Keys come one by one and unseen, and so does Ctrl-C: the terminal makes no signal of it.
        this.#stopHearing = io.onKey((key) => {
            if (key === CTRL_C) this.#isInterrupted = true
            if (key === CTRL_C || key === "q") this.#quit()
        })
        io.stdout.write(ENTER)
    }

    /** Whether it is to be left. */
    get isQuit(): boolean {
        return this.#isQuit
    }

    /** Whether that was by Ctrl-C. */
    get isInterrupted(): boolean {
        return this.#isInterrupted
    }

    /** Shows as many lines as there is room for. */
    draw(lines: readonly string[]): void {
        const { stdout } = this.#io
        const shown = lines.slice(0, (stdout.rows ?? 24) - 1)
        stdout.write(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\r\n`).join("")}${CLEAR_REST}`)
    }

    /** Waits, but not for longer than until it is to be left. */
    async wait(ms: number): Promise<void> {
        if (this.#isQuit) return
        const isOver = new Promise<void>((resolve) => {
            this.#onEnd = resolve
        })
        await Promise.race([this.#io.wait(ms), isOver])
    }

    /** Leaves it. */
    close(): void {
        this.#stopHearing()
        this.#io.stdout.write(LEAVE)
    }

    #quit(): void {
        this.#isQuit = true
        this.#onEnd()
    }
}
