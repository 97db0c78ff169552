import { coreOf } from "../../src/config.ts"
import { type Config, JobDefinition } from "../../src/index.ts"
import type { Queue } from "./with-schema.ts"

/** How large a queue is to be. */
export interface QueueSize {
    /** Live jobs: half of them ready, the others delayed or blocked. */
    numLive: number
    /** Finalized ones, of which one of a thousand failed. */
    numFinalized: number
    /** What the server knows of the tables: nothing but their size without `analyze`. */
    gather: "vacuum analyze" | "vacuum"
}

/** The names of the definitions that the jobs are of, those of the first one being most. */
export const NAMES = ["flood", "grouped", ...Array.from({ length: 48 }, (_, n) => `few-${n}`)]

/** Fills a queue by SQL: ids of history come first, as they do where jobs are old. */
export async function fillQueue(
    queue: Pick<Queue, "sql" | "schema" | "config">,
    { numLive, numFinalized, gather }: QueueSize,
): Promise<void> {
    const { sql, schema, config } = queue
    await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
    for (const name of NAMES) await writeDown(config, name)
    const definition = (n: string) => `(select id from ${schema}.job_definition where name = ${n})`
    const flood = definition("'flood'")
    await sql.query(
        `insert into ${schema}.job_history (id, definition_id, created_at, due_at, claimed_at, finalized_at, slot, token,
            attempt, priority, outcome, reason, worker, payload, errors)
        select n, ${flood}, at, at, at, at, case when n % 1000 = 0 then 12 else n * 12 / ($1::bigint + 1) end, 1, 1, 0,
            case when n % 1000 = 0 then 'failed' else 'succeeded' end::${schema}.job_outcome,
            case when n % 1000 = 0 then 'error' end, 'w', '{"to": "ada"}',
            case when n % 1000 = 0 then '[{"attempt": 1, "name": "Error", "message": "no"}]'::jsonb end
        from generate_series(1, $1::bigint) as n
        cross join lateral (select clock_timestamp() - ($1::bigint - n) * interval '1 ms' as at) as moment`,
        [numFinalized],
    )
    await sql.query(
        `insert into ${schema}.job (id, position, definition_id, created_at, due_at, expires_at, num_attempts,
            num_blockers, state, payload, lane)
        select $1::bigint + n, $1::bigint + n, definition.id, now(), now() + case when n % 10 in (5, 6, 7) then interval '1 h' else interval '0' end,
            now() + interval '1 d', 0, case when n % 10 > 7 then 1 else 0 end,
            case when n % 10 < 5 then 'ready' when n % 10 < 8 then 'delayed' else 'blocked' end::${schema}.job_state,
            '{"to": "ada"}', case when definition.name = 'grouped' then 'g' || n % 5000 || chr(31) || chr(31) end
        from generate_series(1, $2::bigint) as n
        join ${schema}.job_definition as definition
            on definition.name = case when n % 100 < 90 then 'flood' when n % 100 < 95 then 'grouped' else 'few-' || n / 100 % 48 end`,
        [numFinalized, numLive],
    )
    await sql.query(
        `insert into ${schema}.job_dependency select id - 1, id from ${schema}.job where state = 'blocked'`,
    )
    for (const table of ["job", "job_dependency", "job_history"])
        await sql.query(`${gather} ${schema}.${table}`)
}

async function writeDown(config: Config, name: string): Promise<void> {
    const definition = new JobDefinition<{ to?: string }>({
        config,
        name,
        group: name === "grouped" ? { key: ({ to = "" }) => to, ordered: true } : null,
        jobFunction: () => undefined,
    })
    const { registry } = coreOf(config)
    const job = registry.jobOf(definition)
    if (job !== undefined) await registry.idOf(job)
}
