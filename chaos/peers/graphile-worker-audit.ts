import pg from "pg"

const FUNCTION = "language plpgsql security definer set search_path = pg_catalog, pg_temp"

/** Its workers have random names; the sessions of each process have the process's. */
const SESSION = "current_setting('application_name')"

/** Triggers on Graphile Worker's table of jobs. A job that succeeds is deleted; one that fails for good is left there. */
export function graphileWorkerAudit(schemaName: string): string {
    const schema = pg.escapeIdentifier(schemaName)
    return /* sql */ `
create function chaos.on_graphile_job() returns trigger ${FUNCTION} as $function$
declare
    job record;
    change text;
begin
    job := case when tg_op = 'DELETE' then old else new end;
    change := case tg_op
        when 'INSERT' then 'inserted'
        when 'DELETE' then case
            when old.locked_at is not null then 'succeeded'
            when old.attempts >= old.max_attempts then 'swept'
            -- Whoever completes a job does not ask whether it is still locked.
            when old.attempts > 0 then 'succeeded'
            else 'deleted'
        end
        else case
            when new.locked_at is not null and new.attempts > old.attempts then 'claimed'
            when new.locked_at is not null and old.locked_at is null then 'claimed'
            when new.locked_at is not null then null
            when old.locked_at is not null and new.attempts < old.attempts then 'waiting'
            when old.locked_at is not null and new.run_at is not distinct from old.run_at then 'reclaimed'
            when old.locked_at is not null and new.attempts >= new.max_attempts then 'failed'
            when old.locked_at is not null then 'retried'
            when new.run_at is distinct from old.run_at then 'waiting'
        end
    end;
    if change is null then return null; end if;
    insert into chaos.transition
        (job_id, key, job_kind, change, token, attempt, owner, reason, due_at, expires_at)
    values (
        job.id, job.payload ->> 'key', job.payload ->> 'kind', change, job.attempts, job.attempts,
        case when change <> 'inserted' then ${SESSION} end,
        case when change = 'failed' then 'error' end, job.run_at,
        job.locked_at + interval '4 hours'
    );
    return null;
end $function$;
create trigger chaos_job after insert or update or delete on ${schema}._private_jobs
    for each row execute function chaos.on_graphile_job();
`
}
