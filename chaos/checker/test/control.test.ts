import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I23", () => {
    it("lets a job that waited end as cancelled, and one that runs succeed first", async () => {
        const history = campaign()
            .job("a")
            .cancel("a", { at: 100, result: "cancelled" })
            .step("a", "waiting", { at: 100, token: "1" })
            .step("a", "failed", { at: 101, token: "1", reason: "cancelled" })
            .job("b")
            .attempt("b", "worker-1.1", { from: 50, to: 150 })
            .cancel("b", { at: 100, result: "cancelling" })
        assert.deepEqual(await violationsOf(history), {})
    })

    it("sees a job that is claimed after it was cancelled", async () => {
        const history = campaign()
            .job("a")
            .attempt("a", "worker-1.1", { from: 50, to: 120, change: "retried", due: 130 })
            .cancel("a", { at: 100, result: "cancelling" })
            .attempt("a", "worker-2.1", { from: 140, to: 150, no: 2 })
        assert.deepEqual(await violationsOf(history), { I23: 1 })
    })

    it("sees a job that was told to be cancelled, and runs", async () => {
        const history = campaign()
            .job("a")
            .cancel("a", { at: 100, result: "cancelled" })
            .attempt("a", "worker-1.1", { from: 140, to: 150 })
        // By its claim, its start, and its end.
        assert.deepEqual(await violationsOf(history), { I23: 3 })
    })

    it("sees an answer without an act, and an act without a call", async () => {
        const history = campaign()
            .job("a")
            .attempt("a", "worker-1.1", { from: 140, to: 150 })
            .add("cancelled", { process: "producer-1.1", job_id: "a", result: "cancelling", at: 100_000 })
            .job("b")
            .attempt("b", "worker-1.1", { from: 240, to: 250, change: "failed", reason: "cancelled" })
            .job("c")
            .attempt("c", "worker-1.1", { from: 340, to: 350 })
            .add("cancelled", { process: "producer-1.1", job_id: "c", result: "not-found", at: 100_000 })
        assert.deepEqual(await violationsOf(history), { I23: 3 })
    })
})

describe("I24", () => {
    it("lets claims be that began before a pause, or after its end", async () => {
        const history = campaign()
            .pause({ from: 1_000, told: 1_010, to: 2_000 })
            .job("a", { kind: "paused" })
            .attempt("a", "worker-1.1", { from: 1_005, to: 1_500 })
            .job("b", { kind: "paused" })
            .attempt("b", "worker-1.1", { from: 2_001, to: 2_010 })
            .job("c")
            .attempt("c", "worker-2.1", { from: 1_100, to: 1_110 })
        assert.deepEqual(await violationsOf(history), {})
    })

    it("sees a claim in the middle of a pause", async () => {
        const history = campaign()
            .pause({ from: 1_000, told: 1_010, to: 2_000 })
            .job("a", { kind: "paused" })
            .attempt("a", "worker-1.1", { from: 1_500, to: 1_510 })
        assert.deepEqual(await violationsOf(history), { I24: 1 })
    })

    it("sees a claim of a key in the middle of its pause, and lets other keys be", async () => {
        const history = campaign()
            .pause({ from: 1_000, told: 1_010, to: 2_000, name: "chaos-key-paused#1" })
            .job("a#1", { kind: "key-paused" })
            .attempt("a#1", "worker-1.1", { from: 1_500, to: 1_510 })
            .job("b#2", { kind: "key-paused" })
            .attempt("b#2", "worker-1.1", { from: 1_520, to: 1_530 })
            .job("c", { kind: "paused" })
            .attempt("c", "worker-1.1", { from: 1_540, to: 1_550 })
        assert.deepEqual(await violationsOf(history), { I24: 1 })
    })

    it("sees a pause that never ends", async () => {
        const history = campaign().pause({ from: 1_000, told: 1_010 })
        assert.deepEqual(await violationsOf(history), { I24: 1 })
    })
})
