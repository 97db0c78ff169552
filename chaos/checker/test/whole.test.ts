import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { check } from "../index.ts"
import { makeReport, reportLines, summary } from "../report.ts"
import { FACTS } from "./history.ts"
import { campaign, useLedger } from "./support.ts"

const { ledger, violationsOf } = useLedger()

describe("a campaign without fault", () => {
    it("violates nothing", async () => {
        const history = campaign()
            .worker("worker-4.1")
            .stop("worker-4.1", { at: 500 })
            .exit("worker-4.1", { at: 520 })
            .fault("stall", { from: 5_000, to: 5_100, isOutage: true })
            .job("parent")
            .attempt("parent", "worker-1.1", { from: 10, to: 20 })
            .job("child", { kind: "dependent", requires: ["parent"] })
            .attempt("child", "worker-2.1", { from: 30, to: 40 })
            .job("flaky", { kind: "flaky" })
            .attempt("flaky", "worker-1.1", { from: 10, to: 20, change: "retried", due: 500 })
            .attempt("flaky", "worker-2.1", { from: 501, to: 505, no: 2 })
            .job("late", { kind: "delayed", delay: 5_000 })
            .attempt("late", "worker-1.1", { from: 5_150, to: 5_160 })
            .job("hang", { kind: "hang" })
            .attempt("hang", "worker-1.1", {
                from: 10,
                to: 4_011,
                change: "failed",
                reason: "timeout",
                outcome: "aborted",
            })
            .tick("t1", { due: 1_000 })
            .attempt("t1", "worker-1.1", { from: 1_001, to: 1_005 })
            .tick("t2", { due: 2_000 })
            .attempt("t2", "worker-1.1", { from: 2_001, to: 2_005 })
            .event("parent", "worker-1.1", "worker-job-dequeue", 11)
            .event("parent", "worker-1.1", "worker-job-finalize-success", 21)
        assert.deepEqual(await violationsOf(history), {})
    })

    it("fails in a full campaign for what was never put to the test", async () => {
        await campaign().fill(ledger(), { ...FACTS, profile: "full" })
        const untried = (await check(ledger()))
            .filter(({ hasFailed }) => hasFailed)
            .map(({ invariant }) => invariant.id)
        assert.ok(untried.includes("I9") && untried.includes("I16") && !untried.includes("I19"))
    })
})

describe("I18", () => {
    it("sees a queue that does not drain", async () => {
        assert.deepEqual(await violationsOf(campaign().phases({ "not-drained": 61_500 })), { I18: 1 })
    })

    it("sees a due job that nobody takes", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 80_000, to: 80_010 })
        assert.deepEqual(await violationsOf(history), { I18: 1 })
    })
})

describe("I19", () => {
    it("sees a process that ends by itself, and an exception that nobody caught", async () => {
        const history = campaign().exit("worker-1.1", { at: 50_000, isInjected: false })
        history.add("mishap", { process: "worker-2.1", at: 0, what: "unhandled-rejection", detail: "x" })
        assert.deepEqual(await violationsOf(history), { I19: 2 })
    })
})

describe("I20", () => {
    it("sees a run that starts, claims that go on, and a stop that takes too long", async () => {
        const history = campaign().stop("worker-1.1", { at: 1_000, tookMs: 4_000 })
        for (const [index, key] of ["a", "b", "c", "d", "e"].entries()) {
            const from = 1_100 + 100 * index
            history.job(key).attempt(key, "worker-1.1", { from, to: from + 10 })
        }
        // Five runs, the claims, and the time.
        assert.deepEqual(await violationsOf(history), { I20: 7 })
    })

    it("sees what a worker leaves behind", async () => {
        const history = campaign()
            .job("a", { kind: "sleep" })
            .claim("a", "worker-1.1", { at: 500, token: "1", attempt: 1 })
            .stop("worker-1.1", { at: 1_000 })
            .lease("lease of worker-1.1", "worker-1.1", "ended", { at: 1_005, until: 1_005 })
            .step("a", "reclaimed", { at: 1_200, token: "1" })
            .attempt("a", "worker-2.1", { from: 1_300, to: 1_400, no: 2 })
        assert.deepEqual(await violationsOf(history), { I20: 1 })
    })
})

