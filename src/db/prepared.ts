import { monotonicMs } from "../clock.ts"
import type { PgPool } from "./client.ts"
import type { Preparation } from "./driver.ts"
import { identifierOf } from "./identifier.ts"

type Keep = Preparation["keep"] | undefined

/** Longer than this is long, and so much longer for each row that came. */
const QUICK_MS = 50
const QUICK_ROW_MS = 0.2

/** How long a statement that took long is planned anew each time. */
const SLOW_FOR_MS = 60_000

const names = new Map<string, string>()

/** A name that no other text has, lest a pooler's connection runs what someone else prepared on it. */
function nameOf(text: string): string {
    const known = names.get(text)
    if (known !== undefined) return known
    const name = identifierOf(text)
    names.set(text, name)
    return name
}

/** What a pool's connections keep prepared. */
export class PreparedStatements {
    readonly #slowUntilMs = new Map<string, number>()
    #isPossible: boolean | undefined

    /** Whether it is known if anything may be prepared. */
    get isLearned(): boolean {
        return this.#isPossible !== undefined
    }

    /**
     * Finds out, once, whether connections are the server's own. A pooler tells its clients process ids of its own making,
     * and what is prepared on the server's connection would be left to whoever is given it next.
     */
    async learn(processID: number | undefined, askPID: () => Promise<unknown>): Promise<void> {
        if (this.isLearned) return
        const isOwn = processID !== undefined && Number(await askPID()) === processID
        // Meanwhile another statement may have found that it is not.
        this.#isPossible ??= isOwn
    }

    /** The name under which a statement is prepared; none when it is not to be. */
    nameOf(text: string, keep: Keep): string | undefined {
        if (keep === undefined || this.#isPossible !== true) return undefined
        if ((this.#slowUntilMs.get(text) ?? 0) > monotonicMs()) return undefined
        return nameOf(text)
    }

    /** Learns how long a prepared statement took. */
    took(text: string, keep: Keep, durationMs: number, numRows: number): void {
        if (keep !== "while-quick" || durationMs <= QUICK_MS + numRows * QUICK_ROW_MS) return
        this.#slowUntilMs.set(text, monotonicMs() + SLOW_FOR_MS)
    }

    /** Prepares nothing from now on: a connection did not know what was prepared on it. */
    giveUp(): void {
        this.#isPossible = false
    }
}

const known = new WeakMap<PgPool, PreparedStatements>()

/** Several Configs may share a pool. */
export function preparedOn(pool: PgPool): PreparedStatements {
    const statements = known.get(pool) ?? new PreparedStatements()
    known.set(pool, statements)
    return statements
}
