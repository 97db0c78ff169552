import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/**
 * Delayed jobs that are due become ready, at the end of their lanes. The clock is read once: were it read for each row, the
 * index could not be left where the jobs begin that are not due, and all of them would be looked at.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: promote-delayed-jobs
with due as materialized (
    select id from ${schema}.job
    where state = 'delayed' and due_at <= (select clock_timestamp())
    order by due_at, id
    limit $1::integer
    for update skip locked
)
update ${schema}.job
set state = 'ready', position = nextval(${jobSequence(schema)})
from due
where job.id = due.id
returning job.id`,
)

/** Makes up to `limit` due jobs ready, of whatever definition. Returns how many. */
export async function promoteDelayedJobs({ run, schema, limit }: Query & { limit: number }): Promise<number> {
    return (await run(text(schema), [limit])).length
}
