import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I1", () => {
    it("sees an acknowledged job that is not there", async () => {
        assert.deepEqual(await violationsOf(campaign().intent("a").acked("a")), { I1: 1 })
    })

    it("sees what leaves nothing behind, though no run of it returned", async () => {
        const gone = (kind: string, outcome: string) =>
            campaign()
                .job("a", { kind })
                .attempt("a", "worker-1.1", { from: 10, to: 20, change: "deleted", outcome })
        assert.deepEqual(await violationsOf(gone("unkept", "returned")), {})
        assert.ok("I1" in (await violationsOf(gone("unkept", "threw"))))
        assert.ok("I1" in (await violationsOf(gone("noop", "returned"))))
    })

    it("sees a job that never ends", async () => {
        assert.deepEqual(await violationsOf(campaign().job("a")), { I1: 1 })
    })
})

describe("I2", () => {
    it("sees a job that nobody meant", async () => {
        const history = campaign().phantom("x", "x").attempt("x", "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history), { I2: 1 })
    })

    it("sees two jobs of one key", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        history.phantom("a2", "a").attempt("a2", "worker-1.1", { from: 30, to: 40 })
        assert.deepEqual(await violationsOf(history), { I2: 1 })
    })

    it("sees what was rolled back, and half a transaction", async () => {
        const history = campaign()
            .intent("a", { form: "transaction", bundle: "t" })
            .intent("b", { form: "transaction", bundle: "t" })
            .add("rolled_back", { bundle: "t", at: 0, process: "producer-1.1" })
            .phantom("a", "a")
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history), { I2: 2 })
    })
})

describe("I2 in transactions", () => {
    const deferred = (own: string) =>
        campaign()
            .job("a", { form: "transaction", bundle: "t" })
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
            .add("effect", { seq: 1, at: 0, key: own, job_id: "beside" })

    it("sees jobs that came without what was written beside them", async () => {
        assert.deepEqual(await violationsOf(deferred("t")), {})
        assert.deepEqual(await violationsOf(deferred("another")), { I2: 1 })
    })
})

describe("I3", () => {
    it("sees a claim before the job is due", async () => {
        const history = campaign().job("a", { kind: "delayed", delay: 100 })
        history.attempt("a", "worker-1.1", { from: 90, to: 99 })
        assert.deepEqual(await violationsOf(history), { I3: 2 })
    })

    it("sees a retry before its delay has passed", async () => {
        const history = campaign()
            .job("a", { kind: "flaky" })
            .attempt("a", "worker-1.1", { from: 10, to: 20, change: "retried", due: 500 })
            .attempt("a", "worker-1.1", { from: 400, to: 410, no: 2 })
        assert.deepEqual(await violationsOf(history), { I3: 1 })
    })
})

describe("I7", () => {
    const failing = (numAttempts: number) => {
        const history = campaign().job("a", { kind: "hopeless" })
        for (let no = 1; no < numAttempts; no++)
            history.attempt("a", "worker-1.1", { from: no * 100, to: no * 100 + 10, no, change: "retried" })
        return history.attempt("a", "worker-1.1", {
            from: numAttempts * 100,
            to: numAttempts * 100 + 10,
            no: numAttempts,
            change: "failed",
            reason: "error",
        })
    }

    it("is content with as many as allowed", async () => {
        assert.deepEqual(await violationsOf(failing(6)), {})
    })

    it("sees one too many, and one too few", async () => {
        assert.deepEqual(await violationsOf(failing(7)), { I7: 1 })
        assert.deepEqual(await violationsOf(failing(5)), { I7: 1 })
    })

    it("sees a success that is recorded as a failure", async () => {
        const history = campaign()
            .job("a")
            .attempt("a", "worker-1.1", { from: 10, to: 20, change: "retried", outcome: "returned" })
            .attempt("a", "worker-1.1", { from: 30, to: 40, no: 2 })
        assert.deepEqual(await violationsOf(history), { I7: 1 })
    })
})

describe("I8", () => {
    it("sees a dependent that is claimed too early", async () => {
        const history = campaign()
            .job("parent")
            .attempt("parent", "worker-1.1", { from: 10, to: 100 })
            .job("child", { kind: "dependent", requires: ["parent"] })
            .attempt("child", "worker-2.1", { from: 50, to: 60 })
        assert.deepEqual(await violationsOf(history), { I8: 1 })
    })

    it("sees a dependent that outlives the failure of what it requires", async () => {
        const history = campaign()
            .job("parent")
            .attempt("parent", "worker-1.1", {
                from: 10,
                to: 20,
                change: "failed",
                reason: "timeout",
                outcome: "aborted",
            })
            .job("child", { kind: "dependent", requires: ["parent"] })
        history.step("parent", "swept", { at: 70_000 })
        history.step("child", "failed", { at: 70_000, reason: "unmet-dependencies" })
        // Its parent is of a kind that times out after four seconds.
        assert.deepEqual(await violationsOf(history), { I8: 1, I15: 1 })
    })
})
