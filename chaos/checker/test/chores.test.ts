import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I12", () => {
    const ticks = (...due: number[]) => {
        const history = campaign()
        for (const [index, at] of due.entries())
            history
                .tick(`t${index}`, { due: at })
                .attempt(`t${index}`, "worker-1.1", { from: at + 1, to: at + 5 })
        return history
    }

    it("sees a tick twice, one off the grid, and one that is missing", async () => {
        assert.deepEqual(await violationsOf(ticks(1_000, 1_000)), { I12: 1 })
        assert.deepEqual(await violationsOf(ticks(1_000, 1_700)), { I12: 1 })
        assert.deepEqual(await violationsOf(ticks(1_000, 6_000)), { I12: 1 })
    })

    it("sees the same of a schedule, apart from those of a definition", async () => {
        const schedule = (...due: number[]) => {
            const history = ticks(1_000, 2_000)
            for (const [index, at] of due.entries())
                history
                    .tick(`s${index}`, { due: at, kind: "schedule" })
                    .attempt(`s${index}`, "worker-1.1", { from: at + 11, to: at + 15 })
            return history
        }
        assert.deepEqual(await violationsOf(schedule(1_000, 2_000)), {})
        assert.deepEqual(await violationsOf(schedule(1_000, 1_000)), { I12: 1 })
        assert.deepEqual(await violationsOf(schedule(1_000, 1_700)), { I12: 1 })
        assert.deepEqual(await violationsOf(schedule(1_000, 6_000)), { I12: 1 })
    })

    it("excuses ticks that were missed during an outage", async () => {
        const history = ticks(1_000, 6_000).fault("server-crash", { from: 1_800, to: 5_500, isOutage: true })
        assert.deepEqual(await violationsOf(history), {})
    })
})

describe("I13", () => {
    it("sees what is swept too early", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history.step("a", "swept", { at: 5_000 })), { I13: 1 })
    })

    it("goes by what the definition says, where it does", async () => {
        const swept = (kind: string, at: number) =>
            campaign()
                .job("a", { kind })
                .attempt("a", "worker-1.1", { from: 10, to: 20, change: "failed", reason: "error" })
                .step("a", "swept", { at })
        assert.deepEqual(await violationsOf(swept("broken", 20_000)), {})
        for (const kind of ["kept", "unkept"]) {
            assert.deepEqual(await violationsOf(swept(kind, 20_000)), { I13: 1 })
            assert.deepEqual(await violationsOf(swept(kind, 61_000)), {})
        }
    })
})

describe("I14", () => {
    it("sees what is left when it should be gone", async () => {
        const history = campaign()
            .phases({ end: 200_000 })
            .job("a")
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history), { I14: 1 })
    })

    it("gives rings of three parts twice the time, and those that definitions ask for theirs", async () => {
        const left = (kind: string, change: "succeeded" | "failed", end: number) =>
            campaign()
                .phases({ end })
                .job("a", { kind })
                .attempt("a", "worker-1.1", { from: 10, to: 20, change, reason: "error" })
        assert.deepEqual(await violationsOf(left("noop", "succeeded", 80_000)), { I14: 1 })
        assert.deepEqual(await violationsOf(left("broken", "failed", 80_000)), {})
        assert.deepEqual(await violationsOf(left("broken", "failed", 90_000)), { I14: 1 })
        assert.deepEqual(await violationsOf(left("kept", "succeeded", 180_000)), {})
        assert.deepEqual(await violationsOf(left("kept", "succeeded", 190_000)), { I14: 1 })
    })

    it("sees what is not to be kept in history", async () => {
        const ended = (change: "succeeded" | "deleted") =>
            campaign()
                .job("a", { kind: "unkept" })
                .attempt("a", "worker-1.1", { from: 10, to: 20, change, outcome: "returned" })
        assert.deepEqual(await violationsOf(ended("deleted")), {})
        assert.deepEqual(await violationsOf(ended("succeeded")), { I14: 1 })
    })
})

describe("I15", () => {
    const hanging = (ms: number) =>
        campaign().job("a", { kind: "hang" }).attempt("a", "worker-1.1", {
            from: 10,
            to: ms,
            change: "failed",
            reason: "timeout",
            outcome: "aborted",
        })

    it("sees a timeout before its time, and one that is overdue", async () => {
        assert.deepEqual(await violationsOf(hanging(3_999)), { I15: 1 })
        assert.deepEqual(await violationsOf(hanging(30_000)), { I15: 1 })
    })
})

describe("I16", () => {
    const withEffects = (num: number) => {
        const history = campaign()
            .job("a", { kind: "effect" })
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
        for (let seq = 0; seq < num; seq++) history.add("effect", { seq, at: 15, key: "a", job_id: "a" })
        return history
    }

    it("sees an effect too many or too few", async () => {
        assert.deepEqual(await violationsOf(withEffects(1)), {})
        assert.deepEqual(await violationsOf(withEffects(2)), { I16: 1 })
        assert.deepEqual(await violationsOf(withEffects(0)), { I16: 1 })
    })
})

describe("I17", () => {
    it("sees a success that is told and is none, and one that is told twice", async () => {
        const history = campaign()
            .job("a")
            .attempt("a", "worker-1.1", { from: 10, to: 20, change: "failed", reason: "error" })
            .event("a", "worker-1.1", "worker-job-dequeue", 11)
            .event("a", "worker-1.1", "worker-job-finalize-success", 21)
        assert.deepEqual(await violationsOf(history), { I17: 1 })
        const twice = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        for (const worker of ["worker-1.1", "worker-2.1"]) {
            twice.event("a", worker, "worker-job-dequeue", 11)
            twice.event("a", worker, "worker-job-finalize-success", 21)
        }
        assert.deepEqual(await violationsOf(twice), { I17: 1 })
    })
})
