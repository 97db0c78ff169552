import { createHash } from "node:crypto"
import { monotonicMs } from "../clock.ts"
import type { PgPool } from "./client.ts"

/**
 * When a statement may stay prepared on its connection, which saves the server to parse it, and to plan it once the
 * server trusts its plan. Such a plan does not follow the tables as they grow, until they are analyzed. So `always` is for
 * statements whose plan does not depend on that, and `while-quick` for others: one that took long is planned anew for a
 * while.
 */
export type Preparation = "always" | "while-quick"

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
    const name = `cuckmq_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`
    names.set(text, name)
    return name
}

/** What a pool's connections keep prepared. */
export class PreparedStatements {
    readonly #slowUntilMs = new Map<string, number>()
    #isPossible: boolean | undefined

    /**
     * Finds out, once, whether connections are the server's own. A pooler tells its clients process ids of its own making,
     * and what is prepared on the server's connection would be left to whoever is given it next.
     */
    async learn(processID: number | undefined, askPID: () => Promise<unknown>): Promise<void> {
        if (this.#isPossible !== undefined) return
        const isOwn = processID !== undefined && Number(await askPID()) === processID
        // Meanwhile another statement may have found that it is not.
        this.#isPossible ??= isOwn
    }

    /** The name under which a statement is prepared; none when it is not to be. */
    nameOf(text: string, preparation: Preparation | undefined): string | undefined {
        if (preparation === undefined || this.#isPossible !== true) return undefined
        if ((this.#slowUntilMs.get(text) ?? 0) > monotonicMs()) return undefined
        return nameOf(text)
    }

    /** Learns how long a prepared statement took. */
    took(text: string, preparation: Preparation | undefined, durationMs: number, numRows: number): void {
        if (preparation !== "while-quick" || durationMs <= QUICK_MS + numRows * QUICK_ROW_MS) return
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
    const prepared = known.get(pool) ?? new PreparedStatements()
    known.set(pool, prepared)
    return prepared
}
