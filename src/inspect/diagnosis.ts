/**
 * What a check found. `ok`: nothing. `warning`: it works, and is worth a look. `problem`: jobs do not run as they should, or
 * will not. `skipped`: it could not be checked, and `summary` says why.
 */
export type Verdict = "ok" | "warning" | "problem" | "skipped"

/** What was checked. */
export type CheckName =
    | "schema"
    | "drift"
    | "postgres-version"
    | "server"
    | "autovacuum"
    | "durability"
    | "timeouts"
    | "connections"
    | "clock"
    | "old-snapshots"
    | "job-table"
    | "listen"
    | "stuck-jobs"
    | "lapsed-leases"
    | "orchestrators"

/** One thing that was checked. */
export interface Check {
    /** Which. */
    name: CheckName
    /** What came of it. */
    verdict: Verdict
    /** The same in English, with the facts. */
    summary: string
    /** What to do about it; null when there is nothing to be done. */
    advice: string | null
    /** The numbers and names that the summary is made of; they differ from check to check. */
    facts: Record<string, unknown>
}

/** What is the matter with a queue and with its server. */
export interface Diagnosis {
    /** When it was made, by the clock of this machine. */
    at: Date
    /** The worst verdict of all checks; those that were skipped do not count. */
    verdict: Exclude<Verdict, "skipped">
    /** All checks, in an order that does not change. */
    checks: Check[]
}

/** A check without its name, as the functions that judge return it. */
export type Finding = Omit<Check, "name">

/** Nothing is the matter. */
export function ok(summary: string, facts: Check["facts"] = {}): Finding {
    return { verdict: "ok", summary, advice: null, facts }
}

/** It could not be checked. */
export function skipped(summary: string): Finding {
    return { verdict: "skipped", summary, advice: null, facts: {} }
}

/** The worst verdict. */
export function worstOf(checks: readonly Check[]): Diagnosis["verdict"] {
    const verdicts = checks.map(({ verdict }) => verdict)
    if (verdicts.includes("problem")) return "problem"
    return verdicts.includes("warning") ? "warning" : "ok"
}
