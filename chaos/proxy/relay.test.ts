import assert from "node:assert/strict"
import { after, before, beforeEach, describe, it } from "node:test"
import pg from "pg"
import { PostgresServer } from "../../test/support/postgres-server.ts"
import { Relay } from "./relay.ts"

const ALL = { share: 1, which: "all" } as const
/** No condition of these tests is waited out: what should happen happens long before. */
const LONG_MS = 20_000

describe("Relay", () => {
    let server: PostgresServer
    let relay: Relay
    let direct: pg.Client
    let address: string

    before(async () => {
        server = await PostgresServer.start({ version: 18, flags: ["fsync=off"] })
        relay = new Relay({ serverPort: server.port, random: () => 0 })
        const url = new URL(server.connectionString)
        url.port = String(await relay.listen())
        address = url.href
        direct = new pg.Client({ connectionString: server.connectionString })
        await direct.connect()
        await direct.query("create table job (id integer)")
    })

    beforeEach(() => direct.query("truncate job"))

    after(async () => {
        relay.close()
        await direct.end()
        await server.destroy()
    })

    async function connect(): Promise<pg.Client> {
        const client = new pg.Client({ connectionString: address })
        client.on("error", () => undefined)
        await client.connect()
        return client
    }

    async function numRows(): Promise<number> {
        return Number((await direct.query("select count(*) as n from job")).rows[0].n)
    }

    it("passes on what is large, in small pieces too", async () => {
        const client = await connect()
        const text = "ü".repeat(300_000)
        const splitting = relay.split({ forMs: 300 })
        for (let round = 0; round < 3; round++) {
            const { rows } = await client.query("select $1::text as text", [text])
            assert.equal(rows[0].text, text)
        }
        await splitting
        await client.end()
    })

    it("loses the answer to a COMMIT that was done", async () => {
        const client = await connect()
        await client.query("begin")
        await client.query("insert into job values (1)")
        const lost = relay.loseAnswers({ matching: "commit", count: 1, forMs: LONG_MS })
        await assert.rejects(client.query("commit"))
        assert.equal(await lost, 1)
        assert.equal(await numRows(), 1)
    })

    it("loses the answer to a statement that committed by itself, and to no refusal", async () => {
        const lost = relay.loseAnswers({ matching: "insert", count: 1, forMs: LONG_MS })
        const client = await connect()
        await assert.rejects(client.query("insert into job values ($1)", ["x"]), { code: "22P02" })
        await client.query("select 1")
        await assert.rejects(
            client.query("insert into job values ($1)", [1]),
            (error: Error) => !("severity" in error),
        )
        assert.equal(await lost, 1)
        assert.equal(await numRows(), 1)
    })

    it("tells the lost answer of a claim from others", async () => {
        const client = await connect()
        const lost = relay.loseAnswers({ matching: "claim", count: 1, forMs: LONG_MS })
        await client.query("insert into job values (1)")
        await assert.rejects(
            client.query("update job set id = 2 where id in (select id from job for update skip locked)"),
        )
        assert.equal(await lost, 1)
        assert.deepEqual((await direct.query("select id from job")).rows, [{ id: 2 }])
    })

    it("holds everything back during a stall, new connections too, and loses nothing of it", async () => {
        const client = await connect()
        const began = performance.now()
        const stalled = relay.stall({ ...ALL, forMs: 500, alsoNew: true })
        const late = connect()
        await client.query("insert into job values (1)")
        assert.ok(performance.now() - began >= 490)
        await (await late).end()
        assert.equal(await stalled, 2)
        await client.end()
    })

    it("makes a black hole: what is sent never arrives, and the session ends with it", async () => {
        const client = await connect()
        const { rows } = await client.query("select pg_backend_pid() as pid")
        const swallowed = relay.swallow({ ...ALL, forMs: 300, alsoNew: false })
        await assert.rejects(client.query("insert into job values (1)"))
        assert.equal(await swallowed, 1)
        assert.equal(await numRows(), 0)
        while (
            (await direct.query("select from pg_stat_activity where pid = $1", [rows[0].pid])).rowCount !== 0
        );
    })

    it("cuts, half closes, and refuses connections", async () => {
        const [one, other] = [await connect(), await connect()]
        assert.equal(relay.reset(ALL), 2)
        await assert.rejects(one.query("select 1"))
        await assert.rejects(other.query("select 1"))
        const third = await connect()
        assert.equal(relay.halfClose({ share: 1, which: "listeners" }), 0)
        await third.query("listen somewhere")
        assert.equal(relay.halfClose({ share: 1, which: "listeners" }), 1)
        await assert.rejects(third.query("select 1"))
        const refused = relay.refuse({ forMs: 200 })
        await assert.rejects(connect(), { code: "ECONNREFUSED" })
        await refused
        await (await connect()).end()
    })

    it("delays, in order", async () => {
        const client = await connect()
        const delayed = relay.delay({ ms: 50, forMs: 300 })
        const began = performance.now()
        await client.query("select 1")
        assert.ok(performance.now() - began >= 95)
        await delayed
        await client.end()
    })
})
