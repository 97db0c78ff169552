import { expect } from "vitest"
import { isLive, type ModelJob, type Oracle } from "./oracle.ts"
import type { World } from "./world.ts"

interface LiveRow {
    id: number
    position: number
    [column: string]: unknown
}

interface Snapshot {
    live: LiveRow[]
    history: Record<string, unknown>[]
    edges: { required: number; dependent: number }[]
    definitions: Record<string, unknown>[]
    /** Edges whose required job is not flagged: it would end without them. */
    numUnflagged: number
}

/** Everything in one statement, so that it is of one moment. Positions come from the sequence, so it tells the last. */
async function readSnapshot({ queue: { sql, schema } }: World): Promise<Snapshot> {
    const errors = `(
        select coalesce(json_agg(json_build_object(
            'attempt', (e ->> 'attempt')::int, 'name', e ->> 'name', 'worker', e ->> 'worker'
        ) order by turn), '[]')
        from jsonb_array_elements(job.errors) with ordinality as item(e, turn)
    )`
    const { rows } = await sql.query(`select
        (select coalesce(json_agg(json_build_object(
            'id', job.id, 'position', position, 'definition', definition.name, 'state', job.state,
            'attempt', attempt, 'token', token, 'priority', job.priority, 'numAttempts', job.num_attempts, 'numBlockers', num_blockers,
            'isFar', due_at > clock_timestamp(), 'isExpired', expires_at < clock_timestamp(),
            'isLeased', lease_id is not null, 'isCancelled', cancelled_at is not null, 'errors', ${errors}
        ) order by job.id), '[]')
        from ${schema}.job left join ${schema}.job_definition as definition on definition.id = definition_id) as live,
        (select coalesce(json_agg(json_build_object(
            'id', job.id, 'definition', definition.name, 'outcome', outcome, 'reason', reason, 'worker', worker,
            'attempt', attempt, 'token', token, 'priority', job.priority, 'result', result, 'errors', ${errors}
        ) order by job.id), '[]')
        from ${schema}.job_history as job
        left join ${schema}.job_definition as definition on definition.id = definition_id) as history,
        (select coalesce(json_agg(json_build_object('required', required_id, 'dependent', dependent_id)
            order by required_id, dependent_id), '[]') from ${schema}.job_dependency) as edges,
        (select json_agg(json_build_object('name', name, 'isRetired', retired_by is not null) order by name)
            from ${schema}.job_definition) as definitions,
        (select count(*)::int from ${schema}.job_dependency
            join ${schema}.job on job.id = required_id and not has_dependents) as "numUnflagged"`)
    return rows[0] as unknown as Snapshot
}

/** What two runs of one kind may differ in: who ended a job when several could, and how often it was handed back. */
export interface Tolerance {
    isDrained?: boolean
}

/** Fails unless the database is what the oracle says. Tells the oracle the places of the jobs that moved. */
export async function compare(oracle: Oracle, world: World, tolerance: Tolerance = {}): Promise<void> {
    const snapshot = await readSnapshot(world)
    const isDrained = tolerance.isDrained === true
    const expected = {
        live: oracle.live.sort(byID).map((job) => withoutRaces(asLive(job), isDrained)),
        history: oracle.ended.sort(byID).map((job) => withoutRaces(asHistory(job), isDrained)),
        edges: edgesOf(oracle),
        definitions: [...oracle.definitions]
            .map(([name, { isRetired }]) => ({ name, isRetired }))
            .sort((a, b) => (a.name < b.name ? -1 : 1)),
        numUnflagged: 0,
    }
    const actual = {
        ...snapshot,
        live: snapshot.live.map(({ position: _, ...row }) => withoutRaces(row, isDrained)),
        history: snapshot.history.map((row) => withoutRaces(row, isDrained)),
    }
    expect(actual).toEqual(expected)
    followMoves({ oracle, world, live: snapshot.live })
}

/** A job that came back stands behind all others; the rest stay where they were. */
function followMoves({ oracle, world, live }: { oracle: Oracle; world: World; live: LiveRow[] }): void {
    for (const { id, position } of live) {
        const job = oracle.job(id)
        if (oracle.moved.has(id)) {
            expect(position, `the new place of job ${id}`).toBeGreaterThan(world.lastPosition)
            job.position = position
        } else expect(position, `the place of job ${id}`).toBe(job.position)
    }
    oracle.moved.clear()
    world.lastPosition = Math.max(world.lastPosition, ...live.map(({ position }) => position))
}

function asLive(job: ModelJob): Record<string, unknown> {
    const { id, definition, state, attempt, token, priority, errors } = job
    const { numAttempts, numBlockers, isFar, isExpired, isCancelled } = job
    const isLeased = state === "running"
    return {
        ...{ id, definition, state, attempt, token, priority, errors },
        ...{ numAttempts, numBlockers, isFar, isExpired, isLeased, isCancelled },
    }
}

function asHistory(job: ModelJob): Record<string, unknown> {
    const { id, definition, state, reason, endedBy, attempt, token, priority, result, errors } = job
    return {
        id,
        definition,
        outcome: state,
        reason,
        worker: endedBy,
        attempt,
        token,
        priority,
        result,
        errors,
    }
}

/** A real worker claims ahead, and may hand back what it claimed: that shows in the token, and only there. */
function withoutRaces(row: Record<string, unknown>, isDrained: boolean): Record<string, unknown> {
    if (!isDrained) return row
    const { token: _, ...rest } = row
    return rest
}

function edgesOf(oracle: Oracle): { required: number; dependent: number }[] {
    return [...oracle.dependents]
        .filter(([id]) => isLive(oracle.job(id)))
        .flatMap(([required, dependents]) => [...dependents].map((dependent) => ({ required, dependent })))
        .sort((a, b) => a.required - b.required || a.dependent - b.dependent)
}

function byID(a: ModelJob, b: ModelJob): number {
    return a.id - b.id
}
