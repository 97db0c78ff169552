import { keysOf } from "../gate.ts"
import type { PauseTarget } from "../pauses.ts"
import { type Explained, MAX_AHEAD, type PauseFact } from "../statements/explain-job.ts"
import type { Explanation } from "./explanation.ts"
import { toReference } from "./job-details.ts"
import { duration, jobInWords, numberOf, quoted, when } from "./wording.ts"

/** Says what holds a job back that is ready; undefined where this does not. What nobody can pass comes first. */
type Reason = (explained: Explained) => Explanation | undefined

/** Why a job that is ready does not run. */
export function explainReady(explained: Explained): Explanation {
    for (const reason of REASONS) {
        const explanation = reason(explained)
        if (explanation !== undefined) return explanation
    }
    return inLine(explained)
}

const paused: Reason = ({ facts, around: { pauses } }) => {
    const [pause] = pauses
    if (pause === undefined) return undefined
    const target = toTarget(pause)
    const pausedAt = new Date(pause.pausedAtMs)
    const why = pause.reason === null ? "" : ` (${pause.reason})`
    const more = pauses.length > 1 ? `, and ${numberOf(pauses.length - 1, "other pause")} besides` : ""
    return {
        jobID: facts.id,
        kind: "paused",
        sentence: `${inWords(target)} is paused since ${when(pausedAt, facts.nowMs)}${why}${more}.`,
        target,
        reason: pause.reason,
        pausedAt,
        numPauses: pauses.length,
    }
}

const noWorker: Reason = ({ facts, around: { numWorkers, numKnowing } }) => {
    const { id: jobID, channel, definition } = facts
    if (channel === null || definition === null || numKnowing > 0) return undefined
    if (numWorkers === 0) {
        const sentence = `No live worker takes jobs of the channel ${quoted(channel)}.`
        return { jobID, kind: "no-worker-for-channel", sentence, channel }
    }
    const [workers, know, are] =
        numWorkers === 1
            ? ["The one live worker", "does not know", "is"]
            : [`The ${numWorkers} live workers`, "do not know", "are"]
    const sentence = `${workers} of the channel ${quoted(channel)} ${know} the definition ${quoted(definition)}, or ${are} stopping.`
    return { jobID, kind: "no-worker-for-definition", sentence, channel, definition, numWorkers }
}

const releaseInterval: Reason = ({ facts, around: { releaseIntervalMs, nextReleaseAtMs } }) => {
    if (nextReleaseAtMs === null || nextReleaseAtMs <= facts.nowMs || !(releaseIntervalMs > 0))
        return undefined
    const nextAt = new Date(nextReleaseAtMs)
    const sentence = `Its definition takes one job every ${duration(releaseIntervalMs)} from the queue, the next one at ${when(nextAt, facts.nowMs)}.`
    return { jobID: facts.id, kind: "release-interval", sentence, releaseIntervalMs, nextAt }
}

const groupOrder: Reason = ({ facts, around: { limits, first } }) => {
    const { group } = keysOf(facts.lane)
    if (!limits?.group?.isOrdered || group === null || first === null || first.id === facts.id)
        return undefined
    const before = toReference(first)
    const sentence = `The jobs of the group ${quoted(group)} run one after the other, and ${jobInWords(before)} comes before it and has not ended.`
    return { jobID: facts.id, kind: "group-order", sentence, group, before }
}

const concurrencyLimit: Reason = ({ facts, around: { limits, numRunning, runningIDs } }) => {
    const limit = limits?.concurrency
    if (!limit || facts.lane === null || numRunning < limit.max) return undefined
    const key = limit.isKeyed ? keysOf(facts.lane).concurrency : null
    const more = numRunning > runningIDs.length ? `, and ${numRunning - runningIDs.length} more` : ""
    const jobs = `${runningIDs.length === 1 ? "job" : "jobs"} ${runningIDs.join(", ")}${more}`
    const sentence = `The concurrency limit of ${limit.max}${forKey(key)} is used up by ${jobs}.`
    return { jobID: facts.id, kind: "concurrency-limit", sentence, max: limit.max, key, runningIDs }
}

