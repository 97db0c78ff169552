import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { campaign, useLedger } from "./support.ts"

const { violationsOf } = useLedger()

const FAILED = { change: "failed", reason: "error" } as const
const OTHER = "producer-2.1"

/** A campaign with a job that has failed for good, and what its attempts threw. */
function failed(kind = "broken") {
    return campaign()
        .job("a", { kind })
        .attempt("a", "worker-1.1", { ...FAILED, from: 10, to: 20, errors: 1 })
}

/** The attempt after a replay, as it should be. */
const MENDED = { from: 110, to: 120, token: "3", errors: 1 }

describe("I35", () => {
    it("is content with a job that is replayed, fails again, is replayed and succeeds", async () => {
        const history = failed()
            .replay("a", { at: 100 })
            .askForReplay("a", { at: 100, told: 0, process: OTHER })
            .attempt("a", "worker-2.1", { ...FAILED, from: 110, to: 120, token: "3", errors: 2 })
            .replay("a", { at: 200, process: OTHER })
            .attempt("a", "worker-1.1", { from: 210, to: 220, token: "5", errors: 2 })
        assert.deepEqual(await violationsOf(history), {})
    })

    it("sees a call that was told of a replay which was not, or was another's", async () => {
        const none = failed().askForReplay("a", { at: 100 })
        assert.deepEqual(await violationsOf(none), { I35: 1 })
        const another = failed()
            .replay("a", { at: 100 })
            .askForReplay("a", { at: 100, process: OTHER })
            .attempt("a", "worker-1.1", MENDED)
        assert.deepEqual(await violationsOf(another), { I35: 1 })
        const twice = failed()
            .replay("a", { at: 100 })
            .askForReplay("a", { at: 100 })
            .attempt("a", "worker-1.1", MENDED)
        assert.deepEqual(await violationsOf(twice), { I35: 1 })
    })

    it("sees a replay that its caller was told there was none of, unless an answer was lost", async () => {
        const replayed = (told: number | null) =>
            failed().replay("a", { at: 100, told }).attempt("a", "worker-1.1", MENDED)
        assert.deepEqual(await violationsOf(replayed(0)), { I35: 1 })
        assert.deepEqual(await violationsOf(replayed(null)), {})
    })

    it("sees a call for many that was told of more than it replayed, or of fewer", async () => {
        const many = (told: number) =>
            failed()
                .askForReplay(null, { at: 100, told })
                .beReplayed("a", { at: 100 })
                .attempt("a", "worker-1.1", MENDED)
        assert.deepEqual(await violationsOf(many(1)), {})
        assert.deepEqual(await violationsOf(many(2)), { I35: 1 })
        // Nobody was told of the replay, either.
        assert.deepEqual(await violationsOf(many(0)), { I35: 2 })
    })

    it("sees a job that lives again while its dead letter is there", async () => {
        const history = failed()
            .step("a", "inserted", { at: 100, due: 100 })
            .attempt("a", "worker-1.1", { from: 110, to: 120, token: "3" })
        assert.deepEqual(await violationsOf(history), { I5: 2, I6: 2, I35: 1 })
    })

    it("sees a dead letter that is gone without a job", async () => {
        const lost = failed()
            .askForReplay("a", { at: 100, told: 0 })
            .beReplayed("a", { at: 100, isLive: false })
        assert.deepEqual(await violationsOf(lost), { I13: 1, I35: 1 })
    })

    it("sees a job that is replayed though it has succeeded", async () => {
        const history = campaign()
            .job("a", { kind: "broken" })
            .attempt("a", "worker-1.1", { from: 10, to: 20 })
            .replay("a", { at: 100 })
            .attempt("a", "worker-1.1", { from: 110, to: 120, token: "3" })
        assert.deepEqual(await violationsOf(history), { I35: 1 })
    })

    it("sees one that is not as it was, or does not begin anew", async () => {
        for (const change of [{ hasPayload: false }, { hasErrors: false }, { attempt: 1 }, { token: 1 }]) {
            const history = failed()
                .replay("a", { at: 100, ...change })
                .attempt("a", "worker-1.1", MENDED)
            assert.deepEqual(await violationsOf(history), { I35: 1 }, JSON.stringify(change))
        }
        const goesOn = failed()
            .replay("a", { at: 100 })
            .attempt("a", "worker-1.1", { ...MENDED, no: 2 })
        assert.deepEqual(await violationsOf(goesOn), { I35: 1 })
        const forgets = failed()
            .replay("a", { at: 100 })
            .attempt("a", "worker-1.1", { ...MENDED, errors: 0 })
        assert.deepEqual(await violationsOf(forgets), { I35: 1 })
    })

    it("sees jobs that come faster than the rate that they were replayed at", async () => {
        const many = (due: number) =>
            failed()
                .job("b", { kind: "broken" })
                .attempt("b", "worker-1.1", { ...FAILED, from: 30, to: 40 })
                .askForReplay(null, { at: 100, told: 2 })
                .beReplayed("a", { at: 100, due: 100 })
                .beReplayed("b", { at: 100, due })
                .attempt("a", "worker-1.1", { from: 110, to: 120, token: "3" })
                .attempt("b", "worker-1.1", { from: 160, to: 170, token: "3" })
        assert.deepEqual(await violationsOf(many(150)), {})
        assert.deepEqual(await violationsOf(many(140)), { I35: 1 })
    })
})

