import { jsonList, numberList } from "../db/encode.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { FailureReason } from "../events.ts"
import { withError } from "./job-errors.ts"
import { byID, type ClaimKey, IMPATIENCE, isOfClaim, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** How a job ended. */
export type Outcome = "succeeded" | "failed"

/** The end of one job. */
export interface Finalization extends ClaimKey {
    /** What the handler returned, as JSON text. */
    result: string | null
    /** What the last attempt threw, as JSON text. */
    error: string | null
}

/** What history keeps of a job, in the order that those who finalize select it. */
export const HISTORY_COLUMNS = /* sql */ `id, definition_id, created_at, due_at, claimed_at, finalized_at, slot,
    token, attempt, priority, outcome, reason, worker, payload, result, errors`

/**
 * Moves jobs to history, each only if its token is still the one given. It does not ask whether the lease still
 * holds: an attempt whose lease lapsed, but whose job nobody claimed since, may still record its outcome.
 */
function finalizeText(schema: QuotedSchema, name: string, condition: string): string {
    return /* sql */ `-- cuckmq: ${name}
with done as (
    delete from ${schema}.job
    using rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]),
        pg_catalog.unnest(string_to_array($3, chr(30), '')), pg_catalog.unnest(string_to_array($4, chr(30), ''))
    ) as settled(id, token, result, error), ${IMPATIENCE}
    where ${isOfClaim("settled")}
        and impatience.is_set is not null ${condition}
    returning job.*, settled.result, settled.error
)
insert into ${schema}.job_history (${HISTORY_COLUMNS})
select
    id, definition_id, created_at, due_at, claimed_at, clock_timestamp(),
    (select slot from ${schema}.history_ring), token, attempt, priority,
    $5::${schema}.job_outcome, $6, $7, payload, result::json, ${withError("done.errors", "done.error")}
from done
returning id`
}

// Jobs that others depend on end in a transaction with their dependents: finalizeRequiredJobs.
const text = statementText((schema) => finalizeText(schema, "finalize-jobs", "and not job.has_dependents"))
const requiredText = statementText((schema) => finalizeText(schema, "finalize-required-jobs", ""))

interface Finalize extends Query {
    jobs: readonly Finalization[]
    outcome: Outcome
    reason: FailureReason | null
    /** The worker that ran the last attempt, if one did. */
    worker: string | null
}

/** Finalizes jobs that nobody depends on. Returns the ids of those that were ours to finalize. */
export function finalizeJobs(params: Finalize): Promise<number[]> {
    return finalize(text(params.schema), params)
}

/** Finalizes jobs whether or not others depend on them; part of a transaction that then settles the dependents. */
export function finalizeRequiredJobs(params: Finalize): Promise<number[]> {
    return finalize(requiredText(params.schema), params)
}

async function finalize(sql: string, { run, jobs, outcome, reason, worker }: Finalize): Promise<number[]> {
    const inOrder = byID(jobs)
    const rows = await run(
        sql,
        [
            numberList(inOrder.map((job) => job.id)),
            numberList(inOrder.map((job) => job.token)),
            jsonList(inOrder.map((job) => job.result)),
            jsonList(inOrder.map((job) => job.error)),
            outcome,
            reason,
            worker,
        ],
        PREPARED_WHILE_QUICK,
    )
    return rows.map(([id]) => Number(id))
}
