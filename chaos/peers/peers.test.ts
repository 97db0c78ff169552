import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { pause } from "../pause.ts"
import { Cluster } from "../servers/cluster.ts"
import { addressOf, grantRecords, makeRoles, PEER_ROLE, SCHEMA } from "../servers/role.ts"
import { TRANSITION_TABLE } from "../transitions.ts"
import { NUM_RETRIES, type Plan } from "../workload.ts"
import { PEER_NAMES, peerOf } from "./index.ts"
import type { Daemon, Handler, Peer, PeerOptions, Producer } from "./peer.ts"

const WAIT_MS = 60_000

interface Row {
    change: string
    attempt: number
    owner: string | null
    job_kind: string
    is_due: boolean
}

/** A server with a peer's tables, its triggers, a worker and an orchestrator. */
class Queue {
    readonly peer: Peer
    readonly cluster: Cluster
    readonly runs: { key: string | null; attempt: number; jobID: string }[] = []
    readonly #folder: string
    readonly #daemons: Daemon[] = []
    #producer: Producer | undefined

    private constructor(peer: Peer, folder: string, cluster: Cluster) {
        this.peer = peer
        this.#folder = folder
        this.cluster = cluster
    }

    static async start(peer: Peer): Promise<Queue> {
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-peers-"))
        const queue = new Queue(peer, folder, await Cluster.start("test", folder))
        const { admin } = queue.cluster
        await makeRoles(admin)
        await peer.prepare(queue.options("prepare"))
        await admin.query(TRANSITION_TABLE)
        await admin.query(peer.auditText(SCHEMA))
        await grantRecords(admin)
        await peer.prepareAgain(queue.options("prepare-again"))
        return queue
    }

    options(process: string): PeerOptions {
        const connectionString = addressOf({ role: PEER_ROLE, port: this.cluster.port })
        return { process, connectionString, schema: SCHEMA, maxConnections: 5, seed: 1 }
    }

