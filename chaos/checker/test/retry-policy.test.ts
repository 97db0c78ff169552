import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I34", () => {
    it("sees a job that is tried again though it must not be", async () => {
        const once = campaign().job("a", { kind: "unretryable" })
        const failed = { from: 10, to: 20, change: "failed", reason: "error" } as const
        assert.deepEqual(await violationsOf(once.attempt("a", "worker-1.1", failed)), {})
        const twice = campaign()
            .job("a", { kind: "unretryable" })
            .attempt("a", "worker-1.1", { from: 10, to: 20, change: "retried", due: 25 })
            .attempt("a", "worker-1.1", { ...failed, from: 30, to: 40, no: 2 })
        assert.deepEqual(await violationsOf(twice), { I34: 1 })
    })

    it("sees a job that is claimed too soon after it was snoozed", async () => {
        const snoozed = (again: number) =>
            campaign()
                .job("a", { kind: "snoozed" })
                .attempt("a", "worker-1.1", { from: 10, to: 20, change: "waiting", outcome: "snoozed" })
                .attempt("a", "worker-1.1", { from: again, to: again + 10, no: 2 })
        assert.deepEqual(await violationsOf(snoozed(1_600)), {})
        assert.deepEqual(await violationsOf(snoozed(600)), { I34: 1 })
    })

    it("sees a snooze that is charged", async () => {
        const history = campaign()
            .job("a", { kind: "snoozed" })
            .attempt("a", "worker-1.1", {
                from: 10,
                to: 20,
                change: "retried",
                outcome: "snoozed",
                due: 1_520,
            })
            .attempt("a", "worker-1.1", { from: 1_600, to: 1_610, no: 2 })
        assert.deepEqual(await violationsOf(history), { I34: 1 })
    })
})
