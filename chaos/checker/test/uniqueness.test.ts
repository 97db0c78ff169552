import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I33", () => {
    /** One job, a deferral that was told of it, and another that made one. */
    const unique = (at: { kept: number; second: number }) => {
        const history = campaign().job("a#1", { kind: "unique" })
        const end = () => history.attempt("a#1", "worker-1.1", { from: 10, to: 20 })
        history.intent("b#1", { kind: "unique", at: at.kept }).acked("b#1", "a#1")
        if (at.second > 20) end()
        history
            .job("c#1", { kind: "unique", at: at.second })
            .attempt("c#1", "worker-2.1", { from: at.second + 10, to: at.second + 20 })
        return at.second > 20 ? history : end()
    }

    it("sees a job that is inserted while another of its key is live", async () => {
        assert.deepEqual(await violationsOf(unique({ kept: 15, second: 30 })), {})
        assert.deepEqual(await violationsOf(unique({ kept: 15, second: 12 })), { I33: 1 })
    })

    it("sees a deferral that is told of a job which had ended", async () => {
        assert.deepEqual(await violationsOf(unique({ kept: 40, second: 30 })), { I33: 1 })
    })

    it("sees one that is told of a job of another key", async () => {
        const history = campaign()
            .job("a#1", { kind: "unique" })
            .attempt("a#1", "worker-1.1", { from: 10, to: 20 })
            .intent("b#2", { kind: "unique", at: 15 })
            .acked("b#2", "a#1")
        assert.deepEqual(await violationsOf(history), { I33: 1 })
    })
})
