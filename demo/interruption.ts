/** One Ctrl-C can arrive twice, from the terminal and from npm, which passes it on. */
const SAME_KEYSTROKE_MS = 500

/** How often to look whether npm is still there. */
const PARENT_CHECK_MS = 250

/** What a shell expects of a program that ended on a signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Turns SIGINT and SIGTERM into a request to stop. A second Ctrl-C ends the process at once. */
export class Interruption {
    /** Resolves when someone asks the demo to stop. */
    readonly requested: Promise<void>
    /** 0 when nobody asked. */
    exitCode = 0
    #resolve: () => void = () => undefined
    #requestedAtMs = 0

    constructor() {
        this.requested = new Promise((resolve) => {
            this.#resolve = resolve
        })
        process.on("SIGINT", () => this.#interrupt())
        process.on("SIGTERM", () => this.#request("SIGTERM"))
        this.#watchParent()
    }

    get isRequested(): boolean {
        return this.exitCode !== 0
    }

    #interrupt(): void {
        const isSecond = this.isRequested && performance.now() - this.#requestedAtMs > SAME_KEYSTROKE_MS
        if (isSecond) process.exit(EXIT_CODES.SIGINT)
        this.#request("SIGINT")
    }

    #request(signal: keyof typeof EXIT_CODES): void {
        if (this.isRequested) return
        this.exitCode = EXIT_CODES[signal]
        this.#requestedAtMs = performance.now()
        this.#resolve()
    }

    /** The shell between npm and us takes a SIGTERM for itself: that it is gone is then all we learn. */
    #watchParent(): void {
        const parent = process.ppid
        const timer = setInterval(() => {
            if (process.ppid !== parent) this.#request("SIGTERM")
        }, PARENT_CHECK_MS)
        timer.unref()
    }
}
