import { type Message, textAt } from "./framing.ts"

/** What is remembered of a statement: enough to know it by. The 256 KiB of its parameters are not in it. */
const MAX_TEXT_CHARS = 4_000

/** What a client sends up to a Sync, or a simple query: the server answers it with one ReadyForQuery. */
export interface Cycle {
    readonly texts: string[]
    /** Whether the session was outside of a transaction before it. */
    beganIdle: boolean
}

/** What an answered cycle turned out to be. */
export interface Outcome {
    readonly cycle: Cycle
    readonly hasFailed: boolean
    /** Its changes are committed: a COMMIT that was one, or a statement by itself. */
    readonly hasCommitted: boolean
}

/** Follows one session: which statements are under way, and which of them the server has answered. */
export class Exchange {
    readonly #prepared = new Map<string, string>()
    readonly #portals = new Map<string, string>()
    readonly #cycles: Cycle[] = []
    #open: string[] = []
    #status = "I"
    #hasStarted = false
    #isFailed = false
    #tag = ""
    /** Whether the session hears notifications. */
    isListening = false

    /** Takes a message of the client's. */
    sent({ type, body }: Message): void {
        if (type === "P") {
            const name = textAt(body, 0)
            this.#prepared.set(name.text, textAt(body, name.next).text.slice(0, MAX_TEXT_CHARS))
        } else if (type === "B") {
            const portal = textAt(body, 0)
            this.#portals.set(portal.text, this.#prepared.get(textAt(body, portal.next).text) ?? "")
        } else if (type === "E") this.#execute(this.#portals.get(textAt(body, 0).text) ?? "")
        else if (type === "Q") {
            this.#execute(textAt(body, 0).text.slice(0, MAX_TEXT_CHARS))
            this.#close()
        } else if (type === "S") this.#close()
    }

    /** The cycle that the server is answering. */
    get current(): Cycle | undefined {
        return this.#cycles[0]
    }

    /** Takes a message of the server's; returns what became of a cycle when it was the last of its answer. */
    received({ type, body }: Message): Outcome | undefined {
        if (type === "E") this.#isFailed = true
        else if (type === "C") this.#tag = textAt(body, 0).text
        if (type !== "Z") return undefined
        // The first ends the start of the session, which no statement asked for.
        const cycle = this.#hasStarted ? this.#cycles.shift() : undefined
        this.#hasStarted = true
        const [hasFailed, tag] = [this.#isFailed, this.#tag]
        this.#status = String.fromCharCode(body[0] ?? 73)
        this.#isFailed = false
        this.#tag = ""
        if (cycle === undefined) return undefined
        const next = this.#cycles[0]
        if (next !== undefined) next.beganIdle = this.#status === "I"
        const isCommit = cycle.beganIdle ? changes(cycle.texts) : tag === "COMMIT"
        return { cycle, hasFailed, hasCommitted: !hasFailed && this.#status === "I" && isCommit }
    }

    #execute(text: string): void {
        this.#open.push(text)
        if (/^\s*listen\s/i.test(withoutComments(text))) this.isListening = true
    }

    #close(): void {
        this.#cycles.push({ texts: this.#open, beganIdle: this.#status === "I" })
        this.#open = []
    }
}

export function withoutComments(text: string): string {
    return text.replaceAll(/--[^\n]*\n|\/\*.*?\*\//gs, "")
}

/** Whether a text does more than look. Locking counts: what `for update` held is gone when its answer is lost. */
function changes(texts: readonly string[]): boolean {
    return texts.some((text) => /\b(insert|update|delete|merge)\b|\bselect\b.*\bnotify\b/is.test(text))
}
