import pg from "pg"

/**
 * Key and kind out of the beginning of a payload, where the campaign's plans have them: parsing all of it, whatever its
 * size, on every change would cost more than the change.
 */
const HEAD = (payload: string) => `left(${payload}::text, 200)`
const KEY = (payload: string) => `substring(${HEAD(payload)} from '"key":"([^"]*)"')`
const KIND = (payload: string) => `coalesce(substring(${HEAD(payload)} from '"kind":"([a-z-]+)"'), 'repeat')`

/** Runs as its owner, so that the queue's role needs no rights on what is written, and finds the same names for all. */
const FUNCTION = "language plpgsql security definer set search_path = pg_catalog, pg_temp"

/** What an update of a live job means. Null: nothing that matters. */
const CHANGE = /* sql */ `case
        when new.state = 'running' and (old.state <> 'running' or new.token <> old.token) then 'claimed'
        when new.state = 'running' and new.lease_id is distinct from old.lease_id then 'renewed'
        when new.state = 'running' then null
        when old.state = 'running' and new.attempt < old.attempt then 'waiting'
        -- A failed attempt puts the job off; taking it from a silent worker leaves it due when it was.
        when old.state = 'running' and new.due_at is distinct from old.due_at then 'retried'
        when old.state = 'running' then 'reclaimed'
        when new.state <> old.state then 'waiting'
    end`

const JOB = (schema: string) => /* sql */ `
create function chaos.on_job() returns trigger ${FUNCTION} as $function$
declare
    change text := 'inserted';
begin
    if tg_op = 'UPDATE' then
        change := ${CHANGE};
        if change is null then return null; end if;
    end if;
    insert into chaos.transition (job_id, key, job_kind, change, token, attempt, owner, reason, due_at)
    values (
        new.id, ${KEY("new.payload")}, ${KIND("new.payload")}, change, new.token, new.attempt,
        case when tg_op = 'UPDATE' then coalesce(new.lease_id, old.lease_id) end, new.state, new.due_at
    );
    return null;
end $function$;
create trigger chaos_job after insert or update on ${schema}.job
    for each row execute function chaos.on_job();

-- A job moves to history with one statement, so when this runs both halves are done.
create function chaos.on_job_deletion() returns trigger ${FUNCTION} as $function$
begin
    if exists (select from ${schema}.job_history where id = old.id) then return null; end if;
    insert into chaos.transition (job_id, key, job_kind, change, token, attempt, owner, due_at)
    values (
        old.id, ${KEY("old.payload")}, ${KIND("old.payload")}, 'deleted', old.token, old.attempt, old.lease_id, old.due_at
    );
    return null;
end $function$;
create trigger chaos_job_deletion after delete on ${schema}.job
    for each row execute function chaos.on_job_deletion();
`

const CONTROL = (schema: string) => /* sql */ `
create function chaos.on_cancellation() returns trigger ${FUNCTION} as $function$
begin
    insert into chaos.cancellation (job_id, was_running) values (new.id, old.state = 'running');
    return null;
end $function$;
create trigger chaos_cancellation after update on ${schema}.job
    for each row when (new.cancelled_at is not null and old.cancelled_at is null)
    execute function chaos.on_cancellation();

create function chaos.on_pause() returns trigger ${FUNCTION} as $function$
begin
    insert into chaos.pause_change (name, change)
    select coalesce(new.name, old.name), case tg_op when 'INSERT' then 'paused' else 'resumed' end;
    return null;
end $function$;
create trigger chaos_pause after insert or delete on ${schema}.pause
    for each row execute function chaos.on_pause();

create function chaos.on_key_pause() returns trigger ${FUNCTION} as $function$
begin
    insert into chaos.pause_change (name, change)
    select
        coalesce(new.definition, old.definition) || '#' || coalesce(new.key, old.key),
        case tg_op when 'INSERT' then 'paused' else 'resumed' end;
    return null;
end $function$;
create trigger chaos_key_pause after insert or delete on ${schema}.paused_key
    for each row execute function chaos.on_key_pause();
`