    async work(): Promise<void> {
        const handler: Handler = async (todo, { attempt, jobID, complete }) => {
            this.runs.push({ key: todo.key, attempt, jobID })
            if (todo.kind === "effect") await this.transaction(async (client) => complete?.(client), "commit")
            if (todo.kind === "hopeless") throw new Error("always")
            if (todo.kind === "flaky" && attempt <= (todo.failures ?? 0)) throw new Error("not yet")
        }
        const onEvent = () => undefined
        const orchestrator = await this.peer.startOrchestrator?.(this.options("orchestrator-1.1"), onEvent)
        if (orchestrator !== undefined) this.#daemons.push(orchestrator)
        this.#daemons.push(
            await this.peer.startWorker(this.options("worker-1.1"), { concurrency: 4, handler, onEvent }),
        )
        this.#producer = await this.peer.startProducer(this.options("producer-1.1"))
    }

    get producer(): Producer {
        assert.ok(this.#producer)
        return this.#producer
    }

    async deferOne(plan: Plan, requiredIDs: readonly string[] = []): Promise<string> {
        const [id] = await this.producer.defer([{ plan, requiredIDs }])
        assert.ok(id)
        return id
    }

    /** Resolves when a job has come to its end, with all that happened to it. */
    async ended(jobID: string): Promise<Row[]> {
        for (const untilMs = performance.now() + WAIT_MS; performance.now() < untilMs; await pause(50)) {
            const rows = await this.rows("job_id = $1", jobID)
            if (rows.some(({ change }) => change === "succeeded" || change === "failed")) return rows
        }
        throw new Error(`${jobID} has not ended: ${JSON.stringify(await this.rows("job_id = $1", jobID))}`)
    }

    async rows(condition: string, value: string): Promise<Row[]> {
        const { rows } = await this.cluster.admin.query<Row>(
            `select change, attempt, owner, job_kind, due_at <= at as is_due
            from chaos.transition where ${condition} order by seq`,
            [value],
        )
        return rows
    }

    async transaction(work: (client: pg.ClientBase) => Promise<unknown>, end: "commit" | "rollback") {
        const client = await this.cluster.admin.connect()
        await client.query("begin")
        await work(client)
        await client.query(end)
        client.release()
    }

    async end(): Promise<void> {
        for (const daemon of this.#daemons) daemon.stop()
        await Promise.all(this.#daemons.map((daemon) => daemon.join(1_000)))
        await this.#producer?.close()
        await this.cluster.destroy()
        rmSync(this.#folder, { recursive: true, force: true })
    }
}

/** What a job went through, without its moves from one waiting state to another. */
function changes(rows: readonly Row[]): string[] {
    return rows.map(({ change }) => change).filter((change) => change !== "waiting" && change !== "swept")
}

for (const name of PEER_NAMES) {
    describe(`the triggers of ${name}`, () => {
        let queue: Queue
        before(async () => {
            queue = await Queue.start(await peerOf(name))
            await queue.work()
        })
        after(() => queue.end())

        it("tell of a job that succeeds, by whom, and what it is", async () => {
            const id = await queue.deferOne({ key: "a", kind: "noop" })
            const rows = await queue.ended(id)
            assert.deepEqual(changes(rows), ["inserted", "claimed", "succeeded"])
            assert.deepEqual([...new Set(rows.map(({ job_kind }) => job_kind))], ["noop"])
            assert.equal(await ownerOf(queue, rows), "worker-1.1")
            assert.deepEqual(
                queue.runs.filter(({ key }) => key === "a"),
                [{ key: "a", attempt: 1, jobID: id }],
            )
        })

        it("tell of each attempt of a job that fails once", async () => {
            const rows = await queue.ended(await queue.deferOne({ key: "b", kind: "flaky", failures: 1 }))
            assert.deepEqual(changes(rows), ["inserted", "claimed", "retried", "claimed", "succeeded"])
            assert.deepEqual(
                rows.filter(({ change }) => change === "claimed").map(({ attempt }) => attempt),
                [1, 2],
            )
        })

        it("tell that a delayed job is claimed when it is due", async () => {
            const rows = await queue.ended(await queue.deferOne({ key: "c", kind: "delayed", delayMs: 700 }))
            assert.equal(rows.find(({ change }) => change === "inserted")?.is_due, false)
            assert.equal(rows.find(({ change }) => change === "claimed")?.is_due, true)
        })

        it("tell of what a caller's transaction defers if it commits, and else of nothing", async () => {
            const jobs = (...keys: string[]) =>
                keys.map((key) => ({ plan: { key, kind: "noop" } as const, requiredIDs: [] }))
            let ids: string[] = []
            await queue.transaction(async (client) => {
                ids = (await queue.producer.deferIn?.(client, jobs("d", "e"))) ?? []
            }, "commit")
            await queue.transaction(
                (client) => queue.producer.deferIn?.(client, jobs("f")) as Promise<unknown>,
                "rollback",
            )
            for (const id of ids)
                assert.deepEqual(changes(await queue.ended(id)), ["inserted", "claimed", "succeeded"])
            assert.equal(ids.length, 2)
            assert.deepEqual(await queue.rows("key = $1", "f"), [])
        })

        it("tell of many that are deferred at once, each under its own id", async () => {
            const plans = Array.from({ length: 30 }, (_, i) => ({ key: `g${i}`, kind: "noop" }) as const)
            const ids = await queue.producer.defer(plans.map((plan) => ({ plan, requiredIDs: [] })))
            for (const [i, id] of ids.entries()) {
                await queue.ended(id)
                assert.equal(queue.runs.find(({ jobID }) => jobID === id)?.key, `g${i}`)
            }
        })

        it("tell of all attempts of a job that always fails", async (t) => {
            if (!queue.peer.kinds.has("hopeless")) return t.skip("it has no such jobs")
            const rows = await queue.ended(await queue.deferOne({ key: "h", kind: "hopeless" }))
            assert.equal(rows.filter(({ change }) => change === "claimed").length, NUM_RETRIES + 1)
            assert.equal(changes(rows).at(-1), "failed")
        })

        it("tell of a dead letter that is replayed, and of no other replay of it", async (t) => {
            const { findDeadLetters, replay } = queue.producer
            if (findDeadLetters === undefined || replay === undefined) return t.skip("it has no dead letters")
            const id = await queue.deferOne({ key: "r", kind: "hopeless" })
            await queue.ended(id)
            assert.ok((await findDeadLetters("hopeless")).includes(id))
            assert.deepEqual((await Promise.all([replay(id), replay(id)])).sort(), [false, true])
            const again = (await queue.rows("job_id = $1", id)).map(({ change }) => change)
            assert.deepEqual(again.slice(again.indexOf("failed"), again.indexOf("failed") + 3), [
                "failed",
                "replayed",
                "inserted",
            ])
            const { rows } = await queue.cluster.admin.query(
                "select process, is_live, has_payload, has_errors, token - letter_token as raised, attempt from chaos.replay",
            )
            const whole = { is_live: true, has_payload: true, has_errors: true, raised: 1, attempt: 0 }
            assert.deepEqual(rows, [{ process: "producer-1.1", ...whole }])
        })

        it("tell of the end of a job that leaves nothing behind", async (t) => {
            if (!queue.peer.kinds.has("unkept")) return t.skip("it has no such jobs")
            const id = await queue.deferOne({ key: "u", kind: "unkept" })
            for (const untilMs = performance.now() + WAIT_MS; performance.now() < untilMs; await pause(50))
                if ((await queue.rows("job_id = $1", id)).length === 3) break
            assert.deepEqual(changes(await queue.rows("job_id = $1", id)), ["inserted", "claimed", "deleted"])
        })

        it("tell once of a job that completes in a transaction of its own", async (t) => {
            if (!queue.peer.kinds.has("effect")) return t.skip("it has no such jobs")
            const id = await queue.deferOne({ key: "k", kind: "effect" })
            assert.deepEqual(changes(await queue.ended(id)), ["inserted", "claimed", "succeeded"])
        })

        it("tell that a dependent is claimed after what it requires", async (t) => {
            if (!queue.peer.kinds.has("dependent")) return t.skip("it has no such jobs")
            const first = await queue.deferOne({ key: "i", kind: "delayed", delayMs: 300 })
            const second = await queue.deferOne({ key: "j", kind: "dependent", requires: ["i"] }, [first])
            assert.deepEqual(changes(await queue.ended(second)), ["inserted", "claimed", "succeeded"])
            const { rows } = await queue.cluster.admin.query(
                "select job_id from chaos.transition where job_id = any($1) and change in ('succeeded', 'claimed') order by seq",
                [[first, second]],
            )
            assert.deepEqual(
                rows.map(({ job_id }) => job_id),
                [first, first, second, second],
            )
        })

        it("tell when finished jobs are removed", async (t) => {
            if (name === "graphile-worker") return t.skip("it removes them at once")
            for (const untilMs = performance.now() + WAIT_MS; performance.now() < untilMs; await pause(100)) {
                const rows = await queue.rows("key = $1", "a")
                if (rows.at(-1)?.change === "swept") return
            }
            assert.fail("never swept")
        })

        it("leave nothing unfinished but what the schedule defers", async () => {
            for (const untilMs = performance.now() + WAIT_MS; performance.now() < untilMs; await pause(50)) {
                const { rows } = await queue.cluster.admin.query(queue.peer.unfinishedText(SCHEMA))
                if (rows[0].count === "0") return
            }
            assert.fail("something is left")
        })
    })
}

/** The process that claimed a job: by its lease, where it has one. */
async function ownerOf(queue: Queue, rows: readonly Row[]): Promise<string | undefined> {
    const owner = rows.find(({ change }) => change === "claimed")?.owner
    const { rows: leases } = await queue.cluster.admin.query(
        "select worker from chaos.lease_change where owner = $1 limit 1",
        [owner],
    )
    return leases[0]?.worker ?? owner
}
