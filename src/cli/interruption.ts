/** One Ctrl-C can arrive twice: from the terminal, and from npm or npx, which pass it on. */
const SAME_KEYSTROKE_MS = 500

/** What a shell expects of a program that ended on a signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** The process's signals as a request to end. The second one ends it at once, as it would without us. */
export class Interruption {
    readonly #controller = new AbortController()
    #requestedAtMs = 0

    constructor() {
        this.#hear("SIGINT")
        this.#hear("SIGTERM")
    }

    /** Aborted when the process is asked to end. */
    get signal(): AbortSignal {
        return this.#controller.signal
    }

    /**
     * Hears the end of the terminal as well, which otherwise ends the process at once. Only for what leaves something behind
     * then: whoever uses `nohup` wants the others to go on.
     */
    hearHangup(): void {
        this.#hear("SIGHUP")
    }

    /** Asks the process to end, without a signal. */
    request(): void {
        if (!this.signal.aborted) this.#requestedAtMs = performance.now()
        this.#controller.abort()
    }

    #hear(name: keyof typeof EXIT_CODES): void {
        process.on(name, () => {
            const isAgain = this.signal.aborted && performance.now() - this.#requestedAtMs > SAME_KEYSTROKE_MS
            if (isAgain) process.exit(EXIT_CODES[name])
            this.request()
        })
    }
}
