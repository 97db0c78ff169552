import { describe, expect, it } from "vitest"
import { runOnClient } from "../../src/db/database.ts"
import type { Run } from "../../src/db/driver.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { define } from "../support/define.ts"
import { makeEffects } from "../support/effects.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

/** A queue with a definition whose jobs wait for `go`, complete themselves, and wait for `end` before they commit. */
async function makeCompletingQueue(params: {
    isolation?: "repeatable read" | "serializable"
    numAttempts?: number
}) {
    const { isolation, numAttempts = 0 } = params
    const queue = await makeQueue()
    const effects = await makeEffects(queue)
    const gates = { begun: makeGate(), go: makeGate(), completed: makeGate(), end: makeGate() }
    const errors: unknown[] = []
    const required = define(
        queue.config,
        (_payload, { attempt, complete }) =>
            effects.inTransaction(
                attempt,
                async (client) => {
                    gates.begun.open()
                    await gates.go.opened
                    await complete({ client }).catch((error: unknown) => {
                        errors.push(error)
                        throw error
                    })
                    gates.completed.open()
                    await gates.end.opened
                },
                isolation,
            ),
        { name: "required", numAttempts },
    )
    const dependent = define(queue.config, () => undefined, { name: "dependent" })
    return { queue, effects, gates, errors, required, dependent }
}

describe.skipIf(!hasServer())("a dependent that is deferred while its required job is completed", () => {
    it("in a transaction that locked the job first is released by the completion, which waits", async () => {
        const { queue, effects, gates, required, dependent } = await makeCompletingQueue({})
        gates.end.open()
        queue.worker()
        const requiredID = await required.defer({ payload: {} })
        await gates.begun.opened
        const session = await openSession()
        await session.query("begin")
        const dependentID = await dependent.defer({
            payload: {},
            dependencies: [requiredID],
            client: session,
        })
        gates.go.open()
        await untilWaitingForLock(queue)
        await session.query("commit")
        const rows = await finalizedJobs(queue, [requiredID, dependentID])
        expect(rows.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
            ["succeeded", 1],
            ["succeeded", 1],
        ])
        expect(await effects.attempts()).toEqual([1])
    })

    it("keeps it waiting as long as its lock_timeout says, and its transaction usable", async () => {
        const { queue, dependent } = await makeCompletingQueue({})
        const effects = await makeEffects(await makeQueue())
        const [begun, locked] = [makeGate(), makeGate()]
        const deferring = await openSession()
        let error: unknown
        const job = define(queue.config, (_payload, { attempt, complete }) =>
            effects.inTransaction(attempt, async (client) => {
                begun.open()
                await locked.opened
                await client.query("set local lock_timeout = '50ms'")
                await complete({ client }).catch((thrown: unknown) => {
                    error = thrown
                })
                await deferring.query("commit")
                await complete({ client })
                const { rows } = await client.query("show lock_timeout")
                expect(rows).toEqual([{ lock_timeout: "50ms" }])
            }),
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        await begun.opened
        await deferring.query("begin")
        const dependentID = await dependent.defer({
            payload: {},
            dependencies: [jobID],
            client: deferring,
        })
        locked.open()
        const rows = await finalizedJobs(queue, [jobID, dependentID])
        expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"])
        expect(error).toMatchObject({ code: "CUCKMQ_DATABASE", sqlState: "55P03", retryable: true })
        expect(await effects.attempts()).toEqual([1])
    })

    it("after the job was completed waits for the commit, and then has nothing to wait for", async () => {
        const { queue, gates, required, dependent } = await makeCompletingQueue({})
        gates.go.open()
        queue.worker()
        const requiredID = await required.defer({ payload: {} })
        await gates.completed.opened
        const deferred = dependent.defer({ payload: {}, dependencies: [requiredID] })
        await untilWaitingForLock(queue)
        gates.end.open()
        expect(await finalizedJob(queue, await deferred)).toMatchObject({ outcome: "succeeded" })
    })

    it.each(["repeatable read", "serializable"] as const)(
        "is not left behind by a completion that cannot see it, since that is %s",
        async (isolation) => {
            const { queue, effects, gates, errors, required, dependent } = await makeCompletingQueue({
                isolation,
                numAttempts: 1,
            })
            gates.end.open()
            const requiredID = await required.defer({ payload: {} })
            // With this one the job is flagged, so that the next one finds nothing to change about it.
            const seenID = await dependent.defer({ payload: {}, dependencies: [requiredID] })
            queue.worker()
            await gates.begun.opened
            const unseenID = await dependent.defer({ payload: {}, dependencies: [requiredID] })
            gates.go.open()
            const rows = await finalizedJobs(queue, [requiredID, seenID, unseenID])
            expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "succeeded"])
            expect(errors).toEqual([
                expect.objectContaining({ code: "CUCKMQ_DATABASE", sqlState: "40001", retryable: true }),
            ])
            expect(rows[0]).toMatchObject({ attempt: 2 })
            expect(await effects.attempts()).toEqual([2])
        },
    )
})

describe.skipIf(!hasServer())("deferring a dependent of a job that is being claimed", () => {
    it("writes the job, so that a completion with an older snapshot fails", async () => {
        const queue = await makeQueue()
        const { schema } = queue
        const job = define(queue.config, () => undefined)
        const requiredID = await job.defer({ payload: {} })
        await job.defer({ payload: {}, dependencies: [requiredID] })
        const [claiming, deferring] = [await openSession(), await openSession()]
        const run: Run = (text, values) => runOnClient(claiming, text, values)
        const leaseID = await openLease({
            run,
            schema: quoteSchema(queue.schemaName),
            worker: "worker",
            intervalMs: 60_000,
        })
        const { definition_id } = (await queue.jobs())[0] ?? {}
        const lane = { definitionID: Number(definition_id), priority: 0, leaseID, cursor: 0 }
        await claiming.query("begin")
        await claimJobs({ run, schema: quoteSchema(queue.schemaName), lanes: [lane], limit: 1 })
        await deferring.query("begin")
        const deferred = job.defer({ payload: {}, dependencies: [requiredID], client: deferring })
        await untilWaitingForLock(queue)
        await claiming.query("commit")
        await deferred
        const { rows } = await deferring.query(
            `select state, xmin = pg_current_xact_id()::xid as is_written from ${schema}.job where id = $1`,
            [requiredID],
        )
        expect(rows).toEqual([{ state: "running", is_written: true }])
        await deferring.query("rollback")
    })
})

describe.skipIf(!hasServer())("a dependent of two jobs", () => {
    it("of which one is completed and the other ends meanwhile runs once, and others do not wait", async () => {
        const { queue, gates, required, dependent } = await makeCompletingQueue({})
        const otherGate = makeGate()
        const other = define(queue.config, () => otherGate.opened, { name: "other" })
        queue.worker({ concurrency: 10 })
        const ids = [await required.defer({ payload: {} }), await other.defer({ payload: {} })]
        const dependentID = await dependent.defer({ payload: {}, dependencies: ids })
        gates.go.open()
        await gates.completed.opened
        otherGate.open()
        await untilWaitingForLock(queue)
        const plainIDs = await dependent.deferMany(Array.from({ length: 20 }, () => ({ payload: {} })))
        await finalizedJobs(queue, plainIDs)
        expect((await queue.jobs()).map(({ state }) => state)).toEqual(["running", "running", "blocked"])
        gates.end.open()
        expect(await finalizedJob(queue, dependentID)).toMatchObject({ outcome: "succeeded", attempt: 1 })
        await eventually(async () => (await queue.jobs()).length === 0)
    })
})
