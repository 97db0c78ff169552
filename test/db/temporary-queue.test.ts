import { describe, expect, it } from "vitest"
import { DatabaseError, Inspector, InvalidOptionError, temporaryQueue, Worker } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

describe("a temporary queue", () => {
    it("is one like any other, and goes with all that is in it", async () => {
        const { pool, sql } = await makeQueue({ isPrepared: false })
        const queue = await temporaryQueue({ pool, purpose: "trial_1" })
        const { schema } = queue.config
        expect(schema).toMatch(/^cuckmq_trial_1_[0-9a-f]{24}$/)
        const job = define(queue.config, () => ({ ran: true }))

        const worker = new Worker({ config: queue.config })
        const jobID = await job.defer({ payload: {} })
        const inspector = new Inspector({ config: queue.config })
        await eventually(async () => (await inspector.job(jobID))?.state === "succeeded")
        worker.stop()
        await worker.join()
        const found = async () => {
            const text =
                "select obj_description(oid, 'pg_namespace') as remark from pg_namespace where nspname = $1"
            return (await sql.query(text, [schema])).rows
        }
        expect(await found()).toEqual([{ remark: expect.stringMatching(/temporary .* may be dropped/) }])
        await queue.drop()
        await queue.drop()
        expect(await found()).toEqual([])
    })

    it("is refused for a purpose that is no name, before anything is sent", async () => {
        const { pool } = await makeQueue({ isPrepared: false })
        for (const purpose of ["", "a b", 'x"', "a".repeat(21), "Ünï"])
            await expect(temporaryQueue({ pool, purpose })).rejects.toBeInstanceOf(InvalidOptionError)
        await expect(temporaryQueue({ pool, schema: "x" } as never)).rejects.toBeInstanceOf(
            InvalidOptionError,
        )
    })

    it.skipIf(!hasServer())("says what a role needs that may not make schemas", async () => {
        const pool = makePool({ role: await makeRole({ grants: [] }) })
        const error = await temporaryQueue({ pool }).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(DatabaseError)
        expect(error).toMatchObject({ sqlState: "42501", message: expect.stringContaining("grant create") })
    })
})

describe("Inspector#server", () => {
    it("tells what the server is, on a schema that is not prepared too", async () => {
        const { config } = await makeQueue({ isPrepared: false })
        const { version, roundTripMs, settings } = await new Inspector({ config }).server()
        expect(version).toMatch(/^\d+\.\d+/)
        expect(roundTripMs).toBeGreaterThan(0)
        expect(Object.keys(settings).sort()).toEqual([
            "fsync",
            "full_page_writes",
            "max_connections",
            "max_wal_size",
            "shared_buffers",
            "synchronous_commit",
            "wal_level",
        ])
        expect(settings.synchronous_commit).toBeOneOf(["on", "off"])
    })
})
