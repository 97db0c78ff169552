import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, it } from "node:test"
import pg from "pg"
import { PostgresServer } from "../../../test/support/postgres-server.ts"
import { loadLedger } from "../../ledger/load.ts"
import type { ChaosRecord } from "../../records.ts"
import { TRANSITION_TABLE } from "../../transitions.ts"
import { check } from "../index.ts"
import { FACTS } from "./history.ts"

let server: PostgresServer
let sut: pg.Pool
let ledger: pg.Pool
const folder = mkdtempSync(join(tmpdir(), "cuckmq-ledger-"))

before(async () => {
    server = await PostgresServer.start({ version: 18, flags: ["fsync=off"] })
    sut = new pg.Pool({ connectionString: server.connectionString, max: 2 })
    await sut.query("create database ledger")
    const url = new URL(server.connectionString)
    url.pathname = "/ledger"
    ledger = new pg.Pool({ connectionString: url.href, max: 2 })
})

after(async () => {
    await ledger?.end()
    await sut?.end()
    await server?.destroy()
    rmSync(folder, { recursive: true, force: true })
})

const now = () => Number(process.hrtime.bigint() / 1_000n)

function write(file: string, records: readonly (ChaosRecord | string)[]): void {
    const lines = records.map((record) =>
        typeof record === "string" ? record : `${JSON.stringify(record)}\n`,
    )
    writeFileSync(join(folder, file), lines.join(""))
}

it("puts records and the server's transitions on one axis, whatever texts they hold and wherever they were cut", async () => {
    const producer = "producer-1.1"
    const at = now()
    const group = 'a "quoted" \\ backslashed \u0001\u0002 üñï\n group'
    write(`${producer}.jsonl`, [
        { kind: "started", at, process: producer, role: "producer", pid: 1 },
        {
            kind: "intent",
            at,
            process: producer,
            key: "k1",
            jobKind: "noop",
            form: "bulk",
            group,
            delayMs: 0,
            requires: [],
            failures: 0,
        },
        {
            kind: "intent",
            at,
            process: producer,
            key: "k2",
            jobKind: "dependent",
            form: "bulk",
            group,
            delayMs: 1.5,
            requires: ["k1"],
            failures: 0,
        },
        { kind: "acked", at, process: producer, key: "k1", jobID: "1" },
        '{"kind":"acked","at":12,"proc',
    ])
    write("worker-1.1.jsonl", [
        { kind: "started", at, process: "worker-1.1", role: "worker", pid: 2 },
        { kind: "stopping", at, process: "worker-1.1", role: "worker", pid: 2 },
        { kind: "stopped", at, process: "worker-1.1", role: "worker", pid: 2, tookMs: 1.25, graceMs: 2_000 },
    ])
    write("controller.jsonl", [
        {
            kind: "fault",
            at,
            process: "controller",
            fault: "kill-several",
            target: "processes",
            from: at,
            to: at,
            isOutage: true,
            detail: "worker-1.1 worker-2.1",
        },
    ])
    await sut.query(TRANSITION_TABLE)
    await sut.query(
        `insert into chaos.transition (job_id, key, job_kind, change, due_at)
        values ('1', 'k1', 'noop', 'inserted', '-infinity'), ('1', 'k1', 'noop', 'claimed', now())`,
    )
    await sut.query(`insert into chaos.transition (job_id, key, change, reason)
        select id, 'x' || id, 'inserted', repeat('y', 100) from generate_series(10, 30000) as id`)
    const inserted = now()
    await loadLedger({ ledger, recordsFolder: folder, sutAdmin: sut, facts: FACTS })

    const one = async (text: string) => (await ledger.query({ text, rowMode: "array" })).rows[0] as unknown[]
    assert.deepEqual(await one("select key, bundle, delay, requires from intent where key = 'k2'"), [
        "k2",
        group,
        "1500",
        ["k1"],
    ])
    assert.deepEqual(await one("select count(*) from acked"), ["1"])
    assert.deepEqual(await one("select took, grace from process where process = 'worker-1.1'"), [
        "1250",
        "2000000",
    ])
    assert.deepEqual(await one("select process from victim"), ["worker-1.1"])
    assert.deepEqual(await one("select count(*) from transition"), ["29993"])
    assert.deepEqual(
        await one("select num_claims, inserted_at is not null, first_due_at from job where key = 'k1'"),
        ["1", true, null],
    )
    const [claimedAt] = await one("select at from claim")
    assert.ok(Number(claimedAt) > at - 5_000 && Number(claimedAt) < inserted + 5_000)
    const verdicts = await check(ledger)
    assert.equal(verdicts.find(({ invariant }) => invariant.id === "I1")?.finding.numViolations, 29_992)
})
