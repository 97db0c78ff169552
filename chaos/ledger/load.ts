import { readdirSync } from "node:fs"
import { join } from "node:path"
import type pg from "pg"
import { copyBetween, copyFiles } from "./copy.ts"
import { DERIVED_TABLES } from "./derive.ts"
import { type CampaignFacts, factValues } from "./facts.ts"
import { LEDGER_TABLES, RECORD_ROWS } from "./schema.ts"

/**
 * Fills a ledger, a database of its own, from the records of a campaign and from what the triggers wrote in the server
 * under test.
 */
export async function loadLedger(params: {
    ledger: pg.Pool
    /** Files that end in .jsonl, a record a line. */
    recordsFolder: string
    /** A superuser's connections to the server under test. */
    sutAdmin: pg.Pool
    facts: CampaignFacts
}): Promise<void> {
    const { ledger, recordsFolder, sutAdmin, facts } = params
    const to = await ledger.connect()
    const from = await sutAdmin.connect()
    try {
        await to.query(LEDGER_TABLES)
        await writeFacts(to, facts)
        await loadRecords(to, recordsFolder)
        await loadServer({ from, to, offset: await clockOffset(from) })
        await deriveTables(to)
    } finally {
        to.release()
        from.release()
    }
}

export async function writeFacts(ledger: pg.ClientBase, facts: CampaignFacts): Promise<void> {
    const values = factValues(facts)
    await ledger.query(
        `insert into facts values (${values.map((_, index) => `$${index + 1}`).join(", ")})`,
        values,
    )
    const targets = Object.entries(facts.recoveryTargetsMs)
    await ledger.query(
        /* sql */ `insert into recovery_target
        select fault, (target * 1000)::bigint from unnest($1::text[], $2::float8[]) as t(fault, target)`,
        [targets.map(([fault]) => fault), targets.map(([, ms]) => ms)],
    )
}

/** Makes what the invariants read: jobs, claims and runs, put together from what was recorded. */
export async function deriveTables(ledger: pg.ClientBase): Promise<void> {
    // Sorting a million rows in memory is a matter of seconds, on disk of minutes.
    await ledger.query(/* sql */ `set work_mem = '128MB'; set jit = off`)
    for (const text of DERIVED_TABLES) await ledger.query(text)
    await ledger.query("reset work_mem; reset jit")
}

/** JSON holds no control characters, so with these as quote and delimiter each line is one cell as it stands. */
const INTO_RAW = /* sql */ `copy raw (line) from stdin with (format csv, quote e'\\x01', delimiter e'\\x02')`

async function loadRecords(ledger: pg.PoolClient, folder: string): Promise<void> {
    const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".jsonl"))
        .map((name) => join(folder, name))
    await copyFiles(ledger, INTO_RAW, paths)
    // Half a line is what a process wrote when it was killed: the act that it announces may not have begun.
    await ledger.query(/* sql */ `create unlogged table record as
        select line ->> 'kind' as kind, line
        from (select line::json as line from raw where line is json object) as parsed`)
    await ledger.query("drop table raw")
    for (const { table, kinds, fields, columns } of RECORD_ROWS) {
        await ledger.query(
            `insert into ${table} select at::bigint, process, ${columns}
            from (select line from record where kind = any($1::text[])) as chosen,
                json_to_record(line) as r(at float8, process text, ${fields})`,
            [kinds],
        )
    }
    await ledger.query("drop table record")
}

/**
 * What to take off the database's clock, in microseconds, to have the monotonic one. Both are of the same host, so one
 * offset holds for the whole campaign; of several samples the fastest is the best.
 */
export async function clockOffset(client: pg.ClientBase): Promise<bigint> {
    let best = { tripMicros: Number.POSITIVE_INFINITY, offset: 0n }
    for (let sample = 0; sample < 50; sample++) {
        const sent = process.hrtime.bigint()
        const { rows } = await client.query<{ us: string }>(
            "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us",
        )
        const received = process.hrtime.bigint()
        const tripMicros = Number(received - sent) / 1_000
        const offset = BigInt(rows[0]?.us ?? 0) - (sent + received) / 2_000n
        if (tripMicros < best.tripMicros) best = { tripMicros, offset }
    }
    return best.offset
}

async function loadServer(params: { from: pg.PoolClient; to: pg.PoolClient; offset: bigint }): Promise<void> {
    const { from, to, offset } = params
    const micros = (column: string) =>
        `case when isfinite(${column}) then (extract(epoch from ${column}) * 1000000)::bigint - ${offset} end`
    const tables: Record<string, string> = {
        transition: `seq, xid, ${micros("at")}, ${micros("transaction_at")}, job_id, key, job_kind, change, token,
            attempt, owner, reason, ${micros("due_at")}, ${micros("expires_at")}, num_errors`,
        lease_change: `seq, xid, ${micros("at")}, owner, worker, change, ${micros("expires_at")}`,
        effect: `seq, ${micros("at")}, key, job_id, token`,
        cancellation: `seq, ${micros("at")}, job_id, was_running`,
        replay: `seq, xid, ${micros("at")}, process, job_id, is_live, has_payload, has_errors, letter_token, token,
            attempt`,
        pause_change: `seq, ${micros("at")}, name, change`,
        definition_change: `seq, xid, ${micros("at")}, name, change, detail`,
    }
    for (const [table, columns] of Object.entries(tables)) {
        await copyBetween({
            from,
            out: `copy (select ${columns} from chaos.${table}) to stdout`,
            to,
            into: `copy ${table} from stdin`,
        })
    }
}