const HISTORY = (schema: string) => /* sql */ `
create function chaos.on_history() returns trigger ${FUNCTION} as $function$
declare
    finalized record;
    live record;
    change text;
begin
    finalized := case when tg_op = 'DELETE' then old else new end;
    change := case tg_op when 'INSERT' then finalized.outcome::text when 'UPDATE' then 'revived' else 'swept' end;
    if tg_op = 'DELETE' then
        -- A dead letter becomes a job again with one statement, so when this runs both halves are done.
        select * into live from ${schema}.job where id = old.id;
        if live.id is not null then change := 'replayed'; end if;
        insert into chaos.replay (job_id, is_live, has_payload, has_errors, letter_token, token, attempt)
        values (
            old.id, live.id is not null, live.payload::text = old.payload::text,
            live.errors is not distinct from old.errors, old.token, live.token, live.attempt
        );
    end if;
    insert into chaos.transition (job_id, key, job_kind, change, token, attempt, owner, reason, due_at, num_errors)
    values (
        finalized.id, ${KEY("finalized.payload")}, ${KIND("finalized.payload")}, change,
        finalized.token, finalized.attempt, finalized.worker, finalized.reason,
        -- A replayed job is due when its row says.
        case when change <> 'replayed' then finalized.due_at end,
        case when tg_op = 'INSERT' then coalesce(jsonb_array_length(finalized.errors), 0) end
    );
    return null;
end $function$;
create trigger chaos_history after insert or update or delete on ${schema}.job_history
    for each row execute function chaos.on_history();

-- Most of history goes a slot at a time, which no trigger for rows sees.
create function chaos.on_history_truncation() returns trigger ${FUNCTION} as $function$
begin
    execute format(
        $insert$insert into chaos.transition (job_id, key, job_kind, change, token, attempt, owner, reason, due_at)
        select id, ${KEY("payload")}, ${KIND("payload")}, 'swept', token, attempt, worker, reason, due_at from %s$insert$,
        tg_relid::regclass
    );
    return null;
end $function$;
do $block$
declare
    slot regclass;
begin
    for slot in select inhrelid::regclass from pg_inherits where inhparent = '${schema}.job_history'::regclass loop
        execute format(
            'create trigger chaos_history_truncation before truncate on %s
                for each statement execute function chaos.on_history_truncation()',
            slot
        );
    end loop;
end $block$;
`

const LEASE = (schema: string) => /* sql */ `
create function chaos.on_lease() returns trigger ${FUNCTION} as $function$
declare
    lease record;
begin
    lease := case when tg_op = 'DELETE' then old else new end;
    insert into chaos.lease_change (owner, worker, change, expires_at)
    values (
        lease.id, lease.worker,
        case
            when tg_op = 'INSERT' then 'opened'
            when tg_op = 'DELETE' then 'deleted'
            when new.revoked_by is not distinct from old.revoked_by then 'renewed'
            -- Its worker gave it up before its time.
            when new.expires_at < old.expires_at then 'ended'
            else 'revoked'
        end,
        lease.expires_at
    );
    return null;
end $function$;
create trigger chaos_lease after insert or update or delete on ${schema}.lease
    for each row execute function chaos.on_lease();
`

const DEFINITION = (schema: string) => /* sql */ `
create function chaos.on_definition() returns trigger ${FUNCTION} as $function$
declare
    definition record;
begin
    definition := case when tg_op = 'DELETE' then old else new end;
    insert into chaos.definition_change (name, change, detail)
    select definition.name, change, jsonb_build_object(
        'id', definition.id, 'nextRepeatAt', definition.next_repeat_at, 'nextReleaseAt', definition.next_release_at,
        'heartbeatAt', definition.heartbeat_at, 'retiredAt', definition.retired_at
    )
    from unnest(array[
        case tg_op when 'INSERT' then 'inserted' when 'DELETE' then 'deleted' end,
        case when tg_op = 'UPDATE' and new.next_repeat_at is distinct from old.next_repeat_at then 'ticked' end,
        case when tg_op = 'UPDATE' and new.next_release_at is distinct from old.next_release_at then 'released' end,
        case when tg_op = 'UPDATE' and old.retired_at is null and new.retired_at is not null then 'retired' end,
        case when tg_op = 'UPDATE' and old.retired_at is not null and new.retired_at is null then 'revived' end
    ]) as change
    where change is not null;
    return null;
end $function$;
create trigger chaos_definition after insert or delete on ${schema}.job_definition
    for each row execute function chaos.on_definition();
-- Heartbeats are most of the updates, and say nothing.
create trigger chaos_definition_update after update on ${schema}.job_definition
    for each row
    when ((new.next_repeat_at, new.next_release_at, new.retired_at)
        is distinct from (old.next_repeat_at, old.next_release_at, old.retired_at))
    execute function chaos.on_definition();
`

/** Triggers on the tables of cuckmq that write what happens to jobs, pauses, leases and definitions. */
export function cuckmqAudit(schemaName: string): string {
    const schema = pg.escapeIdentifier(schemaName)
    return [JOB, CONTROL, HISTORY, LEASE, DEFINITION].map((text) => text(schema)).join("\n")
}
