import { describe, expect, it } from "vitest"
import {
    Config,
    Inspector,
    InvalidOptionError,
    JobDefinition,
    ScheduleNotFoundError,
} from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000

async function makeInspected() {
    const queue = await makeQueue()
    return { queue, inspector: new Inspector({ config: queue.config }) }
}

/** Another process, which has none of the definitions. */
function otherInspector(queue: Queue): Inspector {
    return new Inspector({ config: queue.otherConfig() })
}

/** Writes a definition down, as any process does that has it. */
async function writeDown(queue: Queue, options: object) {
    const job = define(queue.config, ({ n }) => ({ n }), options as never)
    const id = await job.defer({ payload: { tenant: "x", n: 0 } })
    await queue.config.jobs.cancel(id)
    return job
}

describe("what an inspector does to a queue", () => {
    it("leaves a record of each kind, with who asked, and none where nothing was done", async () => {
        const { queue, inspector } = await makeInspected()
        const definition = define(queue.config, () => undefined)
        const by = { by: "ops" }
        await queue.config.schedules.upsert({ name: "tick", definition, payload: {}, intervalMs: HOUR_MS })
        await inspector.pause({ definition: "job" }, { reason: "a break", ...by })
        await inspector.pause({ everything: true })
        expect(await inspector.pauses()).toMatchObject([{ reason: "a break" }, { reason: null }])
        expect(await inspector.resume({ everything: true }, by)).toBe(true)
        expect(await inspector.resume({ channel: "none" }, by)).toBe(false)
        await inspector.pauseSchedule("tick", by)
        expect(await inspector.schedules()).toMatchObject([{ name: "tick", isPaused: true }])
        await inspector.resumeSchedule("tick", by)
        expect(await inspector.nextTimes("tick", 2)).toHaveLength(2)
        const jobID = await inspector.runSchedule("tick", by)
        expect(await inspector.job(jobID)).toMatchObject({ state: "ready" })
        expect(await inspector.removeSchedule("tick", by)).toBe(true)
        expect(await inspector.removeSchedule("tick", by)).toBe(false)
        await expect(inspector.pauseSchedule("tick")).rejects.toThrow(ScheduleNotFoundError)
        await expect(inspector.runSchedule("tick")).rejects.toThrow(ScheduleNotFoundError)
        await expect(inspector.pause({ channel: "" })).rejects.toThrow(InvalidOptionError)
        await expect(inspector.pause({ channel: "a" }, { by: " " })).rejects.toThrow(InvalidOptionError)
        expect(await inspector.deadLetters()).toEqual({ deadLetters: [], next: null })
        const deferred = await inspector.defer({ definition: "job", payload: { secret: 1 }, ...by })
        const { operations } = await inspector.operations()
        expect(operations.map(({ kind, by: who, target, details }) => [kind, who, target, details])).toEqual([
            ["defer", "ops", { definition: "job" }, { jobID: deferred }],
            ["remove-schedule", "ops", { schedule: "tick" }, {}],
            ["run-schedule", "ops", { schedule: "tick" }, { jobID }],
            ["resume-schedule", "ops", { schedule: "tick" }, {}],
            ["pause-schedule", "ops", { schedule: "tick" }, {}],
            ["resume", "ops", { everything: true }, {}],
            ["pause", null, { everything: true }, {}],
            ["pause", "ops", { definition: "job" }, { reason: "a break" }],
        ])
        expect(new Set(operations.map(({ state }) => state))).toEqual(new Set(["done"]))
    })

    it("is rolled back together with its record", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        const id = await job.defer({ payload: {} })
        await queue.sql.query(
            `alter table ${queue.schema}.operation add constraint never check (kind is null)`,
        )
        await expect(inspector.change({ action: "cancel" }, [id])).rejects.toThrow()
        await expect(inspector.pause({ everything: true })).rejects.toThrow()
        await expect(inspector.defer({ definition: "job", payload: {} })).rejects.toThrow()
        expect(await queue.jobs()).toMatchObject([{ state: "ready", cancelled_at: null }])
        expect(await inspector.pauses()).toEqual([])
    })

    it("is forgotten after 90 days, unless it has not ended", async () => {
        const { queue, inspector } = await makeInspected()
        await inspector.pause({ everything: true })
        await inspector.pause({ channel: "a" })
        await queue.sql.query(
            `update ${queue.schema}.operation set asked_at = asked_at - interval '91 days' where id = 1`,
        )
        await queue.sql.query(
            `insert into ${queue.schema}.operation (kind, target, details, state, asked_at, held_by, held_until)
            values ('cancel', '{"filter": {}}', '{}', 'running', now() - interval '91 days', 'x', now() + interval '1 day')`,
        )
        queue.orchestrator()
        await eventually(async () => (await inspector.operations()).operations.length === 2)
        expect((await inspector.operations()).operations).toMatchObject([
            { kind: "cancel" },
            { kind: "pause", target: { channel: "a" } },
        ])
    })
})