describe("promises of a job that ends once, in each of its lives", () => {
    const replayed = (kind?: string) => failed(kind).replay("a", { at: 100 })

    it("I1 sees a life that never ends", async () => {
        assert.deepEqual(await violationsOf(replayed()), { I1: 1 })
    })

    it("I3 sees a claim before the replay is due, whatever was due before", async () => {
        const history = failed()
            .askForReplay("a", { at: 100 })
            .beReplayed("a", { at: 100, due: 500 })
            .attempt("a", "worker-1.1", MENDED)
        assert.deepEqual(await violationsOf(history), { I3: 1 })
    })

    it("I5 sees a second end in one life", async () => {
        const history = replayed()
            .attempt("a", "worker-1.1", MENDED)
            .step("a", "failed", { at: 130, reason: "timeout", owner: "worker-1.1" })
        assert.deepEqual(await violationsOf(history), { I5: 1 })
    })

    it("I6 sees a claim after the end of the second life, and a run of the first one after its own", async () => {
        const claimed = replayed()
            .attempt("a", "worker-1.1", MENDED)
            .claim("a", "worker-2.1", { at: 130, token: "4", attempt: 2 })
        assert.deepEqual(await violationsOf(claimed), { I6: 1 })
        const late = replayed()
            .run("a", "worker-2.1", { from: 105, to: 108, token: "1", outcome: "threw" })
            .attempt("a", "worker-1.1", MENDED)
        assert.ok("I6" in (await violationsOf(late)))
    })

    it("I7 counts the attempts of each life", async () => {
        const hopeless = (numAttempts: number) => {
            const history = campaign().job("a", { kind: "hopeless" })
            const live = (from: number, token: number, num: number) => {
                for (let no = 1; no <= num; no++)
                    history.attempt("a", "worker-1.1", {
                        ...(no < num ? { change: "retried" } : FAILED),
                        ...{ from: from + no * 10, to: from + no * 10 + 5, no, token: String(token + no) },
                    })
            }
            live(0, 0, 6)
            history.replay("a", { at: 100 })
            live(100, 7, numAttempts)
            return history
        }
        assert.deepEqual(await violationsOf(hopeless(6)), {})
        assert.deepEqual(await violationsOf(hopeless(7)), { I7: 1 })
        assert.deepEqual(await violationsOf(hopeless(5)), { I7: 1 })
    })

    it("I8 asks what became of the life that a job came to depend on", async () => {
        const child = (at: number, change: "succeeded" | "failed") => {
            const history = failed()
            const defer = () => history.job("child", { kind: "dependent", requires: ["a"], at })
            const end = () =>
                change === "succeeded"
                    ? history.attempt("child", "worker-1.1", { from: 5_200, to: 5_210 })
                    : history.step("child", "failed", { at: 5_200, reason: "unmet-dependencies" })
            if (at < 5_000) defer()
            history.replay("a", { at: 5_000 })
            if (at > 5_000) defer()
            history.attempt("a", "worker-1.1", { from: 5_110, to: 5_120, token: "3", errors: 1 })
            return end()
        }
        assert.deepEqual(await violationsOf(child(50, "failed")), {})
        assert.deepEqual(await violationsOf(child(50, "succeeded")), { I8: 2 })
        assert.deepEqual(await violationsOf(child(5_050, "succeeded")), {})
        // When the replay may not have been committed, either is right.
        assert.deepEqual(await violationsOf(child(5_050, "failed")), {})
    })

    it("I13 sees a dead letter that is swept early, counted from the end that it is of", async () => {
        const swept = (at: number) =>
            failed()
                .replay("a", { at: 9_000 })
                .attempt("a", "worker-1.1", { ...FAILED, from: 9_010, to: 9_020, token: "3", errors: 1 })
                .step("a", "swept", { at })
        assert.deepEqual(await violationsOf(swept(19_100)), {})
        assert.deepEqual(await violationsOf(swept(12_000)), { I13: 1 })
    })

    it("I17 sees a failure that is told more often than there were any", async () => {
        const told = (num: number) => {
            const history = replayed().attempt("a", "worker-1.1", {
                ...MENDED,
                ...FAILED,
            })
            for (let nth = 0; nth < num; nth++)
                history.event("a", "worker-1.1", "worker-job-finalize-failure-error", 20 + 105 * nth)
            return history
        }
        assert.deepEqual(await violationsOf(told(2)), {})
        assert.deepEqual(await violationsOf(told(3)), { I17: 1 })
    })

    it("I23 lets a job be claimed that was cancelled, and replayed since", async () => {
        const cancelled = (claimedAt: number) => {
            const history = campaign()
                .job("a", { kind: "broken" })
                .cancel("a", { at: 10, result: "cancelled" })
                .step("a", "failed", { at: 11, reason: "cancelled" })
            const attempt = () =>
                history.attempt("a", "worker-1.1", { from: claimedAt, to: claimedAt + 10, token: "3" })
            history.replay("a", { at: 100 })
            return attempt()
        }
        assert.deepEqual(await violationsOf(cancelled(110)), {})
        const again = cancelled(110).cancel("a", { at: 105, result: "cancelled" })
        // The claim, its start, and the success of a job that was told to be cancelled.
        assert.deepEqual(await violationsOf(again), { I23: 2 })
    })
})
