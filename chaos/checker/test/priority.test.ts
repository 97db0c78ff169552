import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I32", () => {
    it("lets a claim be that began before the urgent job was there, or is over after that is claimed", async () => {
        const history = campaign()
            .job("a")
            .job("urgent", { kind: "urgent" })
            .attempt("a", "worker-1.1", { from: 100, to: 150 })
            .attempt("urgent", "worker-2.1", { from: 90, to: 150 })
        assert.deepEqual(await violationsOf(history), {})
    })

    it("sees a job that is claimed while an urgent one has been there", async () => {
        const history = campaign()
            .job("a")
            .job("urgent", { kind: "urgent" })
            .attempt("a", "worker-1.1", { from: 100, to: 150 })
            .attempt("urgent", "worker-2.1", { from: 120, to: 150 })
        assert.deepEqual(await violationsOf(history), { I32: 1 })
    })

    it("forgives what happens near a fault, since that may hold jobs locked", async () => {
        const history = campaign()
            .fault("lock-rows", { from: 110, to: 400 })
            .job("a")
            .job("urgent", { kind: "urgent" })
            .attempt("a", "worker-1.1", { from: 100, to: 150 })
            .attempt("urgent", "worker-2.1", { from: 120, to: 150 })
        assert.deepEqual(await violationsOf(history), {})
    })
})
