import { FACTS_TABLE } from "./facts.ts"

/**
 * The ledger: all evidence of a campaign as tables, on one axis of time. `at` and every other instant is in microseconds
 * of the monotonic clock that the processes of the host share; the instants of the server under test are moved onto it.
 * Unlogged and without constraints, since it is filled once and only read after that.
 */
const RECORD_TABLES = /* sql */ `
create unlogged table intent (
    at bigint, process text, key text, job_kind text, form text, bundle text, delay bigint, requires text[], failures integer
);
create unlogged table acked (at bigint, process text, key text, job_id text);
create unlogged table rolled_back (at bigint, process text, bundle text);
create unlogged table refused (at bigint, process text, bundle text, code text, message text);
create unlogged table cancelled (at bigint, process text, job_id text, result text);
create unlogged table replay_call (at bigint, process text, call text, job_kind text, job_id text);
create unlogged table replay_answer (at bigint, process text, call text, num integer, code text);
create unlogged table paused (at bigint, process text, kind text);
create unlogged table run_start (
    at bigint, process text, key text, job_kind text, job_id text, attempt integer, token text
);
create unlogged table run_end (
    at bigint, process text, key text, job_id text, attempt integer, outcome text, reason text
);
create unlogged table event (at bigint, process text, type text, job_id text, detail text);
create unlogged table life (
    at bigint, process text, kind text, role text, pid integer, took bigint, grace bigint
);
create unlogged table mishap (at bigint, process text, what text, detail text);
create unlogged table exit (at bigint, process text, victim text, code integer, signal text, is_injected boolean);
create unlogged table fault (
    at bigint, process text, fault text, target text, began_at bigint, ended_at bigint, is_outage boolean, detail text
);
create unlogged table phase (at bigint, process text, phase text);
create unlogged table gauge (at bigint, process text, name text, subject text, value double precision);
`

const SERVER_TABLES = /* sql */ `
create unlogged table transition (
    seq bigint, xid text, at bigint, transaction_at bigint, job_id text, key text, job_kind text, change text,
    token text, attempt integer, owner text, reason text, due_at bigint, expires_at bigint,
    num_errors integer
);
create unlogged table lease_change (
    seq bigint, xid text, at bigint, owner text, worker text, change text, expires_at bigint
);
create unlogged table effect (seq bigint, at bigint, key text, job_id text, token text);
create unlogged table cancellation (seq bigint, at bigint, job_id text, was_running boolean);
create unlogged table replay (
    seq bigint, xid text, at bigint, process text, job_id text, is_live boolean, has_payload boolean,
    has_errors boolean, letter_token integer, token integer, attempt integer
);
create unlogged table pause_change (seq bigint, at bigint, name text, change text);
create unlogged table definition_change (
    seq bigint, xid text, at bigint, name text, change text, detail jsonb
);
`

/** Lines of the record files as they are. */
const RAW_TABLE = /* sql */ `create unlogged table raw (line text);`

export const LEDGER_TABLES = [FACTS_TABLE, RECORD_TABLES, SERVER_TABLES, RAW_TABLE].join("\n")

/** Cells of a record that become columns: the record's field with its type, and what is stored of it. */
interface RecordTable {
    readonly table: string
    readonly kinds: readonly string[]
    /** As `json_to_record` wants it. */
    readonly fields: string
    readonly columns: string
}

/** How each kind of record becomes a row, in the order of the table's columns. */
export const RECORD_ROWS: readonly RecordTable[] = [
    {
        table: "intent",
        kinds: ["intent"],
        fields: `key text, "jobKind" text, form text, "group" text, "delayMs" float8, requires text[], failures integer`,
        columns: `key, "jobKind", form, "group", ("delayMs" * 1000)::bigint, requires, failures`,
    },
    { table: "acked", kinds: ["acked"], fields: `key text, "jobID" text`, columns: `key, "jobID"` },
    { table: "rolled_back", kinds: ["rolled-back"], fields: `"group" text`, columns: `"group"` },
    {
        table: "refused",
        kinds: ["refused"],
        fields: `"group" text, code text, message text`,
        columns: `"group", code, message`,
    },
    {
        table: "cancelled",
        kinds: ["cancelled"],
        fields: `"jobID" text, result text`,
        columns: `"jobID", result`,
    },
    {
        table: "replay_call",
        kinds: ["replay"],
        fields: `call text, "jobKind" text, "jobID" text`,
        columns: `call, "jobKind", "jobID"`,
    },
    {
        table: "replay_answer",
        kinds: ["replay-answer"],
        fields: `call text, num integer, code text`,
        columns: `call, num, code`,
    },
    { table: "paused", kinds: ["paused", "resumed"], fields: `kind text`, columns: `kind` },
    {
        table: "run_start",
        kinds: ["run-start"],
        fields: `key text, "jobKind" text, "jobID" text, attempt integer, token text`,
        columns: `key, "jobKind", "jobID", attempt, token`,
    },
    {
        table: "run_end",
        kinds: ["run-end"],
        fields: `key text, "jobID" text, attempt integer, outcome text, reason text`,
        columns: `key, "jobID", attempt, outcome, reason`,
    },
    {
        table: "event",
        kinds: ["event"],
        fields: `type text, "jobID" text, detail text`,
        columns: `type, "jobID", detail`,
    },
    {
        table: "life",
        kinds: ["started", "stopping", "stopped"],
        fields: `kind text, role text, pid integer, "tookMs" float8, "graceMs" float8`,
        columns: `kind, role, pid, ("tookMs" * 1000)::bigint, ("graceMs" * 1000)::bigint`,
    },
    { table: "mishap", kinds: ["mishap"], fields: `what text, detail text`, columns: `what, detail` },
    {
        table: "exit",
        kinds: ["exit"],
        fields: `victim text, code integer, signal text, "isInjected" boolean`,
        columns: `victim, code, signal, "isInjected"`,
    },
    {
        table: "fault",
        kinds: ["fault"],
        fields: `fault text, target text, "from" float8, "to" float8, "isOutage" boolean, detail text`,
        columns: `fault, target, "from"::bigint, "to"::bigint, "isOutage", detail`,
    },
    { table: "phase", kinds: ["phase"], fields: `phase text`, columns: `phase` },
    {
        table: "gauge",
        kinds: ["gauge"],
        fields: `name text, "of" text, value float8`,
        columns: `name, "of", value`,
    },
]
