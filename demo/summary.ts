import { type DemoDatabase, SCHEMA } from "./database.ts"
import { RELEASE_INTERVAL_MS, REPEAT_INTERVAL_MS } from "./definitions.ts"
import { bold, dim } from "./paint.ts"
import { type Column, tableLines } from "./table.ts"
import { seconds } from "./view.ts"

const COLUMNS: Column[] = [
    { title: "job definition", width: 16 },
    { title: "succeeded", width: 11, isNumber: true },
    { title: "failed", width: 9, isNumber: true },
    { title: "still queued", width: 14, isNumber: true },
    { title: "attempts", width: 11, isNumber: true },
]

interface Outcome {
    name: string
    succeeded: number
    failed: number
    queued: number
    attempts: number
}

/** What the database has on record when all daemons have stopped: not what the view believed. */
export async function summaryLines(params: {
    database: DemoDatabase
    names: string[]
    elapsedMs: number
}): Promise<string[]> {
    const { database, names, elapsedMs } = params
    const outcomes = await readOutcomes(database)
    const rows = names.map((name) => {
        const outcome = outcomes.find((candidate) => candidate.name === name)
        return [
            name,
            outcome?.succeeded ?? 0,
            outcome?.failed ?? 0,
            outcome?.queued ?? 0,
            outcome?.attempts ?? 0,
        ]
    })
    return [
        "",
        `${bold("Summary")} ${dim(`as the database has it, after ${seconds(elapsedMs)}`)}`,
        ...tableLines(COLUMNS, rows),
        "",
        ...(await paceLines(database)),
        database.isKept
            ? `The jobs are still there: ${bold(`select * from ${SCHEMA}.job_history`)}`
            : `This database was in memory and is gone now. On your own Postgres: ${bold("DATABASE_URL=postgresql://… npm run demo")}`,
    ]
}

async function readOutcomes(database: DemoDatabase): Promise<Outcome[]> {
    return database.query<Outcome>(`
        with every_job as (
            select definition_id, outcome::text as place, attempt from ${SCHEMA}.job_history
            union all
            select definition_id, 'queued', attempt from ${SCHEMA}.job
        )
        select
            definition.name,
            (count(*) filter (where place = 'succeeded'))::integer as succeeded,
            (count(*) filter (where place = 'failed'))::integer as failed,
            (count(*) filter (where place = 'queued'))::integer as queued,
            sum(attempt)::integer as attempts
        from every_job
        join ${SCHEMA}.job_definition as definition on definition.id = every_job.definition_id
        group by definition.name`)
}

/** How far apart jobs of a limited definition were taken from the queue, by the database's clock. */
async function paceLines(database: DemoDatabase): Promise<string[]> {
    const gaps = await database.query<{ name: string; num_jobs: number; closest_ms: number | null }>(`
        select name, count(*)::integer as num_jobs, min(gap_ms)::double precision as closest_ms
        from (
            select
                definition.name,
                extract(epoch from at - lag(at) over (partition by definition.name order by at)) * 1000 as gap_ms
            from (select *, case when name = 'heartbeat' then due_at else claimed_at end as at
                from ${SCHEMA}.job_history
                join (select id as definition_id, name from ${SCHEMA}.job_definition) as named using (definition_id)
            ) as definition
            where definition.name in ('publish-digest', 'heartbeat')
        ) as gap
        group by name order by name desc`)
    return gaps.flatMap(({ name, num_jobs, closest_ms }) => {
        if (closest_ms === null) return []
        const rule =
            name === "heartbeat"
                ? `was due every ${REPEAT_INTERVAL_MS} ms`
                : `was held to one in ${RELEASE_INTERVAL_MS} ms`
        return [`${name} ${rule}: of ${num_jobs} jobs, no two came closer than ${Math.floor(closest_ms)} ms`]
    })
}
