import { monotonicMs } from "../clock.ts"
import type { PgPool } from "./client.ts"
import type { Preparation } from "./driver.ts"
import { identifierOf } from "./identifier.ts"

type Keep = Preparation["keep"] | undefined

/** Longer than this is long, and so much longer for each row that came. */
const QUICK_MS = 50
const QUICK_ROW_MS = 0.2

/** So often in a row the kept plan takes long, and a new one does not, before it is to blame. */
const MAX_SLOW = 3

/** How long a statement whose kept plan is to blame is planned anew each time. */
const ANEW_FOR_MS = 60_000

const names = new Map<string, string>()

/** A name that no other text has, lest a pooler's connection runs what someone else prepared on it. */
function nameOf(text: string): string {
    const known = names.get(text)
    if (known !== undefined) return known
    const name = identifierOf(text)
    names.set(text, name)
    return name
}

/** What is held against the kept plan of a statement. */
interface Suspicion {
    /** How often in a row it took long. */
    numSlow: number
    /** It is planned anew until then; without end until that has been tried. */
    anewUntilMs: number
}

/** What a pool's connections keep prepared. */
export class PreparedStatements {
    readonly #suspicions = new Map<string, Suspicion>()
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
        if ((this.#suspicions.get(text)?.anewUntilMs ?? 0) > monotonicMs()) return undefined
        return nameOf(text)
    }

    /**
     * Learns how long a statement took, under its kept plan or planned anew. Whatever takes long on a busy machine does so
     * with any plan, and would be slower yet if it were planned each time: so after one that took long, the next is
     * planned anew, and only where that is quick and the kept plan takes long again, and again, is it to blame.
     */
    took(params: { text: string; keep: Keep; isKept: boolean; durationMs: number; numRows: number }): void {
        const { text, keep, isKept, durationMs, numRows } = params
        if (keep !== "while-quick") return
        const isSlow = durationMs > QUICK_MS + numRows * QUICK_ROW_MS
        const suspicion = this.#suspicions.get(text)
        if (!isKept) {
            // Only one that was waited for says something: it takes the suspicion away, or lets the kept plan try again.
            if (suspicion?.anewUntilMs !== Infinity) return
            if (isSlow) this.#suspicions.delete(text)
            else suspicion.anewUntilMs = 0
        } else if (isSlow) {
            const numSlow = (suspicion?.numSlow ?? 0) + 1
            const anewUntilMs = numSlow < MAX_SLOW ? Infinity : monotonicMs() + ANEW_FOR_MS
            this.#suspicions.set(text, { numSlow, anewUntilMs })
        } else if (suspicion !== undefined) this.#suspicions.delete(text)
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