const rateLimit: Reason = ({ facts, around: { limits, window } }) => {
    const limit = limits?.rate
    if (!limit || facts.lane === null || window === null) return undefined
    const { id: jobID, nowMs } = facts
    const key = limit.isKeyed ? keysOf(facts.lane).rate : null
    if (window.heldUntilMs !== null && window.heldUntilMs > nowMs) {
        const heldUntil = new Date(window.heldUntilMs)
        const sentence = `The rate limit${forKey(key)} is held by \`context.rateLimited\` until ${when(heldUntil, nowMs)}.`
        return { jobID, kind: "rate-held", sentence, key, heldUntil }
    }
    const { max, perMs } = limit
    const taken = window.released.filter(([atMs]) => atMs > nowMs - perMs)
    const numTaken = taken.reduce((sum, [, weight]) => sum + weight, 0)
    const freeAtMs = freeAgainMs({ taken, perMs, excess: numTaken + Math.min(facts.weight ?? 1, max) - max })
    if (freeAtMs === null) return undefined
    const freeAt = new Date(freeAtMs)
    const sentence = `The rate limit of ${max} per ${perMs} ms${forKey(key)} is used up, and has room for it again at ${when(freeAt, nowMs)}.`
    return { jobID, kind: "rate-limit", sentence, max, perMs, key, numTaken, freeAt }
}

const noSlot: Reason = ({ facts, around: { numKnowing, numSlots, numBusy, numAhead } }) => {
    if (numBusy < numSlots) return undefined
    const slots = `All ${numberOf(numSlots, "slot")} of the ${numberOf(numKnowing, "worker")} that run its definition are taken`
    const sentence = `${slots}, and ${ahead(numAhead)} before it.`
    return { jobID: facts.id, kind: "no-slot", sentence, numWorkers: numKnowing, numSlots, numAhead }
}

/** A job that waits for none of these is taken in a moment. */
const REASONS: readonly Reason[] = [
    paused,
    noWorker,
    releaseInterval,
    groupOrder,
    concurrencyLimit,
    rateLimit,
    noSlot,
]

function inLine({ facts, around: { numAhead } }: Explained): Explanation {
    const sentence =
        numAhead === 0
            ? "Nothing holds it back: a worker takes it in a moment."
            : `Nothing holds it back but its place: ${ahead(numAhead)} before it.`
    return { jobID: facts.id, kind: "in-line", sentence, numAhead }
}

/** When enough of what was taken is older than the period; null when there is room already. */
function freeAgainMs(params: {
    taken: readonly [atMs: number, weight: number][]
    perMs: number
    excess: number
}): number | null {
    let { excess } = params
    if (excess <= 0) return null
    for (const [atMs, weight] of params.taken) {
        excess -= weight
        if (excess <= 0) return atMs + params.perMs
    }
    return null
}

function ahead(num: number): string {
    const jobs = num >= MAX_AHEAD ? `${MAX_AHEAD} ready jobs or more` : numberOf(num, "ready job")
    return num === 0 ? "no ready job is" : `${jobs} ${num === 1 ? "is" : "are"}`
}

function forKey(key: string | null): string {
    return key === null ? "" : ` for the key ${quoted(key)}`
}

function toTarget({ scope, name, key }: PauseFact): PauseTarget {
    if (scope === "definition") return key === null ? { definition: name } : { definition: name, key }
    return scope === "channel" ? { channel: name } : { everything: true }
}

function inWords(target: PauseTarget): string {
    if ("everything" in target) return "Everything"
    if ("channel" in target) return `Its channel ${quoted(target.channel)}`
    const definition = `definition ${quoted(target.definition)}`
    return target.key === undefined
        ? `Its ${definition}`
        : `Its key ${quoted(target.key)} of the ${definition}`
}
