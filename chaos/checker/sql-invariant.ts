import type pg from "pg"
import type { Finding, Invariant } from "./invariant.ts"

export const EVERYONE = new Set(["cuckmq", "pg-boss", "graphile-worker"] as const)

/** For promises that only we make. */
export const OURS = new Set(["cuckmq"] as const)

/** How far apart the clocks of a process and of the database may be on our axis, and a record from its act. */
export const CLOCK_SLACK = 5_000

/** What a job is counted or paused under, out of its key. */
export const BUCKET = /* sql */ `split_part(job.key, '#', 2)`

/** Kinds of jobs that wait for their turn, whatever happens: for a limit, a group, or one of a worker's few threads. */
export const HELD_BACK = "('limited', 'crowded', 'metered', 'ordered', 'key-paused', 'thread', 'thread-hang')"

/** Kinds of jobs that run in threads. */
export const IN_THREADS = "('thread', 'thread-hang')"

/** Kinds of jobs that never settle. */
export const HANGING = "('hang', 'thread-hang')"

const NUM_EXAMPLES = 5

/**
 * An invariant as two queries: one that counts the cases, and one whose every row is a violation, with the columns
 * `what` (text) and `job_ids` (text[]).
 */
export function sqlInvariant(params: {
    id: Invariant["id"]
    title: string
    appliesTo: Invariant["appliesTo"]
    /** One row, one number. */
    exercised: string
    violations: string
    /** One row whose columns are figures. */
    figures?: string
}): Invariant {
    const { id, title, appliesTo, exercised, violations, figures } = params
    return {
        id,
        title,
        appliesTo,
        check: async (ledger) => {
            const found = await violationsOf(ledger, violations)
            const { rows } = await ledger.query<{ n: string }>(`select (${exercised}) as n`)
            const finding: Finding = { numExercised: Number(rows[0]?.n ?? 0), ...found }
            return figures === undefined ? finding : { ...finding, figures: await figuresOf(ledger, figures) }
        },
    }
}

export async function violationsOf(
    ledger: pg.Client | pg.Pool,
    violations: string,
): Promise<Pick<Finding, "numViolations" | "examples">> {
    const { rows } = await ledger.query<{ n: string; what: string; job_ids: string[] | null }>(
        `with violation as materialized (${violations})
        select (select count(*) from violation) as n, what, job_ids from violation limit ${NUM_EXAMPLES}`,
    )
    return {
        numViolations: Number(rows[0]?.n ?? 0),
        examples: rows.map(({ what, job_ids }) => ({
            what,
            jobIDs: (job_ids ?? []).filter((id) => id !== null),
        })),
    }
}

export async function figuresOf(ledger: pg.Client | pg.Pool, text: string): Promise<Record<string, number>> {
    const { rows } = await ledger.query<Record<string, unknown>>(text)
    return Object.fromEntries(
        Object.entries(rows[0] ?? {})
            .filter(([, value]) => value !== null)
            .map(([name, value]) => [name, Number(value)]),
    )
}