describe("I21", () => {
    it("sees a transaction left open, deadlocks, locks, connections and leases", async () => {
        const history = campaign()
            .phases({ end: 200_000 })
            .gauge("idle-in-transaction-ms", "worker-1.1", { at: 70_000, value: 5_000 })
            .gauge("deadlocks", "server", { at: 1_000, value: 0 })
            .gauge("deadlocks", "server", { at: 2_000, value: 3 })
            .gauge("advisory-locks", "server", { at: 70_000, value: 1 })
            .gauge("connections", "worker-1.1", { at: 10_000, value: 7 })
            .worker("worker-9.1", { leaseUntil: 3_000, isLeaseLeft: true })
        assert.deepEqual(await violationsOf(history), { I21: 5 })
    })
})

describe("I22", () => {
    it("sees an outage after which work goes on too late", async () => {
        const history = campaign()
            .fault("stall", { from: 1_000, to: 2_000, isOutage: true })
            .job("a")
            .attempt("a", "worker-1.1", { from: 3_500, to: 3_510 })
        assert.deepEqual(await violationsOf(history), { I22: 1 })
    })

    it("counts from the end of the last outage, and for a dead worker from its death to its jobs' next claims", async () => {
        const killed = (at: number) =>
            campaign()
                .worker("worker-3.1", { leaseUntil: 4_000 })
                .job("a", { kind: "sleep" })
                .claim("a", "worker-3.1", { at: 1_000, token: "1", attempt: 1 })
                .fault("kill-worker", { from: 1_500, to: 1_501, target: "worker-3.1" })
                .exit("worker-3.1", { at: 1_501 })
                .step("a", "reclaimed", { at: 4_100, token: "1" })
                .attempt("a", "worker-2.1", { from: at, to: at + 10, no: 2 })
        assert.deepEqual(await violationsOf(killed(5_000)), {})
        assert.deepEqual(await violationsOf(killed(9_000)), { I22: 1 })
        const during = killed(9_000).fault("stall", { from: 3_000, to: 8_500, isOutage: true })
        assert.deepEqual(await violationsOf(during), {})
        const behind = (kind: "sleep" | "noop", from: number) =>
            killed(9_000)
                .job("b", { kind })
                .attempt("b", "worker-2.2", { from, to: from + 10 })
        assert.deepEqual(await violationsOf(behind("sleep", 8_500)), {})
        assert.deepEqual(await violationsOf(behind("noop", 8_500)), { I22: 1 })
        assert.deepEqual(await violationsOf(behind("sleep", 4_200)), { I22: 1 })
    })
})

describe("the report", () => {
    it("has the timeline of a job that a violation is about, and ends with one line", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        history.claim("a", "worker-2.1", { at: 30, token: "2", attempt: 2 })
        history.fault("stall", { from: 5, to: 25, isOutage: true })
        await history.fill(ledger())
        const report = await makeReport(ledger(), await check(ledger()))
        const lines = reportLines(report)
        assert.equal(report.isClean, false)
        assert.equal(
            summary(report),
            "chaos: 1 jobs, 1 faults (1 kinds), 0 stale settles fenced, 1 violations, seed 7",
        )
        assert.equal(lines.at(-1), summary(report))
        const text = lines.join("\n")
        assert.match(text, /I6 was violated 1 times \(seed 7\)/)
        assert.match(text, /stall server/)
        assert.match(text, /job SUCCEEDED token 1/)
        assert.match(text, /run ends: returned/)
    })

    it("tells what there is of a job that never was", async () => {
        await campaign().intent("a").acked("a").fill(ledger())
        const report = await makeReport(ledger(), await check(ledger()))
        assert.match(reportLines(report).join("\n"), /producer-1.1 +acknowledged/)
    })
})
