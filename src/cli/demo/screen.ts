import type { Context } from "../command.ts"
import { Frame } from "../frame.ts"
import type { Look } from "../look.ts"

/** What is shown of the demo: a frame on a terminal, lines elsewhere, and only what is asked for as JSON. */
export class Screen {
    /** Whether it is a terminal that a frame can be drawn on. */
    readonly isLive: boolean
    readonly #context: Context
    readonly #frame: Frame

    constructor(context: Context) {
        const { out, io } = context
        this.#context = context
        this.#frame = new Frame(io.stdout)
        this.isLive = out.isTerminal && !out.isJson && io.env.TERM !== "dumb"
    }

    /** Prints lines that stay, for people. */
    print(toLines: (look: Look) => readonly string[]): void {
        const { out } = this.#context
        if (out.isJson) return
        if (this.isLive) this.#frame.print(toLines(out.look))
        else out.lines(toLines(out.look))
    }

    /** Prints lines that stay, with room around them. */
    printApart(toLines: (look: Look) => readonly string[]): void {
        // A frame begins with an empty line itself.
        this.print((look) => ["", ...toLines(look), ...(this.isLive ? [] : [""])])
    }

    /** Prints what programs want to know, too. */
    tell(value: unknown, toLines: (look: Look) => readonly string[]): void {
        const { out } = this.#context
        if (out.isJson) out.showNext(value, toLines)
        else this.print(toLines)
    }

    /** Shows how it goes, again and again, until the function that it returns is called. */
    show(params: {
        everyMs: number
        toFrame: (look: Look) => readonly string[]
        toLine: () => string
    }): () => void {
        const { out } = this.#context
        const showNow = () => {
            if (this.isLive) this.#frame.draw(params.toFrame(out.look))
            else this.print((look) => [look.line(params.toLine())])
        }
        const timer = setInterval(showNow, params.everyMs)
        showNow()
        return () => {
            clearInterval(timer)
            showNow()
            this.#frame.leave()
        }
    }

    /** Waits until somebody interrupts. */
    async untilInterrupted(): Promise<void> {
        const { signal } = this.#context.io
        await new Promise<void>((resolve) => {
            if (signal.aborted) resolve()
            else signal.addEventListener("abort", () => resolve(), { once: true })
        })
    }
}
