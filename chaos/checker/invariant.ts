import type pg from "pg"

/** What an invariant found. */
export interface Finding {
    /** How many cases it could have failed on. An invariant that was never exercised proves nothing. */
    readonly numExercised: number
    readonly numViolations: number
    /** The first few, each with the keys or ids of the jobs involved, for the timeline. */
    readonly examples: readonly { what: string; jobIDs: readonly string[] }[]
    /** Figures for the report, such as recovery times. */
    readonly figures?: Readonly<Record<string, number>>
}

/** A promise of the delivery contract, as a query over the ledger. */
export interface Invariant {
    readonly id: `I${number}`
    readonly title: string
    /** Peers whose promises it is among, or whose users would expect it. */
    readonly appliesTo: ReadonlySet<"cuckmq" | "pg-boss" | "graphile-worker">
    check(ledger: pg.Client | pg.Pool): Promise<Finding>
}
