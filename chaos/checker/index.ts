import type pg from "pg"
import type { Finding, Invariant } from "./invariant.ts"
import { INVARIANTS } from "./invariants/index.ts"

/** Campaigns that are long enough to put everything to the test. */
const THOROUGH = new Set(["full", "soak"])

export interface Verdict {
    readonly invariant: Invariant
    readonly finding: Finding
    readonly tookMs: number
    /** Violated; or, in a thorough campaign, never put to the test. */
    readonly hasFailed: boolean
}

/** Checks every invariant that applies to the peer of a filled ledger. */
export async function check(ledger: pg.Client | pg.Pool): Promise<Verdict[]> {
    const { rows } = await ledger.query<{ peer: string; profile: string }>("select peer, profile from facts")
    const { peer = "", profile = "" } = rows[0] ?? {}
    const verdicts: Verdict[] = []
    for (const invariant of INVARIANTS) {
        if (!(invariant.appliesTo as ReadonlySet<string>).has(peer)) continue
        const sinceMs = performance.now()
        const finding = await invariant.check(ledger)
        // A peer that is compared may lack what would put a promise to the test.
        const isUntried = peer === "cuckmq" && THOROUGH.has(profile) && finding.numExercised === 0
        verdicts.push({
            invariant,
            finding,
            tookMs: performance.now() - sinceMs,
            hasFailed: finding.numViolations > 0 || isUntried,
        })
    }
    return verdicts
}
