import type { JobDefinitionOptions, Schedules } from "../../src/index.ts"
import { type AnyPayload, define } from "./define.ts"
import type { Queue } from "./with-schema.ts"

/** The instants, in milliseconds, at which the jobs of a definition were due, live or finalized, in order. */
export async function dueTimes(queue: Queue, name = "job"): Promise<number[]> {
    const { rows } = await queue.sql.query(
        `select date_part('epoch', due_at) * 1000 as ms
        from (
            select definition_id, due_at from ${queue.schema}.job
            union all select definition_id, due_at from ${queue.schema}.job_history
        ) as job
        join ${queue.schema}.job_definition as definition on definition.id = definition_id and name = $1
        order by due_at`,
        [name],
    )
    return rows.map(({ ms }) => Number(ms))
}

/** Makes a definition whose jobs end at once, and registers it. */
export function defineTicking(queue: Queue, options: Partial<JobDefinitionOptions<AnyPayload, void>> = {}) {
    const { jobFunction = () => undefined, config = queue.config, ...rest } = options
    return define(config, jobFunction, rest)
}

/** Puts the next tick where it would be if no orchestrator had run since. */
export async function setTick(queue: Queue, at: Date | string, table = "schedule"): Promise<void> {
    await queue.sql.query(`update ${queue.schema}.${table} set next_repeat_at = $1::timestamptz`, [
        typeof at === "string" ? at : at.toISOString(),
    ])
}

/** A schedule that no test lives to see the next tick of, unless it is set. */
export function yearly(queue: Queue, options: Partial<Parameters<Schedules["upsert"]>[0]> = {}) {
    const definition = options.definition ?? defineTicking(queue)
    return queue.config.schedules.upsert({
        name: "yearly",
        definition,
        payload: {},
        cron: { expression: "0 0 1 1 *" },
        ...options,
    })
}
