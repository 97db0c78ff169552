import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { Outcome } from "./finalize-jobs.ts"
import { type ClaimKey, isOfClaim, type Query } from "./query.ts"

/** What became of a claim that a settling statement did not find: each key is in one of the lists, or in none. */
export interface SettledJobs {
    /**
     * In history under the same token with the outcome given, and by a worker, not by others over its head: an
     * earlier try got through, or the job function completed the job itself.
     */
    finalized: number[]
    /** Still live under the same token; others depend on it. */
    required: number[]
}

const text = statementText(
    (schema) => /* sql */ `-- cuckmq: find-settled-jobs
select claim.id, 'finalized'
from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as claim(id, token)
join ${schema}.job_history
    on job_history.id = claim.id and job_history.token = claim.token and job_history.worker is not null
    and job_history.outcome = $3::${schema}.job_outcome
union all
select claim.id, 'required'
from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as claim(id, token)
join ${schema}.job on ${isOfClaim("claim")} and job.has_dependents`,
)

/** Tells a claim that was settled before from one that was lost. */
export async function findSettledJobs({
    run,
    schema,
    jobs,
    outcome,
}: Query & { jobs: readonly ClaimKey[]; outcome: Outcome }): Promise<SettledJobs> {
    const rows = await run(text(schema), [
        numberList(jobs.map((job) => job.id)),
        numberList(jobs.map((job) => job.token)),
        outcome,
    ])
    const idsOf = (kind: string) => rows.filter((row) => row[1] === kind).map((row) => Number(row[0]))
    return { finalized: idsOf("finalized"), required: idsOf("required") }
}
