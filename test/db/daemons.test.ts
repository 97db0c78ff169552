import { describe, expect, it } from "vitest"
import { type EventHandler, Orchestrator, Worker } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

type Told = Parameters<EventHandler>[0]

/** Collects the process warnings of cuckmq while `work` runs. */
async function warningsDuring(work: () => Promise<void>): Promise<string[]> {
    const messages: string[] = []
    const onWarning = ({ name, message }: Error) => {
        if (name === "CuckmqWarning") messages.push(message)
    }
    process.on("warning", onWarning)
    await work()
    // Warnings are emitted on the next tick.
    await new Promise(setImmediate)
    process.off("warning", onWarning)
    return messages
}

const CLASSES = { Worker, Orchestrator }

describe.each(Object.entries(CLASSES))("a %s", (_name, Daemon) => {
    it("starts at once, and tells of its life", async () => {
        const { config } = await makeQueue()
        const told: Told[] = []
        const before = new Date()
        const daemon = new Daemon({ config, name: "nick", eventHandler: (event) => void told.push(event) })
        expect(told.map(({ event }) => event.eventType)).toEqual(["daemon-start"])
        daemon.stop()
        await daemon.join()
        const types = told.map(({ event }) => event.eventType)
        expect(types.filter((type) => type.startsWith("daemon"))).toEqual([
            "daemon-start",
            "daemon-stop-signal-send",
            "daemon-stop",
        ])
        expect(types.at(-1)).toBe("daemon-stop")
        for (const { daemonID, name, timestamp } of told) {
            expect({ daemonID, name }).toEqual({ daemonID: daemon.daemonID, name: "nick" })
            expect(timestamp).toBeInstanceOf(Date)
            expect(timestamp.getTime()).toBeGreaterThanOrEqual(before.getTime())
        }
    })

    it("is started, and stopped, only once however often it is asked", async () => {
        const queue = await makeQueue()
        const told: string[] = []
        const eventHandler: EventHandler = ({ event }) => void told.push(event.eventType)
        const daemon = new Daemon({ config: queue.config, eventHandler })
        daemon.start()
        daemon.start()
        daemon.stop()
        daemon.setShouldStop()
        await Promise.all([daemon.join(), daemon.join(), daemon.join({ graceMs: 5_000 })])
        daemon.stop()
        await daemon.join()
        expect(told.filter((type) => type.startsWith("daemon"))).toEqual([
            "daemon-start",
            "daemon-stop-signal-send",
            "daemon-stop",
        ])
    })

    it("stops by `setShouldStop`, and by the end of an `await using`", async () => {
        const queue = await makeQueue()
        const told: string[] = []
        const eventHandler: EventHandler = ({ event }) => void told.push(event.eventType)
        const first = new Daemon({ config: queue.config, eventHandler })
        first.setShouldStop()
        await first.join()
        expect(told.at(-1)).toBe("daemon-stop")
        {
            await using second = new Daemon({ config: queue.config, eventHandler })
            expect(second.daemonID).not.toBe(first.daemonID)
        }
        expect(told.filter((type) => type === "daemon-stop")).toHaveLength(2)
    })

    it("has a default name and a number of its own", async () => {
        const { config } = await makeQueue()
        const daemons = [new Daemon({ config }), new Daemon({ config }), new Daemon({ config })]
        expect(new Set(daemons.map(({ daemonID }) => daemonID)).size).toBe(3)
        expect(daemons.map(({ name }) => name)).toEqual(["anon", "anon", "anon"])
        for (const daemon of daemons) daemon.stop()
        await Promise.all(daemons.map((daemon) => daemon.join()))
    })
})

describe("a daemon", () => {
    it("works again when it is started after a stop", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const worker = queue.worker()
        for (let life = 1; life <= 3; life++) {
            worker.stop()
            await worker.join()
            const id = await job.defer({ payload: {} })
            worker.start()
            expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        }
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-start")).toHaveLength(4)
    })

    it("is joined only when it has stopped, and is not stopped by being joined", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened)
        const worker = queue.worker()
        let isJoined = false
        const joined = worker.join().then(() => {
            isJoined = true
        })
        gate.open()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(isJoined).toBe(false)
        worker.stop()
        await joined
    })

    it("refuses a grace that is none", async () => {
        const queue = await makeQueue()
        const worker = queue.worker()
        for (const graceMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number]) {
            await expect(worker.join({ graceMs })).rejects.toMatchObject({ code: "CUCKMQ_INVALID_OPTION" })
        }
    })
})

describe("an eventHandler", () => {
    it.each<[string, () => unknown]>([
        [
            "throws",
            () => {
                throw new Error("handler")
            },
        ],
        ["rejects", () => Promise.reject(new Error("handler"))],
        [
            "throws something strange",
            () => {
                throw undefined
            },
        ],
    ])("that %s changes nothing, and is warned of once", async (_what, eventHandler) => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { numAttempts: 2 })
        const warnings = await warningsDuring(async () => {
            const worker = queue.worker({ eventHandler })
            await job.deferMany(Array.from({ length: 5 }, () => ({ payload: {} })))
            const rows = await finalized(queue, 5)
            expect(rows.every(({ outcome, attempt }) => outcome === "succeeded" && attempt === 1)).toBe(true)
            worker.stop()
            await worker.join()
        })
        expect(warnings).toHaveLength(1)
        expect(warnings[0]).toContain("eventHandler")
    })

    it("of an orchestrator that throws does not keep it from its chores", async () => {
        const queue = await makeQueue()
        define(queue.config, () => undefined, { name: "tick", repeatIntervalMs: 50 })
        queue.worker()
        const warnings = await warningsDuring(async () => {
            queue.orchestrator({
                eventHandler: () => {
                    throw new Error("handler")
                },
            })
            await finalized(queue, 3)
        })
        expect(warnings).toHaveLength(1)
    })
})

describe("concurrency", () => {
    it.each([
        [undefined, 1],
        [0, 1],
        [-3, 1],
        [3, 3],
    ])("%s runs at most %s jobs at the same time, and as many", async (concurrency, most) => {
        const queue = await makeQueue()
        const gate = makeGate()
        let numRunning = 0
        let maxRunning = 0
        const job = define(queue.config, async ({ waits }) => {
            maxRunning = Math.max(maxRunning, ++numRunning)
            if (waits === true) await gate.opened
            else await new Promise(setImmediate)
            numRunning--
        })
        queue.worker(concurrency === undefined ? {} : { concurrency })
        await job.deferMany(Array.from({ length: most }, () => ({ payload: { waits: true } })))
        await eventually(() => numRunning === most)
        await job.deferMany(Array.from({ length: 100 }, () => ({ payload: {} })))
        gate.open()
        await finalized(queue, 100 + most)
        expect(maxRunning).toBe(most)
    })
})

describe("a worker that is never idle", () => {
    it("lets the process do other things between its statements", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        await job.deferMany(Array.from({ length: 600 }, () => ({ payload: {} })))
        let numTurns = 0
        const turns = setInterval(() => numTurns++, 1)
        queue.worker({ concurrency: 10 })
        await eventually(async () => (await queue.jobs()).length === 0)
        clearInterval(turns)
        expect(numTurns).toBeGreaterThan(10)
    })
})
