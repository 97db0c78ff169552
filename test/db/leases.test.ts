import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { LeaseLostError } from "../../src/index.ts"
import { type ClaimedJob, claimJobs } from "../../src/statements/claim-jobs.ts"
import { claimLimitedJobs } from "../../src/statements/claim-limited-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { LeaseKeeper } from "../../src/work/lease-keeper.ts"
import { aborted, define } from "../support/define.ts"
import { finalized, rowID } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openDirectSession, openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

/** What happens to the lease of a worker that went silent, without the wait. */
function revokeLeases({ sql, schema }: Queue, leaseID?: number): Promise<unknown> {
    return sql.query(
        `update ${schema}.lease set expires_at = clock_timestamp() - interval '1 s', revoked_by = pg_current_xact_id()
        where $1::bigint is null or id = $1`,
        [leaseID ?? null],
    )
}

async function isRunning(queue: Queue, token = 1): Promise<boolean> {
    const [job] = await queue.jobs()
    return job?.state === "running" && job.token === token
}

describe("leases", () => {
    it("are renewed while the handler runs, so a job longer than its lease runs once", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened, { lockIntervalMs: 300, numAttempts: 3 })
        queue.worker()
        queue.worker()
        queue.orchestrator()
        await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        const held = `select extract(epoch from expires_at - created_at) > 1.2 as is_long from ${queue.schema}.lease
            where id = (select lease_id from ${queue.schema}.job)`
        await eventually(async () => (await queue.sql.query(held)).rows[0]?.is_long)
        gate.open()
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1, errors: null })
        expect(queue.events.filter(({ eventType }) => eventType === "worker-job-dequeue")).toHaveLength(1)
    })

    it("that are given up are followed by one, whether a claim or a job that moves asks for it first", async () => {
        const queue = await makeQueue()
        const core = coreOf(queue.config)
        const openings: (() => void)[] = []
        let isHeldUp = false
        const keeper = new LeaseKeeper({
            core: {
                ...core,
                run: async (text, values) => {
                    const isOpening = isHeldUp && text.includes("-- cuckmq: open-lease")
                    if (isOpening) await new Promise<void>((resolve) => openings.push(resolve))
                    return core.run(text, values)
                },
            },
            worker: "keeper",
            onError: () => undefined,
        })
        const leaseID = await keeper.leaseFor(60_000)
        keeper.hold(leaseID, { id: 1, token: 1, onLeaseLost: () => undefined })
        isHeldUp = true
        keeper.abandon()
        const claiming = keeper.leaseFor(60_000)
        await eventually(() => openings.length > 0)
        const seen = `select count(*) as num from ${queue.schema}.lease where id = $1 and expires_at - created_at > interval '60 s'`
        // The lease that was given up is renewed once more, and then its job moves.
        await eventually(async () => Number((await queue.sql.query(seen, [leaseID])).rows[0]?.num) === 1)
        await queue.sql.query("select 1")
        isHeldUp = false
        for (const open of openings) open()
        await claiming
        const live = `select id from ${queue.schema}.lease where revoked_by is null`
        await eventually(
            async () => !(await queue.sql.query(live)).rows.some(({ id }) => Number(id) === leaseID),
        )
        expect((await queue.sql.query(live)).rows).toHaveLength(1)
        await keeper.close()
    })

    it.runIf(hasServer())(
        "that are given up let go of each job as soon as nobody holds it locked",
        async () => {
            const queue = await makeQueue()
            const { run, schema, ...core } = coreOf(queue.config)
            const keeper = new LeaseKeeper({
                core: { run, schema, ...core },
                worker: "keeper",
                onError: () => undefined,
            })
            const job = define(queue.config, () => undefined)
            await job.deferMany([{ payload: {} }, { payload: {} }])
            const leaseID = await keeper.leaseFor(60_000)
            const definitionID = Number((await queue.jobs())[0]?.definition_id)
            const lanes = [{ definitionID, leaseID, priority: 0, cursor: 0 }]
            for (const claimed of await claimJobs({ run, schema, lanes, limit: 2 }))
                keeper.hold(leaseID, { ...claimed, onLeaseLost: () => undefined })
            const session = await openDirectSession()
            await session.query("begin")
            await session.query(
                `select from ${schema}.job where id = (select min(id) from ${schema}.job) for update`,
            )
            keeper.abandon()
            const isMoved = async (index: number) => Number((await queue.jobs())[index]?.lease_id) !== leaseID
            await eventually(() => isMoved(1))
            expect(await isMoved(0)).toBe(false)
            await session.query("commit")
            await eventually(() => isMoved(0))
            expect(await queue.jobs()).toMatchObject([
                { state: "running", attempt: 1 },
                { state: "running", attempt: 1 },
            ])
            await keeper.close()
        },
    )

    it("are never so short that jobs go round without being run", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { lockIntervalMs: 0.01 })
        queue.worker()
        await job.defer({ payload: {} })
        expect(await finalized(queue, 1)).toMatchObject([{ outcome: "succeeded", attempt: 1 }])
    })

    it.runIf(hasServer()).each(["lapses", "is locked for a moment"])(
        "that are given up keep a job that moved, though the answer was lost, when its old lease or row %s",
        async (what) => {
            const queue = await makeQueue()
            const { run, schema, ...core } = coreOf(queue.config)
            const session = await openDirectSession()
            let firstLeaseID = 0
            let numMoves = 0
            let hasReturned = false
            const keeper = new LeaseKeeper({
                core: {
                    ...core,
                    schema,
                    run: async (text, values) => {
                        const isFirstMove = text.includes("-- cuckmq: move-jobs") && numMoves++ === 0
                        const isReturning = text.includes("-- cuckmq: return-lost-claims")
                        if (isReturning && !hasReturned) await session.query("commit")
                        const rows = await run(text, values)
                        hasReturned ||= isReturning
                        if (!isFirstMove) return rows
                        await session.query("begin")
                        if (what === "lapses") await revokeLeases(queue, firstLeaseID)
                        else await session.query(`select from ${schema}.job for update`)
                        // The answer to a claim under the lease that the job moved to is lost as well.
                        keeper.abandon()
                        throw new Error("Connection terminated unexpectedly")
                    },
                },
                worker: "keeper",
                onError: () => undefined,
            })
            const job = define(queue.config, () => undefined)
            await job.defer({ payload: {} })
            firstLeaseID = await keeper.leaseFor(60_000)
            const definitionID = Number((await queue.jobs())[0]?.definition_id)
            const lanes = [{ definitionID, leaseID: firstLeaseID, priority: 0, cursor: 0 }]
            const [claimed] = await claimJobs({ run, schema, lanes, limit: 1 })
            const held = { ...(claimed as ClaimedJob), onLeaseLost: () => undefined }
            keeper.hold(firstLeaseID, held)
            keeper.abandon()
            await eventually(() => hasReturned)
            expect(await queue.jobs()).toMatchObject([{ state: "running", attempt: 1, token: 1 }])
            keeper.drop(firstLeaseID, held)
            await keeper.close()
        },
    )

    it("that were revoked, or are gone, get no jobs: nobody would take them back", async () => {
        const queue = await makeQueue()
        const { run, schema } = coreOf(queue.config)
        const [plain, limited] = [{}, { name: "limited", releaseIntervalMs: 1 }].map((options) =>
            define(queue.config, () => undefined, options),
        )
        await plain?.defer({ payload: {} })
        await limited?.defer({ payload: {} })
        const definitionIDs = (await queue.jobs()).map((job) => Number(job.definition_id))
        const leaseID = await openLease({ run, schema, worker: "frozen", intervalMs: 60_000 })
        const leased = definitionIDs.map((definitionID) => ({ definitionID, leaseID }))
        const lanes = leased.map((lane) => ({ ...lane, priority: 0, cursor: 0 }))
        for (const change of [
            "update %.lease set revoked_by = pg_current_xact_id()",
            "delete from %.lease",
        ]) {
            await queue.sql.query(change.replace("%", queue.schema))
            expect(await claimJobs({ run, schema, lanes, limit: 10 })).toEqual([])
            expect(await claimLimitedJobs({ run, schema, definitions: leased, limit: 10 })).toEqual([])
        }
        expect(await queue.jobs()).toMatchObject([{ state: "ready" }, { state: "ready" }])
    })

    it("that are lost abort the signal with LeaseLostError and raise an event", async () => {
        const queue = await makeQueue()
        let reason: unknown
        const job = define(
            queue.config,
            async (_payload, { signal }) => {
                reason = await aborted(signal)
            },
            { lockIntervalMs: 500, numAttempts: 1 },
        )
        const worker = queue.worker({ processIntervalMs: 60_000 })
        const jobID = await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        await revokeLeases(queue)
        await eventually(() => reason)
        expect(reason).toBeInstanceOf(LeaseLostError)
        expect(queue.events).toContainEqual({
            eventType: "worker-job-lease-lost",
            jobID,
            jobName: "job",
            attempt: 1,
        })
        worker.stop()
        await worker.join()
    })

    it("that lapsed let the outcome be recorded while nobody else has claimed the job", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened.then(() => "late"), {
            lockIntervalMs: 300,
            // It may be taken back, but its only slot is taken, so nobody claims it.
            numAttempts: 1,
        })
        const worker = queue.worker({ processIntervalMs: 60_000 })
        await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        await revokeLeases(queue)
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-lease-lost"))
        // Else it might claim the job again before it has recorded the outcome.
        worker.stop()
        gate.open()
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1, token: 1, result: "late" })
    })

    it("that lapsed give the job to one of two waiting workers, with the loss on record", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        let numRuns = 0
        const job = define(
            queue.config,
            (_payload, { attempt }) => {
                numRuns++
                return attempt === 1 ? gate.opened : undefined
            },
            { numAttempts: 5 },
        )
        const silent = queue.worker({ name: "silent", processIntervalMs: 60_000 })
        await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        queue.worker({ name: "one" })
        queue.worker({ name: "two" })
        await revokeLeases(queue)
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 2, token: 2 })
        expect(row?.errors).toMatchObject([{ attempt: 1, name: "LeaseLostError", worker: "silent" }])
        gate.open()
        silent.stop()
        await silent.join()
        expect(numRuns).toBe(2)
        expect(await queue.history()).toEqual([row])
    })

    it("of workers that are gone are removed", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await finalized(queue, 1)
        const count = `select count(*)::int as n from ${queue.schema}.lease`
        expect((await queue.sql.query(count)).rows).toEqual([{ n: 1 }])
        worker.stop()
        await worker.join()
        queue.orchestrator()
        await eventually(async () => (await queue.sql.query(count)).rows[0]?.n === 0)
    })

    it.skipIf(!hasServer())("cannot be renewed once a revocation that came first has committed", async () => {
        const queue = await makeQueue()
        let reason: unknown
        const job = define(
            queue.config,
            async (_payload, { signal }) => {
                reason = await aborted(signal)
            },
            { lockIntervalMs: 600, numAttempts: 1 },
        )
        queue.worker({ processIntervalMs: 60_000 })
        await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        const session = await openSession()
        await session.query("begin")
        await session.query(`update ${queue.schema}.lease set revoked_by = pg_current_xact_id()`)
        await untilWaitingForLock(queue)
        expect(reason).toBeUndefined()
        await session.query("commit")
        await eventually(() => reason)
        expect(reason).toBeInstanceOf(LeaseLostError)
    })

    it.skipIf(!hasServer())("are not revoked while their renewal is under way", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened, { numAttempts: 1 })
        const other = define(queue.config, () => undefined, { name: "other", channel: "other" })
        queue.worker({ processIntervalMs: 60_000 })
        const jobID = await job.defer({ payload: {} })
        await eventually(() => isRunning(queue))
        const session = await openSession()
        const { schema } = queue
        await session.query(`update ${schema}.lease set expires_at = clock_timestamp() - interval '1 s'`)
        await session.query("begin")
        await session.query(`update ${schema}.lease set expires_at = clock_timestamp() + interval '1 min'`)
        const looker = queue.worker({ channel: "other" })
        await other.defer({ payload: {} })
        await finalized(queue, 1)
        looker.stop()
        await looker.join()
        await session.query("commit")
        expect(await queue.jobs()).toMatchObject([{ id: rowID(jobID), state: "running", token: 1 }])
        gate.open()
        expect(await finalized(queue, 2)).toMatchObject([{ attempt: 1 }, { attempt: 1 }])
    })
})
