import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Inspector, InvalidOptionError, type JobContext } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { defineInThread, told } from "../support/threads.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOSTILE = "a\u0000b \ud800 \u001b[2J \u001e \\u0000 é 日本"
const CLEAN = "a\ufffdb \ufffd \u001b[2J \u001e \\u0000 é 日本"

function inspect(queue: Queue): Inspector {
    return new Inspector({ config: queue.config })
}

async function messages(queue: Queue, id: number): Promise<string[]> {
    const { logs } = await inspect(queue).logs(id, { limit: 1_000 })
    return logs.map(({ message }) => message)
}

describe("what a job function logs", () => {
    it("is there in order when its job is finalized, over attempts, and in pages", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_, { attempt, log, setProgress }) => {
                setProgress(attempt === 1 ? { step: HOSTILE } : 50)
                for (const n of [1, 2, 3]) log(`${attempt}.${n} ${HOSTILE}`)
                if (attempt === 1) throw new Error("first")
                log("x".repeat(20_000))
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const id = await job.defer({ payload: {} })
        const silent = await define(queue.config, () => undefined, { name: "silent" }).defer({ payload: {} })
        await finalizedJob(queue, id)
        const all = await messages(queue, id)
        const cut = all.pop() ?? ""
        expect(all).toEqual(["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"].map((name) => `${name} ${CLEAN}`))
        expect([cut.length, cut.endsWith("… (cut, of 20000 characters)")]).toEqual([10_000, true])
        const inspector = inspect(queue)
        expect(await inspector.job(id)).toMatchObject({ progress: 50, numLogs: 7 })
        expect(await inspector.job(silent)).toMatchObject({ progress: null, numLogs: 0 })
        const first = await inspector.logs(id, { limit: 4 })
        expect(first.logs.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 2])
        const second = await inspector.logs(id, { limit: 4, after: first.next ?? "" })
        expect([second.logs.length, second.next]).toEqual([3, null])
        expect((await inspector.logs(id, { after: second.place ?? "" })).logs).toEqual([])
        const newest = await inspector.logs(id, { order: "newest", limit: 2 })
        expect(newest.logs.map(({ message }) => message)).toEqual([cut, `2.3 ${CLEAN}`])
        await expect(inspector.logs(id, { after: "no place" })).rejects.toThrow(InvalidOptionError)
    })

    it("is written while the job runs, and refused where it is no text or no progress", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const refused: unknown[] = []
        const attempt = (work: () => void) => {
            try {
                work()
            } catch (error) {
                refused.push(error)
            }
        }
        const job = define(queue.config, async (_, context: JobContext) => {
            for (const value of [5, null, undefined, {}, Symbol("s")])
                attempt(() => context.log(value as never))
            const cyclic: Record<string, unknown> = {}
            cyclic.self = cyclic
            const wrong = [
                -1,
                101,
                Number.NaN,
                "50",
                null,
                [1],
                new Date(),
                cyclic,
                { text: "x".repeat(4_096) },
            ]
            for (const value of [...wrong, "secret".repeat(2_000)])
                attempt(() => context.setProgress(value as never))
            context.log("")
            context.setProgress({ of: "it" })
            await gate.opened
        })
        queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await inspect(queue).job(id))?.progress)
        expect(await inspect(queue).job(id)).toMatchObject({
            state: "running",
            progress: { of: "it" },
            numLogs: 1,
        })
        gate.open()
        await finalizedJob(queue, id)
        expect(refused.length).toBe(15)
        expect(refused.every((error) => error instanceof InvalidOptionError)).toBe(true)
        expect(String(refused.at(-1))).toMatch(/got: "(secret){13}se…"$/)
    })

    it("is the last thousand lines of a job, and says how many were left out", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_, { attempt, log }) => {
                for (let n = 1; n <= (attempt === 1 ? 5_000 : 400); n++) log(`${attempt}.${n}`)
                if (attempt === 1) throw new Error("first")
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const id = await job.defer({ payload: {} })
        await finalizedJob(queue, id)
        const lines = await messages(queue, id)
        expect(lines.length).toBe(1_000)
        expect([lines[0], lines[599], lines[600], lines[999]]).toEqual(["1.4401", "1.5000", "2.1", "2.400"])
        const once = define(
            queue.config,
            (_, { log }) => {
                for (let n = 1; n <= 5_000; n++) log(`${n}`)
            },
            { name: "once" },
        )
        const other = await once.defer({ payload: {} })
        await finalizedJob(queue, other)
        expect((await messages(queue, other)).slice(0, 2)).toEqual([
            "(4001 lines were left out here: more were logged than could be written)",
            "4002",
        ])
    })

    it("comes from threads too, and is refused there", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "logLines")
        const wrong = defineInThread(queue.config, "logWrong", { name: "wrong" })
        queue.worker()
        const id = await job.defer({ payload: { num: 3 } })
        await finalizedJob(queue, id)
        expect(await messages(queue, id)).toEqual([1, 2, 3].map((n) => `${n} a\ufffdb \ufffd`))
        expect(await inspect(queue).job(id)).toMatchObject({ progress: { done: 3 } })
        const many = await job.defer({ payload: { num: 50_000, text: "" } })
        await finalizedJob(queue, many)
        expect((await messages(queue, many)).at(-1)).toBe("50000 ")
        await finalizedJob(queue, await wrong.defer({ payload: {} }))
        expect(told(queue, "worker-job-error")).toMatchObject([
            { error: { code: "CUCKMQ_INVALID_OPTION", option: "message" } },
        ])
    })

    it("outlives a replay, and goes when its job is neither live nor in history", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, { log, token, setProgress }) => {
            log(`claim ${token}`)
            setProgress(token)
            throw new Error("always")
        })
        const live = define(
            queue.config,
            (_, { log, snooze }) => {
                log("stays")
                snooze(3_600_000)
            },
            { name: "live" },
        )
        const worker = queue.worker()
        const id = await job.defer({ payload: {} })
        const other = await live.defer({ payload: {} })
        await finalizedJob(queue, id)
        await eventually(async () => (await messages(queue, other)).length === 1)
        expect(await queue.config.jobs.replay(id)).toBe(true)
        await eventually(async () => (await messages(queue, id)).length === 2)
        await finalizedJob(queue, id)
        worker.stop()
        await worker.join()
        queue.orchestrator({ cleanIntervalMs: 20, failedJobSweepThresholdMs: 3_600_000 })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "orchestrator-heartbeat"))
        expect((await messages(queue, id)).length).toBe(2)
        await queue.sql.query(`delete from ${queue.schema}.job_history where id = ${id}`)
        const left = async () =>
            (await queue.sql.query(`select job_id from ${queue.schema}.job_progress`)).rows
        await eventually(async () => (await messages(queue, id)).length === 0 && (await left()).length === 0)
        expect(await messages(queue, other)).toEqual(["stays"])
    })

    it("stands before what the next run says, when it is of one that has lost its job", async () => {
        const queue = await makeQueue()
        const { logs } = coreOf(queue.config)
        const [early, late] = [1, 2].map((token) => logs.open({ id: 7, token, attempt: token }))
        late?.add("late")
        late?.setProgress(20, false)
        await late?.written()
        early?.add("early")
        early?.setProgress(90, false)
        await early?.written()
        expect(await messages(queue, 7)).toEqual(["early", "late"])
        const { rows } = await queue.sql.query(`select progress::text from ${queue.schema}.job_progress`)
        expect(rows).toEqual([{ progress: "20" }])
    })

    it("is there of both workers where one has lost its job, with the progress of the later one", async () => {
        const queue = await makeQueue()
        const [lost, kept] = [makeGate(), makeGate()]
        const job = define(
            queue.config,
            async (_, { token, log, setProgress }) => {
                log(`begin ${token}`)
                setProgress(token)
                await (token === 1 ? lost : kept).opened
                log(`end ${token}`)
                setProgress(token * 10)
            },
            { numAttempts: 1 },
        )
        queue.worker({ concurrency: 1 })
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await messages(queue, id)).length === 1)
        queue.worker({ concurrency: 1 })
        await queue.sql.query(
            `update ${queue.schema}.lease
            set expires_at = clock_timestamp() - interval '1 s', revoked_by = pg_current_xact_id()`,
        )
        await eventually(async () => (await inspect(queue).job(id))?.progress === 2)
        lost.open()
        await eventually(async () => (await messages(queue, id)).includes("end 1"))
        expect(await inspect(queue).job(id)).toMatchObject({ state: "running", progress: 2 })
        kept.open()
        await finalizedJob(queue, id)
        expect(await messages(queue, id)).toEqual(["begin 1", "end 1", "begin 2", "end 2"])
        expect(await inspect(queue).job(id)).toMatchObject({ progress: 20, numLogs: 4 })
    })

    it("fails no job when it cannot be written, and is told of", async () => {
        const queue = await makeQueue()
        await queue.sql.query(`alter table ${queue.schema}.job_log rename to job_log_elsewhere`)
        const job = define(queue.config, (_, { log }) => log("lost"))
        queue.worker()
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        expect(told(queue, "daemon-error")).toMatchObject([{ activity: "write job logs" }])
    })
})
