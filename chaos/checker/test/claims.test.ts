import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { History } from "./history.ts"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

/** Long runs under a lease that is taken when it lapsed: the first worker comes back too late. */
function zombie(): History {
    return campaign()
        .fault("suspend-worker", { from: 1_100, to: 5_500, target: "worker-3.1" })
        .worker("worker-3.1", { leaseUntil: 4_000 })
        .job("a", { kind: "sleep" })
        .claim("a", "worker-3.1", { at: 1_000, token: "1", attempt: 1 })
        .step("a", "reclaimed", { at: 4_100, token: "1" })
        .run("a", "worker-3.1", { from: 1_001, to: 5_600 })
}

describe("I4", () => {
    it("lets a job be taken after its lease lapsed", async () => {
        assert.deepEqual(
            await violationsOf(zombie().attempt("a", "worker-2.1", { from: 4_200, to: 4_300, no: 2 })),
            {},
        )
    })

    it("sees a job that is taken before its lease lapsed", async () => {
        const history = zombie().lease("lease of worker-3.1", "worker-3.1", "renewed", {
            at: 2_000,
            until: 5_000,
        })
        history.attempt("a", "worker-2.1", { from: 4_200, to: 4_300, no: 2 })
        assert.deepEqual(await violationsOf(history), { I4: 1 })
    })

    it("sees a lease that lapses though nothing is in the way", async () => {
        const history = campaign()
            .worker("worker-3.1", { leaseUntil: 4_000 })
            .job("a", { kind: "sleep" })
            .claim("a", "worker-3.1", { at: 1_000, token: "1", attempt: 1 })
            .run("a", "worker-3.1", { from: 1_001, to: 8_000 })
            .step("a", "reclaimed", { at: 4_100, token: "1" })
            .attempt("a", "worker-2.1", { from: 4_200, to: 4_300, no: 2 })
        assert.deepEqual(await violationsOf(history), { I4: 1 })
    })
})

describe("I5", () => {
    it("sees a stale worker that ends a job which another one runs", async () => {
        const history = zombie()
            .claim("a", "worker-2.1", { at: 4_200, token: "2", attempt: 2 })
            .run("a", "worker-2.1", { from: 4_201, to: 9_000, attempt: 2, token: "2" })
            .step("a", "succeeded", { at: 5_601, token: "2", owner: "worker-3.1" })
        // By its name, and by the run that goes on.
        assert.deepEqual(await violationsOf(history), { I5: 2 })
    })

    it("sees a stale worker that gives back a job which another one runs", async () => {
        const history = zombie()
            .claim("a", "worker-2.1", { at: 4_200, token: "2", attempt: 2 })
            .run("a", "worker-2.1", { from: 4_201, to: 9_000, attempt: 2, token: "2", outcome: "threw" })
            .step("a", "retried", { at: 5_601, token: "2", due: 5_601 })
            .attempt("a", "worker-1.1", { from: 9_100, to: 9_200, no: 3 })
        assert.deepEqual(await violationsOf(history), { I5: 1 })
    })

    it("sees a second end", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        history.step("a", "failed", { at: 30, owner: null, reason: "timeout" })
        assert.deepEqual(await violationsOf(history), { I5: 1 })
    })
})

describe("I6", () => {
    it("sees a claim and a run after the end", async () => {
        const history = campaign().job("a").attempt("a", "worker-1.1", { from: 10, to: 20 })
        history.claim("a", "worker-2.1", { at: 30, token: "2", attempt: 2 })
        history.run("a", "worker-2.1", { from: 31, to: 32, attempt: 2, token: "2" })
        assert.deepEqual(await violationsOf(history), { I6: 2 })
    })
})

describe("I9", () => {
    const two = (gap: number) =>
        campaign()
            .job("a", { kind: "limited" })
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
            .job("b", { kind: "limited" })
            .attempt("b", "worker-2.1", { from: 10 + gap, to: 20 + gap })

    it("sees two starts within an interval", async () => {
        assert.deepEqual(await violationsOf(two(200)), {})
        assert.deepEqual(await violationsOf(two(199)), { I9: 1 })
    })
})

describe("I10", () => {
    it("sees more runs than slots", async () => {
        const history = campaign()
        for (const key of ["a", "b", "c"]) history.job(key).attempt(key, "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history), { I10: 1 })
    })
})

describe("I26", () => {
    it("sees more jobs in threads than there are threads", async () => {
        const history = campaign()
        for (const key of ["a", "b"])
            history.job(key, { kind: "thread" }).attempt(key, "worker-1.1", { from: 10, to: 20 })
        assert.deepEqual(await violationsOf(history), { I26: 1 })
    })

    it("sees a job that starts where another hangs, and none that starts where one was ended", async () => {
        const hung = (startedAt: number) =>
            campaign()
                .job("a", { kind: "thread-hang" })
                .claim("a", "worker-1.1", { at: 10, token: "1", attempt: 1 })
                .run("a", "worker-1.1", { from: 11 })
                .step("a", "failed", { at: 4_000, token: "1", owner: "worker-1.1", reason: "timeout" })
                .job("b", { kind: "thread" })
                .attempt("b", "worker-1.1", { from: startedAt, to: startedAt + 20 })
        assert.deepEqual(await violationsOf(hung(5_000)), {})
        assert.deepEqual(await violationsOf(hung(3_000)), { I26: 1 })
    })
})
