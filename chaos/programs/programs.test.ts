import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, afterEach, before, beforeEach, describe, it } from "node:test"
import type pg from "pg"
import { PostgresServer } from "../../test/support/postgres-server.ts"
import type { Handler } from "../peers/peer.ts"
import { textOf } from "../plans.ts"
import type { ProgramTask } from "../processes.ts"
import { Recorder } from "../recorder.ts"
import type { Plan } from "../workload.ts"
import { makeHandler } from "./handler.ts"
import { pastOf } from "./past.ts"
import { inTransaction, makePool, UnknownOutcomeError } from "./transaction.ts"

let folder: string
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cuckmq-programs-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function records(name: string): Record<string, unknown>[] {
    return readFileSync(join(folder, name), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
}

describe("the handler", () => {
    let handler: Handler
    beforeEach(() => {
        // None of these has a transaction.
        const pool = makePool({ connectionString: "postgresql://127.0.0.1:1/none", process: "w", max: 1 })
        handler = makeHandler({ recorder: new Recorder(join(folder, "w.jsonl"), "worker-1.1"), pool })
    })

    async function outcomeOf(plan: Plan, run: { attempt?: number; signal?: AbortSignal } = {}) {
        const { attempt = 1, signal } = run
        await handler(plan, { jobID: "7", attempt, token: "3", signal, complete: undefined }).catch(
            () => undefined,
        )
        const [start, end] = records("w.jsonl").slice(-2)
        assert.equal(start?.kind, "run-start")
        assert.equal(start?.token, "3")
        assert.equal(end?.kind, "run-end")
        return end?.outcome
    }

    it("returns, and says so", async () => {
        assert.equal(await outcomeOf({ key: "a", kind: "noop" }), "returned")
    })

    it("throws as often as the plan says", async () => {
        const plan: Plan = { key: "a", kind: "flaky", failures: 2 }
        assert.equal(await outcomeOf(plan, { attempt: 2 }), "threw")
        assert.equal(await outcomeOf(plan, { attempt: 3 }), "returned")
        assert.equal(await outcomeOf({ key: "a", kind: "hopeless" }, { attempt: 6 }), "threw")
    })

    it("notices a text that is not the one that was sent", async () => {
        const text = textOf("hostile", "a")
        assert.equal(await outcomeOf({ key: "a", kind: "hostile", text }), "returned")
        assert.equal(await outcomeOf({ key: "a", kind: "hostile", text: `${text} ` }), "garbled")
    })

    it("gives up when its signal is aborted", async () => {
        const controller = new AbortController()
        const outcome = outcomeOf({ key: "a", kind: "sleep", ms: 60_000 }, { signal: controller.signal })
        controller.abort(new Error("stop"))
        assert.equal(await outcome, "aborted")
    })
})

describe("what a producer's earlier lives did", () => {
    const task = (life: number) =>
        ({
            role: "producer",
            index: 1,
            options: { process: `producer-1.${life}` },
            recordsFile: join(folder, `producer-1.${life}.jsonl`),
        }) as ProgramTask

    it("is nothing in the first life", () => {
        writeFileSync(join(folder, "producer-1.1.jsonl"), "")
        assert.deepEqual(pastOf(task(1)), { since: undefined, numAcked: 0 })
    })

    it("is counted over all of them, and of no other producer", () => {
        const acked = `${JSON.stringify({ at: 9, kind: "acked", key: "x".repeat(500) })}\n`
        writeFileSync(join(folder, "producer-1.1.jsonl"), `{"at":5,"kind":"started"}\n${acked.repeat(5_000)}`)
        writeFileSync(join(folder, "producer-1.2.jsonl"), `{"at":8,"kind":"started"}\n${acked}{"at":`)
        writeFileSync(join(folder, "producer-11.1.jsonl"), `{"at":1,"kind":"started"}\n${acked}`)
        assert.deepEqual(pastOf(task(3)), { since: 5, numAcked: 5_001 })
    })
})

describe("a transaction of one's own", () => {
    let server: PostgresServer
    let pool: pg.Pool
    before(async () => {
        server = await PostgresServer.start({ version: 18, flags: ["fsync=off"] })
        pool = makePool({ connectionString: server.connectionString, process: "p", max: 1 })
        await pool.query("create table own (id integer)")
    })
    after(async () => {
        await pool?.end()
        await server?.destroy()
    })
    beforeEach(() => pool.query("truncate own"))

    const count = async () => Number((await pool.query("select count(*) from own")).rows[0].count)
    const insert = (client: pg.ClientBase) => client.query("insert into own values (1)")

    it("is committed", async () => {
        assert.equal(await inTransaction(pool, async (client) => (await insert(client)).rowCount), 1)
        assert.equal(await count(), 1)
    })

    it("is rolled back when the work throws, which is thrown on", async () => {
        const mind = new Error("another")
        const changed = inTransaction(pool, async (client) => {
            await insert(client)
            throw mind
        })
        await assert.rejects(changed, (error) => error === mind)
        assert.equal(await count(), 0)
    })

    it("says when a commit only rolled back", async () => {
        const failed = inTransaction(pool, async (client) => {
            await insert(client)
            await client.query("select 1/0").catch(() => undefined)
        })
        await assert.rejects(failed, /answered ROLLBACK/)
        assert.equal(await count(), 0)
    })

    it("does not know what became of a commit whose connection broke, and uses another one next", async () => {
        const broken = inTransaction(pool, async (client) => {
            await insert(client)
            await client.query("select pg_terminate_backend(pg_backend_pid())").catch(() => undefined)
        })
        await assert.rejects(broken, UnknownOutcomeError)
        assert.equal(await count(), 0)
    })
})
