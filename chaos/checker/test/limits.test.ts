import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { MAX_CROWD, RATE_MAX, RATE_MS } from "../../workload.ts"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

describe("I11", () => {
    const crowd = (numAtOnce: number) => {
        const history = campaign()
        for (let n = 0; n < numAtOnce; n++) {
            history.job(`a${n}#1`, { kind: "crowded" })
            history.claim(`a${n}#1`, n % 2 === 0 ? "worker-1.1" : "worker-2.1", {
                at: 10,
                token: "1",
                attempt: 1,
            })
            history.run(`a${n}#1`, n % 2 === 0 ? "worker-1.1" : "worker-2.1", { from: 11, to: 19 })
        }
        for (let n = 0; n < numAtOnce; n++)
            history.step(`a${n}#1`, "succeeded", {
                at: 20,
                token: "1",
                owner: n % 2 === 0 ? "worker-1.1" : "worker-2.1",
            })
        return history
    }

    it("sees more jobs of a key at the same time than may be", async () => {
        assert.deepEqual(await violationsOf(crowd(MAX_CROWD)), {})
        assert.deepEqual(await violationsOf(crowd(MAX_CROWD + 1)), { I11: 1 })
    })

    it("counts each key by itself, and jobs one after the other", async () => {
        const history = crowd(MAX_CROWD)
        history.job("b#2", { kind: "crowded" }).attempt("b#2", "worker-1.1", { from: 15, to: 18 })
        history.job("c#1", { kind: "crowded" }).attempt("c#1", "worker-1.1", { from: 21, to: 30 })
        assert.deepEqual(await violationsOf(history), {})
    })
})

describe("I30", () => {
    const metered = (gapMs: number) => {
        const history = campaign()
        for (let n = 0; n <= RATE_MAX; n++) {
            const from = n === RATE_MAX ? 10 + gapMs : 10 + n
            history.job(`a${n}#1`, { kind: "metered" })
            history.attempt(`a${n}#1`, n % 2 === 0 ? "worker-1.1" : "worker-2.1", { from, to: from + 10 })
        }
        return history
    }

    it("sees more claims of a key within a window than may be", async () => {
        assert.deepEqual(await violationsOf(metered(RATE_MS)), {})
        assert.deepEqual(await violationsOf(metered(RATE_MS - 1)), { I30: 1 })
    })
})

describe("I31", () => {
    const ordered = (secondFrom: number) =>
        campaign()
            .job("a#1", { kind: "ordered" })
            .attempt("a#1", "worker-1.1", { from: 10, to: 20, change: "retried", due: 500 })
            .job("b#1", { kind: "ordered" })
            .attempt("b#1", "worker-2.1", { from: secondFrom, to: secondFrom + 5 })
            .attempt("a#1", "worker-1.1", { from: 600, to: 610, no: 2 })

    it("sees a job that is claimed before the one before is finalized", async () => {
        const history = campaign()
            .job("a#1", { kind: "ordered" })
            .attempt("a#1", "worker-1.1", { from: 10, to: 20 })
            .job("b#1", { kind: "ordered" })
            .attempt("b#1", "worker-2.1", { from: 21, to: 25 })
        assert.deepEqual(await violationsOf(history), {})
        assert.deepEqual(await violationsOf(ordered(30)), { I31: 1 })
    })
})
