import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** The first ones by id are the oldest, so it is enough to look at as many of them as may be deleted. */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: sweep-operations
with oldest as materialized (
    select id, state, asked_at from ${schema}.operation order by id limit $2::integer
)
delete from ${schema}.operation
using oldest
where operation.id = oldest.id and oldest.state not in ('waiting', 'running')
    and oldest.asked_at < clock_timestamp() - $1::double precision * interval '1 ms'
returning operation.id`,
)

/** Forgets operations that are older than so many milliseconds. Looks at up to `limit`, and returns how many it deleted. */
export async function sweepOperations({
    run,
    schema,
    keepMs,
    limit,
}: Query & { keepMs: number; limit: number }): Promise<number> {
    return (await run(text(schema), [keepMs, limit])).length
}
