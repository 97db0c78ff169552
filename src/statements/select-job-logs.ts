import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** Where among the lines of a job one stands. */
export interface LogPlace {
    token: number
    number: number
}

/** A line of a job's log. */
export interface LogRow extends LogPlace {
    /** Milliseconds since 1970. */
    atMs: number
    attempt: number
    message: string
}

const COLUMNS = /* sql */ `token, number, date_part('epoch', at) * 1000::double precision, attempt, message`

const oldestText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-job-logs
select ${COLUMNS}
from ${schema}.job_log
where job_id = $1::bigint and (token, number) > ($2::bigint, $3::bigint)
order by job_id, token, number
limit $4::integer`,
)

const newestText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-job-logs
select ${COLUMNS}
from ${schema}.job_log
where job_id = $1::bigint and (token, number) < ($2::bigint, $3::bigint)
order by job_id desc, token desc, number desc
limit $4::integer`,
)

/** Reads lines of a job behind a place, or before it. */
export async function selectJobLogs({
    run,
    schema,
    id,
    order,
    after,
    limit,
}: Query & {
    id: number
    order: "oldest" | "newest"
    after: LogPlace
    limit: number
}): Promise<LogRow[]> {
    const text = order === "oldest" ? oldestText : newestText
    const rows = await run(text(schema), [id, after.token, after.number, limit])
    return rows.map((row) => ({
        token: Number(row[0]),
        number: Number(row[1]),
        atMs: Number(row[2]),
        attempt: Number(row[3]),
        message: row[4] ?? "",
    }))
}

/** How many lines the job `$1` has, and how far it is, as columns. */
export const saidOf = (
    schema: QuotedSchema,
) => /* sql */ `(select progress::text from ${schema}.job_progress where job_id = $1::bigint),
    (select count(*) from ${schema}.job_log where job_id = $1::bigint)`
