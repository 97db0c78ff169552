import type { Row } from "../db/driver.ts"
import { jsonList, numberList } from "../db/encode.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { FailureReason } from "../events.ts"
import { DEFAULT_RING, openSlot, openSlotOf } from "./history-rings.ts"
import { withError } from "./job-errors.ts"
import { byID, type ClaimKey, IS_IMPATIENT, isOfClaim, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

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

/** Jobs by id and token, out of lists. */
const IS_SETTLED = /* sql */ `${isOfClaim("settled")} and ${IS_IMPATIENT}`

/**
 * Moves jobs to history, each only if its token is still the one given. It does not ask whether the lease still
 * holds: an attempt whose lease lapsed, but whose job nobody claimed since, may still record its outcome.
 */
function finalizeText(params: {
    schema: QuotedSchema
    name: string
    condition: string
    slot: string
}): string {
    const { schema, name, condition, slot } = params
    return /* sql */ `-- cuckmq: ${name}
with done as (
    delete from ${schema}.job
    using rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]),
        pg_catalog.unnest(string_to_array($3, chr(30), '')), pg_catalog.unnest(string_to_array($4, chr(30), ''))
    ) as settled(id, token, result, error)
    where ${IS_SETTLED} ${condition}
    returning job.id, job.definition_id, job.created_at, coalesce(job.first_due_at, job.due_at) as due_at, job.claimed_at,
        job.token, job.attempt, job.priority, job.payload, job.errors, settled.result, settled.error
)
insert into ${schema}.job_history (${HISTORY_COLUMNS})
select
    id, definition_id, created_at, due_at, claimed_at, clock_timestamp(),
    ${slot}, token, attempt, priority,
    $5::${schema}.job_outcome, $6, $7, payload, result::json, ${withError("done.errors", "done.error")}
from done
returning id`
}

/** The same for jobs that are not to be kept: they leave nothing behind. */
function deleteText(params: { schema: QuotedSchema; name: string; condition: string }): string {
    const { schema, name, condition } = params
    return /* sql */ `-- cuckmq: ${name}
delete from ${schema}.job
using rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as settled(id, token)
where ${IS_SETTLED} ${condition}
returning job.id`
}

/** A way to end jobs, as statements for the ring that most of them go to, for another one, and for none. */
function endTexts(params: { name: string; condition: string }) {
    return {
        default: statementText((schema) => finalizeText({ ...params, schema, slot: openSlot(schema) })),
        ring: statementText((schema) => finalizeText({ ...params, schema, slot: openSlotOf("$8", schema) })),
        none: statementText((schema) => deleteText({ ...params, schema })),
    }
}

// Jobs that others depend on end in a transaction with their dependents: finalizeRequiredJobs.
const texts = endTexts({ name: "finalize-jobs", condition: "and not job.has_dependents" })
const requiredTexts = endTexts({ name: "finalize-required-jobs", condition: "" })

interface Finalize extends Query {
    jobs: readonly Finalization[]
    outcome: Outcome
    reason: FailureReason | null
    /** The worker that ran the last attempt, if one did. */
    worker: string | null
    /** The ring of history that the jobs go to; null when they are not to be kept. */
    ring: number | null
}

/** Finalizes jobs that nobody depends on. Returns the ids of those that were ours to finalize. */
export function finalizeJobs(params: Finalize): Promise<number[]> {
    return finalize(texts, params)
}

/** Finalizes jobs whether or not others depend on them; part of a transaction that then settles the dependents. */
export function finalizeRequiredJobs(params: Finalize): Promise<number[]> {
    return finalize(requiredTexts, params)
}

async function finalize(
    text: ReturnType<typeof endTexts>,
    { run, schema, jobs, outcome, reason, worker, ring }: Finalize,
): Promise<number[]> {
    const inOrder = byID(jobs)
    const keys = [numberList(inOrder.map((job) => job.id)), numberList(inOrder.map((job) => job.token))]
    if (ring === null) return idsOf(await run(text.none(schema), keys, PREPARED_WHILE_QUICK))
    const results = jsonList(inOrder.map((job) => job.result))
    const errors = jsonList(inOrder.map((job) => job.error))
    const values = [...keys, results, errors, outcome, reason, worker]
    if (ring === DEFAULT_RING) return idsOf(await run(text.default(schema), values, PREPARED_WHILE_QUICK))
    return idsOf(await run(text.ring(schema), [...values, ring], PREPARED_WHILE_QUICK))
}

function idsOf(rows: readonly Row[]): number[] {
    return rows.map(([id]) => Number(id))
}
