import { type AttemptError, toAttemptErrors } from "../attempt-errors.ts"
import type { FailureReason } from "../events.ts"
import type { Explained } from "../statements/explain-job.ts"
import type { JobFacts } from "../statements/inspect-job.ts"
import { explainReady } from "./explain-ready.ts"
import type { Explanation } from "./explanation.ts"
import { toReference } from "./job-details.ts"
import { dateOrNull } from "./job-state.ts"
import { jobInWords, numberOf, quoted, when } from "./wording.ts"

/** Why a job does not run, or what became of it; undefined for one that is not there. */
export function explain(jobID: number, explained: Explained | undefined): Explanation {
    if (explained === undefined) {
        const sentence = `There is no job ${jobID}, or history holds it no more.`
        return { jobID, kind: "not-found", sentence }
    }
    const { facts } = explained
    switch (facts.state) {
        case "succeeded":
            return explainSuccess(facts)
        case "failed":
            return explainFailure(facts)
        case "unmet":
        case "exhausted":
            return explainFailing(facts)
        case "running":
            return explainRunning(facts)
        case "blocked":
            return explainBlocked(explained)
        case "delayed":
            // One that is due waits for a worker to see that, as one that is ready does.
            return facts.dueAtMs > facts.nowMs ? explainDelayed(facts) : explainReady(explained)
        default:
            return explainReady(explained)
    }
}

function explainSuccess(facts: JobFacts): Explanation {
    const { id: jobID, attempt, worker } = facts
    const finalizedAt = new Date(facts.finalizedAtMs ?? 0)
    const sentence = `It succeeded at ${when(finalizedAt, facts.nowMs)}, in attempt ${attempt}${onWorker(worker)}.`
    return { jobID, kind: "succeeded", sentence, finalizedAt, worker, attempt }
}

function explainFailure(facts: JobFacts): Explanation {
    const { id: jobID, attempt, worker } = facts
    const finalizedAt = new Date(facts.finalizedAtMs ?? 0)
    const reason = (facts.reason ?? "error") as FailureReason
    const error = lastError(facts)
    const threw = error === null ? "" : `, and threw ${error.name}: ${quoted(error.message)}`
    const sentence = `It failed for good at ${when(finalizedAt, facts.nowMs)}, after ${numberOf(attempt, "attempt")}${onWorker(worker)}, with the reason \`${reason}\`${threw}.`
    return { jobID, kind: "failed", sentence, finalizedAt, worker, attempt, reason, error: shortened(error) }
}

function explainFailing(facts: JobFacts): Explanation {
    const reason = reasonOfEnd(facts)
    const why = {
        "unmet-dependencies": "a job that it depends on failed",
        "no-attempts-remaining": "its last attempt ended with its worker",
        cancelled: `it was cancelled${facts.cancelReason === null ? "" : ` (${facts.cancelReason})`}`,
    }[reason]
    const sentence = `It will not run any more, since ${why}: a daemon finalizes it as failed in a moment.`
    return { jobID: facts.id, kind: "failing", sentence, reason }
}

function reasonOfEnd(facts: JobFacts): "unmet-dependencies" | "no-attempts-remaining" | "cancelled" {
    if (facts.cancelledAtMs !== null) return "cancelled"
    return facts.state === "unmet" ? "unmet-dependencies" : "no-attempts-remaining"
}

function explainRunning(facts: JobFacts): Explanation {
    const { id: jobID, attempt, worker, nowMs } = facts
    const claimedAt = new Date(facts.claimedAtMs ?? 0)
    const leaseUntil = dateOrNull(facts.leaseUntilMs)
    const runs = `since ${when(claimedAt, nowMs)}, in attempt ${attempt}${onWorker(worker)}`
    if (facts.isLeaseRevoked !== false) {
        const lapsed = leaseUntil === null ? "" : `, whose lease was over at ${when(leaseUntil, nowMs)}`
        const sentence = `It is taken for running ${runs}${lapsed}: a daemon takes it back in a moment.`
        return { jobID, kind: "worker-silent", sentence, attempt, worker, leaseUntil }
    }
    if (facts.cancelledAtMs !== null) {
        const requestedAt = new Date(facts.cancelledAtMs)
        const reason = facts.cancelReason
        const why = reason === null ? "" : ` (${reason})`
        const sentence = `It runs ${runs}, and has been asked to end since ${when(requestedAt, nowMs)}, since it was cancelled${why}.`
        return { jobID, kind: "cancelling", sentence, claimedAt, attempt, worker, requestedAt, reason }
    }
    const lease =
        leaseUntil === null ? "" : `; its lease is until ${when(leaseUntil, nowMs)}, if it is not renewed`
    const sentence = `It runs ${runs}${lease}.`
    return { jobID, kind: "running", sentence, claimedAt, attempt, worker, leaseUntil }
}

function explainBlocked({ facts, around }: Explained): Explanation {
    const required = around.required === null ? null : toReference(around.required)
    const numRequired = facts.numBlockers
    const others = numRequired > 1 ? ` and ${numberOf(numRequired - 1, "other")}` : ""
    const first = required === null ? "a job that it depends on" : jobInWords(required)
    const sentence = `It waits for ${first}${others} to succeed.`
    return { jobID: facts.id, kind: "blocked", sentence, required, numRequired }
}

/** An attempt that failed has its error last; one that was put off has none, or an older one. */
function explainDelayed(facts: JobFacts): Explanation {
    const { id: jobID, attempt, nowMs } = facts
    const dueAt = new Date(facts.dueAtMs)
    const inMs = facts.dueAtMs - nowMs
    const error = lastError(facts)
    if (error === null || error.attempt !== attempt || attempt === 0) {
        return { jobID, kind: "delayed", sentence: `It is due at ${when(dueAt, nowMs)}.`, dueAt, inMs }
    }
    const sentence = `Attempt ${attempt} failed with ${error.name}: ${quoted(error.message)}; the next one is due at ${when(dueAt, nowMs)}.`
    return {
        ...{ jobID, kind: "retrying", sentence, attempt, dueAt, inMs },
        error: { name: error.name, message: error.message },
    }
}

function lastError(facts: JobFacts): AttemptError | null {
    const error = toAttemptErrors(facts.errors).at(-1)
    return error === undefined ? null : { ...error, message: error.message.slice(0, MAX_MESSAGE) }
}

/** How much of a message is told. */
const MAX_MESSAGE = 500

function shortened(error: AttemptError | null): { name: string; message: string } | null {
    return error === null ? null : { name: error.name, message: error.message }
}

function onWorker(worker: string | null): string {
    return worker === null ? "" : ` on the worker ${quoted(worker)}`
}
