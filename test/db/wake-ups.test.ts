import { describe, expect, it } from "vitest"
import { Config, JobDefinition } from "../../src/index.ts"
import { finalizedJob } from "../support/finalized.ts"
import { waitsAround, waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import {
    eventually,
    hasServer,
    hasSessions,
    makePool,
    makeQueue,
    type Queue,
} from "../support/with-schema.ts"

function define(config: Config, options: { name?: string; channel?: string } = {}) {
    const definition = new JobDefinition({
        config,
        name: "definition",
        ...options,
        jobFunction: (_: object) => undefined,
    })
    definition.register()
    return definition
}

/** A worker that would sleep for a minute, and has found nothing to do. */
async function startSleepingWorker(queue: Queue, channel = "_default") {
    const usher = define(queue.config, { name: "usher", channel })
    queue.worker({ processIntervalMs: 60_000, channel })
    await finalizedJob(queue, await usher.defer({ payload: {} }))
    return usher
}

/** More than a hint travels with. */
function manyJobs() {
    return Array.from({ length: 1_001 }, () => ({ payload: {} }))
}

describe("a worker that sleeps", () => {
    it("is woken by a job of its own Config", async () => {
        const queue = await makeQueue()
        const definition = define(queue.config)
        await startSleepingWorker(queue)
        for (let i = 0; i < 5; i++) await finalizedJob(queue, await definition.defer({ payload: {} }))
        const [id = 0] = await definition.deferMany([{ payload: {} }])
        await finalizedJob(queue, id)
    })

    it("is woken by a job of another Config", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        define(queue.config)
        const elsewhere = define(queue.otherConfig())
        await startSleepingWorker(queue)
        // More than one: the worker looks around once when it begins to listen.
        for (let i = 0; i < 5; i++) await finalizedJob(queue, await elsewhere.defer({ payload: {} }))
    })

    it.for([1, 3])(
        "is woken by what is stored together with %i jobs, when nothing else is heard",
        async (num, { skip }) => {
            skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
            const queue = await makeQueue()
            define(queue.config)
            await startSleepingWorker(queue)
            const gate = makeGate()
            const pool = waitsBefore(makePool({ max: 3 }), "-- cuckmq: notify", () => gate.opened)
            // More than one: the worker looks around once when it begins to listen.
            for (let i = 0; i < 3; i++) {
                const ids: number[] = []
                await eventually(async () => {
                    // One that has sent no hint yet sends it with its jobs, unless others hold it up for too long.
                    const elsewhere = define(new Config({ pool, schema: queue.schemaName }))
                    const defer = () => elsewhere.defer({ payload: {} })
                    ids.push(...(await Promise.all(Array.from({ length: num }, defer))))
                    return (await queue.history()).some(({ id }) => Number(id) === ids[0])
                })
            }
            gate.open()
        },
    )

    it("is woken by what was stored while a hint for other jobs travelled", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        define(queue.config)
        const usher = await startSleepingWorker(queue)
        const notified = makeGate()
        const answered = makeGate()
        const pool = waitsAround(makePool({ max: 4 }), {
            before: (text) => (text.includes("-- cuckmq: notify") ? notified.opened : undefined),
            after: (text) => (text.includes("-- cuckmq: insert-ready-job\n") ? answered.opened : undefined),
        })
        const config = new Config({ pool, schema: queue.schemaName })
        const elsewhere = define(config)
        // A hint for another channel is being sent, so that the next one has to wait.
        await define(config, { name: "other", channel: "other" }).deferMany(manyJobs())
        const first = elsewhere.defer({ payload: {} })
        // The worker has had it, whether or not its hint was held up for too long by those of other tests.
        let numUshers = 1
        await eventually(async () => {
            await finalizedJob(queue, await usher.defer({ payload: {} }))
            numUshers++
            return (await queue.history()).length > numUshers
        })
        const [id = 0] = await elsewhere.deferMany(manyJobs())
        answered.open()
        await first
        notified.open()
        await finalizedJob(queue, id)
    })

    it("is woken by a job of another Config in its channel, and by delayed ones", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        define(queue.config, { channel: "mail" })
        const elsewhere = define(queue.otherConfig(), { channel: "mail" })
        await startSleepingWorker(queue, "mail")
        for (let i = 0; i < 3; i++) {
            // The hints of both travel together, and one does not stand for the other.
            const ids = await Promise.all([
                elsewhere.defer({ payload: {}, delayMs: 40 }),
                elsewhere.deferMany([{ payload: {} }]),
            ])
            for (const id of ids.flat()) await finalizedJob(queue, id)
        }
    })

    it("is woken by a repeating job of another Config's orchestrator", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        define(queue.config, { name: "tick" })
        await startSleepingWorker(queue)
        const other = queue.otherConfig()
        const tick = new JobDefinition({
            config: other,
            name: "tick",
            repeatIntervalMs: 40,
            jobFunction: (_: {}) => undefined,
        })
        tick.register()
        queue.orchestrator({ config: other })
        await eventually(async () => (await queue.history()).length > 4)
    })

    it("is woken when a job of another Config's worker has succeeded that its job depends on", async ({
        skip,
    }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        const definition = define(queue.config)
        await startSleepingWorker(queue)
        const other = queue.otherConfig()
        const required = define(other, { name: "required", channel: "other" })
        queue.worker({ config: other, channel: "other", processIntervalMs: 60_000 })
        for (let i = 0; i < 3; i++) {
            const requiredID = await required.defer({ payload: {}, delayMs: 30 })
            await finalizedJob(queue, await definition.defer({ payload: {}, dependencies: [requiredID] }))
        }
    })
})

describe("polling", () => {
    it("finds every job of which no hint was given", async () => {
        const queue = await makeQueue()
        const definition = define(queue.config)
        queue.worker({ processIntervalMs: 20 })
        // Jobs in the caller's transaction give no hint; the worker's first look can account for one of them.
        for (let i = 0; i < 4; i++) {
            const id = await inTransaction(queue, (client) => definition.defer({ payload: {}, client }))
            await finalizedJob(queue, id)
        }
    })

    it("finds a job that was committed after later ones had been run", async ({ skip }) => {
        skip(!hasServer(), "PGlite has one session")
        const queue = await makeQueue()
        const definition = define(queue.config)
        queue.worker({ processIntervalMs: 20 })
        let lateID = 0
        await inTransaction(queue, async (client) => {
            lateID = await definition.defer({ payload: {}, client })
            const laterID = await definition.defer({ payload: {} })
            expect(laterID).toBeGreaterThan(lateID)
            await finalizedJob(queue, laterID)
        })
        await finalizedJob(queue, lateID)
    })
})