describe("a job that is deferred by the name of its definition", () => {
    it("runs, in time and in order, though this process lacks the code", async () => {
        const { queue } = await makeInspected()
        await writeDown(queue, { name: "mail", channel: "post" })
        const inspector = otherInspector(queue)
        const late = await inspector.defer({ definition: "mail", payload: { n: 1 }, delayMs: HOUR_MS })
        const at = await inspector.defer({
            definition: "mail",
            payload: { n: 2 },
            dueAt: new Date(0),
            priority: -3,
        })
        const now = await inspector.defer({ definition: "mail", payload: { n: 3 } })
        expect(await inspector.job(late)).toMatchObject({ state: "delayed", definition: "mail" })
        queue.worker({ channel: "post", concurrency: 1 })
        expect(await finalizedJob(queue, now)).toMatchObject({ outcome: "succeeded", result: { n: 3 } })
        expect(await finalizedJob(queue, at)).toMatchObject({ priority: -3, result: { n: 2 } })
    })

    it("needs the keys that only the code of its definition can make", async () => {
        const { queue } = await makeInspected()
        const key = (payload: Record<string, unknown>) => String(payload.tenant)
        await writeDown(queue, {
            name: "keyed",
            group: { key },
            rateLimit: { max: 9, perMs: 1_000, key, weight: 2 },
        })
        await writeDown(queue, { name: "unique", unique: { key } })
        await writeDown(queue, { name: "weighed", rateLimit: { max: 9, perMs: 1_000, weight: () => 1 } })
        await writeDown(queue, { name: "ordered", group: { key, ordered: true } })
        const inspector = otherInspector(queue)
        const refusals: [object, string][] = [
            [{ definition: "keyed" }, "keys.group"],
            [{ definition: "keyed", keys: { group: "a" } }, "keys.rate"],
            [{ definition: "keyed", keys: { group: "a", rate: "b", concurrency: "c" } }, "keys.concurrency"],
            [{ definition: "keyed", keys: { group: "a\u001f", rate: "b" } }, "keys.group"],
            [{ definition: "keyed", keys: { grup: "a" } }, "keys.grup"],
            [{ definition: "unique" }, "keys.unique"],
            [{ definition: "unique", keys: { unique: "a" } }, "keys.unique"],
            [{ definition: "weighed" }, "definition"],
            [{ definition: "ordered", keys: { group: "a" }, priority: 1 }, "priority"],
            [{ definition: "never heard of" }, "definition"],
            [{ definition: "keyed", delayMs: 1, dueAt: new Date() }, "dueAt"],
            [{ definition: "keyed", delay: 1 }, "delay"],
        ]
        for (const [options, option] of refusals)
            await expect(inspector.defer({ payload: {}, ...options } as never)).rejects.toMatchObject({
                code: "CUCKMQ_INVALID_OPTION",
                option,
            })
        const keys = { group: "a", rate: "b" }
        const jobID = await inspector.defer({ definition: "keyed", payload: {}, keys })
        expect(await inspector.job(jobID)).toMatchObject({
            keys: { group: "a", rate: "b", concurrency: null },
        })
        expect(await queue.jobs()).toMatchObject([{ weight: 2 }])
        await inspector.defer({ definition: "unique", payload: {}, keys: { unique: null } })
        // With the code at hand, it makes them.
        const own = new Inspector({ config: queue.config })
        const made = await own.defer({ definition: "keyed", payload: { tenant: "t" } })
        expect(await own.job(made)).toMatchObject({ keys: { group: "t", rate: "t" } })
        const twice = await own.defer({ definition: "unique", payload: { tenant: "t" } })
        expect(await own.defer({ definition: "unique", payload: { tenant: "t" } })).toBe(twice)
        await expect(own.defer({ definition: "keyed", payload: {}, keys })).rejects.toThrow(
            InvalidOptionError,
        )
    })
})

describe("the health of a queue", () => {
    it("is that somebody is there for what there is to do", async () => {
        const { queue, inspector } = await makeInspected()
        const stateOf = async () => {
            const { isHealthy, checks } = await inspector.health()
            return [
                isHealthy,
                ...checks.filter(({ isOK }) => !isOK).map(({ name, detail }) => `${name}: ${detail}`),
            ]
        }
        expect(await stateOf()).toEqual([false, "orchestrators: no orchestrator lives"])
        queue.orchestrator()
        await eventually(async () => (await inspector.orchestrators()).length === 1)
        expect(await stateOf()).toEqual([true])
        const job = define(queue.config, () => undefined, { channel: "post" })
        await queue.config.pause({ channel: "post" })
        await job.defer({ payload: {} })
        expect(await stateOf()).toEqual([true])
        await queue.config.resume({ channel: "post" })
        expect(await stateOf()).toEqual([false, 'workers: ready jobs, and no live worker, on "post"'])
        queue.worker({ channel: "post" })
        await eventually(async () => (await stateOf())[0] === true)
    })

    it("is told, too, where there is no schema, or no database", async () => {
        const { config } = await makeQueue({ isPrepared: false })
        const { isHealthy, checks } = await new Inspector({ config }).health()
        expect([isHealthy, checks.map(({ isOK }) => isOK)]).toEqual([false, [true, false, false, false]])
        const gone = {
            connect: () => Promise.reject(new Error("connection refused")),
            on: () => undefined,
        }
        const lost = await new Inspector({ config: new Config({ pool: gone as never }) }).health()
        expect(lost).toMatchObject({
            isHealthy: false,
            checks: [{ name: "database", isOK: false }, {}, {}, {}],
        })
        expect(lost.checks[0]?.detail).toContain("connection refused")
    })
})

it("an operation that waits for an orchestrator is what a doctor speaks of", async () => {
    const { queue, inspector } = await makeInspected()
    new JobDefinition({ config: queue.config, name: "job", jobFunction: () => undefined })
    await inspector.changeAll({ action: "cancel" }, {})
    await queue.sql.query(`update ${queue.schema}.operation set asked_at = now() - interval '2 minutes'`)
    const { checks } = await inspector.doctor()
    expect(checks.find(({ name }) => name === "orchestrators")).toMatchObject({
        summary: expect.stringContaining("; 1 operation waiting"),
        facts: { numWaitingOperations: 1 },
    })
})
