import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Inspector } from "../../src/index.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { type AnyPayload, aborted, define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 60 * 60_000

/** Waits until a job is explained by a kind, and returns the explanation. */
function explained(inspector: Inspector, jobID: number, kind: string) {
    return eventually(async () => {
        const explanation = await inspector.explain(jobID)
        return explanation.kind === kind && explanation
    })
}

/** A job function that goes on until its signal is aborted. */
const endless = (_payload: AnyPayload, { signal }: { signal: AbortSignal }) => aborted(signal)

/** Lets workers be written down, so that a look at who is there finds them. */
async function workersKnown(inspector: Inspector, num: number): Promise<void> {
    await eventually(async () => (await inspector.workers()).length === num)
}

describe("Inspector#explain", () => {
    it("says what became of a job, and why one waits that nothing but time or others hold back", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const job = define(
            queue.config,
            ({ fails }) => {
                if (fails === true) throw new TypeError("no such bucket")
                return "done"
            },
            { numAttempts: 1, retryDelayMs: HOUR_MS },
        )
        const onetime = define(
            queue.config,
            () => {
                throw new RangeError("too far")
            },
            { name: "onetime" },
        )
        queue.worker({ name: "burrow", concurrency: 5 })
        const [done = 0, retried = 0, later = 0] = await job.deferMany([
            { payload: {} },
            { payload: { fails: true } },
            { payload: {}, delayMs: HOUR_MS },
        ])
        const failed = await onetime.defer({ payload: {} })
        const blocked = await job.defer({ payload: {}, dependencies: [later, retried] })
        await finalizedJobs(queue, [done, failed])

        expect(await inspector.explain(done + 1_000)).toEqual({
            jobID: done + 1_000,
            kind: "not-found",
            sentence: `There is no job ${done + 1_000}, or history holds it no more.`,
        })
        expect(await inspector.explain(done)).toEqual({
            jobID: done,
            kind: "succeeded",
            sentence: expect.stringMatching(
                /^It succeeded at \S+Z \(.* ago\), in attempt 1 on the worker "burrow"\.$/,
            ),
            finalizedAt: expect.any(Date),
            worker: "burrow",
            attempt: 1,
        })
        expect(await inspector.explain(failed)).toMatchObject({
            kind: "failed",
            reason: "error",
            error: { name: "RangeError", message: "too far" },
            sentence: expect.stringContaining(
                'after 1 attempt on the worker "burrow", with the reason `error`, and threw RangeError: "too far".',
            ),
        })
        expect(await explained(inspector, retried, "retrying")).toMatchObject({
            attempt: 1,
            dueAt: expect.any(Date),
            error: { name: "TypeError", message: "no such bucket" },
            sentence: expect.stringMatching(
                /^Attempt 1 failed with TypeError: "no such bucket"; the next one is due at \S+ \(in 60 minutes\)\.$/,
            ),
        })
        const delayed = await inspector.explain(later)
        expect(delayed).toMatchObject({
            kind: "delayed",
            sentence: expect.stringMatching(/^It is due at \S+ \(in 60 minutes\)\.$/),
        })
        expect("inMs" in delayed && delayed.inMs).toBeGreaterThan(HOUR_MS - 60_000)
        expect(await inspector.explain(blocked)).toMatchObject({
            kind: "blocked",
            required: { jobID: retried, definition: "job", state: "delayed" },
            numRequired: 2,
            sentence: `It waits for job ${retried} ("job", delayed) and 1 other to succeed.`,
        })
    })

    it("says which worker has a job, that it is being cancelled, and that its worker went silent", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const job = define(queue.config, endless)
        // Nobody is told of the cancellation before the next look, which is far.
        const worker = queue.worker({ name: "burrow", processIntervalMs: HOUR_MS, config: queue.config })
        const id = await job.defer({ payload: {} })
        expect(await explained(inspector, id, "running")).toMatchObject({
            attempt: 1,
            worker: "burrow",
            claimedAt: expect.any(Date),
            leaseUntil: expect.any(Date),
            sentence: expect.stringMatching(
                /^It runs since .* in attempt 1 on the worker "burrow"; its lease is until \S+ \(in \d+ seconds\), if it is not renewed\.$/,
            ),
        })
        await queue.sql.query(
            `update ${queue.schema}.job set cancelled_at = clock_timestamp(), cancel_reason = 'enough' where id = $1`,
            [id],
        )
        expect(await inspector.explain(id)).toMatchObject({
            kind: "cancelling",
            reason: "enough",
            requestedAt: expect.any(Date),
            sentence: expect.stringContaining("since it was cancelled (enough)."),
        })
        await queue.config.jobs.cancel(id)
        await finalizedJobs(queue, [id])
        worker.stop()
        await worker.join()

        // A worker that claims a job, and is heard of no more.
        const silent = await job.defer({ payload: {} })
        const { run, schema, registry } = coreOf(queue.config)
        const [definition] = registry.jobs()
        const definitionID = definition === undefined ? 0 : await registry.idOf(definition)
        const leaseID = await openLease({ run, schema, worker: "mole", intervalMs: 1 })
        const lanes = [{ definitionID, leaseID, priority: 0, cursor: 0 }]
        await claimJobs({ run, schema, lanes, limit: 1 })
        expect(await explained(inspector, silent, "worker-silent")).toMatchObject({
            attempt: 1,
            worker: "mole",
            sentence: expect.stringMatching(
                /on the worker "mole", whose lease was over at .* ago\): a daemon takes it back/,
            ),
        })
        await queue.sql.query(`update ${queue.schema}.job set state = 'exhausted' where id = $1`, [silent])
        expect(await inspector.explain(silent)).toMatchObject({
            kind: "failing",
            reason: "no-attempts-remaining",
            sentence: expect.stringContaining("since its last attempt ended with its worker"),
        })
        await queue.sql.query(`update ${queue.schema}.job set state = 'unmet' where id = $1`, [silent])
        expect(await inspector.explain(silent)).toMatchObject({
            kind: "failing",
            reason: "unmet-dependencies",
        })
        const cancelled = `update ${queue.schema}.job set state = 'exhausted', cancelled_at = now() where id = $1`
        await queue.sql.query(cancelled, [silent])
        expect(await inspector.explain(silent)).toMatchObject({ kind: "failing", reason: "cancelled" })
    })

    it("says that a job is paused, or that no worker would take it, or that all slots are taken", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const inspector = new Inspector({ config })
        const job = define(config, endless, { channel: "mail", group: { key: ({ to }) => String(to) } })
        const first = await job.defer({ payload: { to: "ada" } })
        expect(await inspector.explain(first)).toEqual({
            jobID: first,
            kind: "no-worker-for-channel",
            channel: "mail",
            sentence: 'No live worker takes jobs of the channel "mail".',
        })
        const targets = [
            [{ definition: "job" }, 'Its definition "job"'],
            [{ definition: "job", key: "ada" }, 'Its key "ada" of the definition "job"'],
            [{ channel: "mail" }, 'Its channel "mail"'],
            [{ everything: true }, "Everything"],
        ] as const
        for (const [target, words] of targets) {
            await config.pause(target, { reason: "the printer is down" })
            await config.pause({ definition: "job", key: "bob" })
            const paused = await inspector.explain(first)
            expect(paused).toMatchObject({
                kind: "paused",
                target,
                reason: "the printer is down",
                numPauses: 1,
            })
            expect(paused.sentence).toMatch(`${words} is paused since`)
            expect(paused.sentence).toMatch(/ago\) \(the printer is down\)\.$/)
            await config.resume(target)
        }
        await config.pause({ everything: true })
        await config.pause({ channel: "mail" })
        expect(await inspector.explain(first)).toMatchObject({
            numPauses: 2,
            sentence: expect.stringMatching(/, and 1 other pause besides\.$/),
        })
        await config.resume({ everything: true })
        await config.resume({ channel: "mail" })

        const elsewhere = queue.otherConfig()
        define(elsewhere, endless, { name: "other", channel: "mail" })
        const stranger = queue.worker({ config: elsewhere, channel: "mail" })
        await workersKnown(inspector, 1)
        expect(await inspector.explain(first)).toMatchObject({
            kind: "no-worker-for-definition",
            definition: "job",
            numWorkers: 1,
            sentence: expect.stringContaining('channel "mail" does not know the definition "job"'),
        })
        stranger.stop()
        await stranger.join()

        queue.worker({ channel: "mail" })
        await explained(inspector, first, "running")
        const [second = 0, third = 0] = await job.deferMany([
            { payload: { to: "ada" } },
            { payload: { to: "ada" } },
        ])
        expect(await explained(inspector, second, "no-slot")).toMatchObject({ numAhead: 0 })
        expect(await inspector.explain(third)).toEqual({
            jobID: third,
            kind: "no-slot",
            numWorkers: 1,
            numSlots: 1,
            numAhead: 1,
            sentence:
                "All 1 slot of the 1 worker that run its definition are taken, and 1 ready job is before it.",
        })
        await config.jobs.cancelMany([second, third, first])
    })

    it("says which limit is used up, by which jobs and until when", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const key = ({ to }: AnyPayload) => String(to)
        const few = define(queue.config, endless, { name: "few", concurrencyLimit: { max: 1, key } })
        const alone = define(queue.config, endless, { name: "alone", concurrencyLimit: { max: 1 } })
        const seldom = define(queue.config, () => "done", {
            name: "seldom",
            rateLimit: { max: 2, perMs: HOUR_MS, weight: 2 },
        })
        const held = define(queue.config, (_, context) => context.rateLimited(HOUR_MS), {
            name: "held",
            rateLimit: { max: 5, perMs: 1_000, key },
        })
        const ordered = define(queue.config, endless, { name: "ordered", group: { key, ordered: true } })
        const spaced = define(queue.config, () => "done", { name: "spaced", releaseIntervalMs: HOUR_MS })
        queue.worker({ concurrency: 20 })
        const payload = { to: "ada" }
        const pair = async (definition: typeof few) => definition.deferMany([{ payload }, { payload }])

        const [busy = 0, waiting = 0] = await pair(few)
        await explained(inspector, busy, "running")
        expect(await explained(inspector, waiting, "concurrency-limit")).toEqual({
            jobID: waiting,
            kind: "concurrency-limit",
            max: 1,
            key: "ada",
            runningIDs: [busy],
            sentence: `The concurrency limit of 1 for the key "ada" is used up by job ${busy}.`,
        })
        const [running = 0, next = 0] = await pair(alone)
        expect(await explained(inspector, next, "concurrency-limit")).toMatchObject({
            key: null,
            runningIDs: [running],
        })
        const [, late = 0] = await pair(seldom as unknown as typeof few)
        const limited = await explained(inspector, late, "rate-limit")
        expect(limited).toMatchObject({ max: 2, perMs: HOUR_MS, key: null, numTaken: 2 })
        expect(limited.sentence).toMatch(
            /^The rate limit of 2 per 3600000 ms is used up, and has room for it again at \S+ \(in 60 minutes\)\.$/,
        )
        const [heldID = 0] = await pair(held as unknown as typeof few)
        expect(await explained(inspector, heldID, "rate-held")).toMatchObject({
            key: "ada",
            heldUntil: expect.any(Date),
            sentence: expect.stringContaining(
                'The rate limit for the key "ada" is held by `context.rateLimited` until',
            ),
        })
        const [before = 0, after = 0] = await pair(ordered)
        await explained(inspector, before, "running")
        expect(await inspector.explain(after)).toEqual({
            jobID: after,
            kind: "group-order",
            group: "ada",
            before: { jobID: before, definition: "ordered", state: "running" },
            sentence: `The jobs of the group "ada" run one after the other, and job ${before} ("ordered", running) comes before it and has not ended.`,
        })
        const [, soon = 0] = await pair(spaced as unknown as typeof few)
        expect(await explained(inspector, soon, "release-interval")).toMatchObject({
            releaseIntervalMs: HOUR_MS,
            nextAt: expect.any(Date),
            sentence: expect.stringMatching(
                /^Its definition takes one job every 60 minutes from the queue, the next one at \S+ \(in 60 minutes\)\.$/,
            ),
        })
        await queue.config.jobs.cancelMany([waiting, next, after, busy, running, before])
    })

    it("says that nothing holds a job back but those before it", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const job = define(queue.config, () => "done")
        const [first = 0, second = 0, third = 0] = await job.deferMany([
            { payload: {} },
            { payload: {} },
            { payload: {}, priority: -1 },
        ])
        await tellOfWorker(queue)
        expect(await inspector.explain(third)).toMatchObject({ kind: "in-line", numAhead: 0 })
        expect(await inspector.explain(first)).toMatchObject({
            kind: "in-line",
            numAhead: 1,
            sentence: "Nothing holds it back but its place: 1 ready job is before it.",
        })
        expect(await inspector.explain(second)).toMatchObject({ kind: "in-line", numAhead: 2 })
        await queue.sql.query(`update ${queue.schema}.daemon set heartbeat_at = now() - interval '31 s'`)
        expect(await inspector.explain(first)).toMatchObject({ kind: "no-worker-for-channel" })
        await expect(inspector.explain(0)).rejects.toMatchObject({ code: "CUCKMQ_INVALID_OPTION" })
    })
})

/** Writes a worker down that has yet to take a job. */
async function tellOfWorker({ sql, schema }: Queue): Promise<void> {
    await sql.query(
        `insert into ${schema}.daemon
            (id, kind, name, host, pid, version, channel, concurrency, definition_names, interval_ms)
        values ('w', 'worker', 'w', 'h', 1, '1', '_default', 5, '{job}', 10000)`,
    )
}
