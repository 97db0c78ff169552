import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Config, type WorkerEventLoopBlocked } from "../../src/index.ts"
import { LeaseKeeper } from "../../src/work/lease-keeper.ts"
import { spawnWorker } from "../support/child-worker.ts"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue, queueURL } from "../support/with-schema.ts"

/** Keeps the event loop of this process busy. */
function block(ms: number): void {
    const endMs = performance.now() + ms
    while (performance.now() < endMs);
}

function blockedEvent({ events }: Queue): Promise<WorkerEventLoopBlocked> {
    return eventually(() => events.find((event) => event.eventType === "worker-event-loop-blocked"))
}

function isDequeued({ events }: Queue): boolean {
    return events.some(({ eventType }) => eventType === "worker-job-dequeue")
}

describe.runIf(hasServer())("a job function that blocks the event loop", () => {
    it("for several leases keeps its job, and an event says for how long it blocked", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => block(2_500), { lockIntervalMs: 800, numAttempts: 3 })
        queue.worker()
        await job.defer({ payload: {} })
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1, token: 1, errors: null })
        const { delayMs, isLeaseRenewed } = await blockedEvent(queue)
        expect(isLeaseRenewed).toBe(true)
        expect(delayMs).toBeGreaterThan(2_000)
        expect(queue.events.map(({ eventType }) => eventType)).not.toContain("worker-job-lease-lost")
    })

    it("does not lose its job to a worker that waits for one", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { lockIntervalMs: 400, numAttempts: 2 })
        const child = spawnWorker(queue, "block")
        await job.defer({ payload: {} })
        await eventually(() => child.attempts.length > 0)
        queue.worker({ processIntervalMs: 20 })
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1, worker: "child" })
        expect(child.attempts).toEqual([1])
        expect(isDequeued(queue)).toBe(false)
    })

    it("may lose it where no thread can connect, and the event says so", async () => {
        const queue = await makeQueue()
        const { hostname: host, port, username: user, password, pathname } = new URL(queueURL())
        const address = {
            connectionString: undefined,
            host,
            port: Number(port),
            user,
            database: pathname.slice(1),
        }
        const pool = makePool({ ...address, password: () => password })
        const config = new Config({ pool, schema: queue.schemaName })
        const job = define(config, () => block(1_500), { lockIntervalMs: 60_000 })
        queue.worker({ config })
        await job.defer({ payload: {} })
        expect(await blockedEvent(queue)).toMatchObject({ isLeaseRenewed: false })
        expect((await finalized(queue, 1))[0]).toMatchObject({ outcome: "succeeded" })
    })
})

describe.runIf(hasServer())("the thread that renews leases", () => {
    async function makeKeeper(): Promise<{ queue: Queue; keeper: LeaseKeeper }> {
        const queue = await makeQueue()
        const core = coreOf(queue.config)
        return { queue, keeper: new LeaseKeeper({ core, worker: "keeper", onError: () => undefined }) }
    }

    it("is there while jobs are held, and no longer", async () => {
        const { keeper } = await makeKeeper()
        const job = { id: 1, token: 1, onLeaseLost: () => undefined }
        const leaseID = await keeper.leaseFor(300)
        expect(keeper.hasStandby).toBe(false)
        keeper.hold(leaseID, job)
        expect(keeper.hasStandby).toBe(true)
        keeper.drop(leaseID, job)
        await eventually(() => !keeper.hasStandby)
        keeper.hold(leaseID, job)
        expect(keeper.hasStandby).toBe(true)
        await keeper.close()
        expect(keeper.hasStandby).toBe(false)
    })

    it("is one for all workers of a Config", async () => {
        const { queue, keeper } = await makeKeeper()
        const other = new LeaseKeeper({
            core: coreOf(queue.config),
            worker: "other",
            onError: () => undefined,
        })
        for (const each of [keeper, other]) {
            each.hold(await each.leaseFor(60_000), { id: 1, token: 1, onLeaseLost: () => undefined })
        }
        await other.close()
        expect(other.hasStandby).toBe(false)
        expect(keeper.hasStandby).toBe(true)
        await keeper.close()
    })

    it("does not bring back a lease that was revoked", async () => {
        const { queue, keeper } = await makeKeeper()
        let isLost = false
        const job = {
            id: 1,
            token: 1,
            onLeaseLost: () => {
                isLost = true
            },
        }
        const leaseID = await keeper.leaseFor(800)
        keeper.hold(leaseID, job)
        const revoke = `update ${queue.schema}.lease set revoked_by = pg_current_xact_id()`
        await queue.sql.query(revoke)
        block(1_600)
        expect(keeper.isHeld(leaseID, job)).toBe(false)
        await eventually(() => isLost)
        await keeper.close()
    })
})
