import pg from "pg"

const FUNCTION = "language plpgsql security definer set search_path = pg_catalog, pg_temp"

/** It does not write down which worker has a job, but each worker's sessions have the worker's name. */
const SESSION = "current_setting('application_name')"

/**
 * Triggers on pg-boss's table of jobs. A job that fails, or whose time is over, is deleted and inserted again in its next
 * state by one statement: an insert tells by its state what it was. The number of retries is what claims are fenced by,
 * and so stands for the token.
 */
export function pgBossAudit(schemaName: string): string {
    const schema = pg.escapeIdentifier(schemaName)
    return /* sql */ `
create function chaos.on_boss_job() returns trigger ${FUNCTION} as $function$
declare
    change text;
    failure text := new.output #>> '{value,message}';
begin
    failure := case
        when failure in ('job timed out', 'job heartbeat timeout') then 'timeout'
        when new.state = 'cancelled' then 'cancelled'
        else 'error'
    end;
    if tg_op = 'INSERT' then
        change := case
            when new.state = 'failed' then 'failed'
            when new.state = 'retry' and failure = 'timeout' then 'reclaimed'
            when new.state = 'retry' then 'retried'
            else 'inserted'
        end;
    else
        change := case
            when old.state >= 'completed' and new.state <> old.state then 'revived'
            when old.state >= 'completed' then null
            when new.state = 'active'
                and (old.state <> 'active' or new.retry_count <> old.retry_count or new.started_on <> old.started_on)
                then 'claimed'
            when new.state = 'active' and new.heartbeat_on is distinct from old.heartbeat_on then 'renewed'
            when new.state = 'active' then null
            when new.state = 'completed' then 'succeeded'
            when new.state in ('failed', 'cancelled') then 'failed'
            when new.state <> old.state or new.blocked <> old.blocked or new.start_after <> old.start_after then 'waiting'
        end;
        if change is null then return null; end if;
    end if;
    insert into chaos.transition
        (job_id, key, job_kind, change, token, attempt, owner, reason, due_at, expires_at)
    values (
        new.id, new.data ->> 'key', new.data ->> 'kind', change, new.retry_count,
        -- Before the first start no attempt is counted.
        case when new.started_on is null then 0 else new.retry_count + 1 end,
        -- Who fails a job because its time is over settles it for nobody.
        case when change <> 'inserted' and (change <> 'failed' or failure <> 'timeout') then ${SESSION} end,
        case when change = 'failed' then failure else new.state::text end, new.start_after,
        case when new.state = 'active' then new.started_on + new.expire_seconds * interval '1 s' end
    );
    return null;
end $function$;
create trigger chaos_job after insert or update on ${schema}.job
    for each row execute function chaos.on_boss_job();

create function chaos.on_boss_job_deletion() returns trigger ${FUNCTION} as $function$
begin
    if old.state < 'completed' and exists (select from ${schema}.job where name = old.name and id = old.id) then
        return null;
    end if;
    insert into chaos.transition (job_id, key, job_kind, change, token, attempt, reason, due_at)
    values (
        old.id, old.data ->> 'key', old.data ->> 'kind',
        case when old.state >= 'completed' then 'swept' else 'deleted' end,
        old.retry_count, old.retry_count + 1, old.state, old.start_after
    );
    return null;
end $function$;
create trigger chaos_job_deletion after delete on ${schema}.job
    for each row execute function chaos.on_boss_job_deletion();
`
}
