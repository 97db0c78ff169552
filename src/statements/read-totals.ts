import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { type JobCounts, READ_COLUMNS, toJobCounts } from "./throughput-rows.ts"

/** What became of all jobs of a definition since it is known. */
export interface DefinitionTotals extends JobCounts {
    definition: string
    channel: string
}

/** One of which nothing was counted yet has zeros, so that what is counted next shows as a rise. */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: read-totals
select definition.name, definition.channel, ${READ_COLUMNS}
from ${schema}.job_definition as definition
left join ${schema}.throughput as counted
    on counted.span = 'total' and counted.began_at = '-infinity' and counted.definition_id = definition.id
order by definition.name`,
)

/** Reads the totals of every definition, by name. They only grow. */
export async function readTotals({ run, schema }: Query): Promise<DefinitionTotals[]> {
    const rows = await run(text(schema), [])
    return rows.map(([name, channel, ...counts]) => ({
        definition: name ?? "",
        channel: channel ?? "",
        ...toJobCounts(counts),
    }))
}
