import type pg from "pg"
import type { Handler, Run } from "../peers/peer.ts"
import { hashOf, textOf } from "../plans.ts"
import type { Recorder } from "../recorder.ts"
import type { RunEndRecord } from "../records.ts"
import { type Plan, SNOOZE_MS } from "../workload.ts"
import { inTransaction, UnknownOutcomeError } from "./transaction.ts"

/** What a handler threw to be put off, which the peer knows by itself. */
class Snoozed {
    readonly thrown: unknown

    constructor(thrown: unknown) {
        this.thrown = thrown
    }
}

/** Longer than a campaign. */
const FOREVER_MS = 24 * 60 * 60_000

/** A handler whose payload was not what was sent. */
class GarbledError extends Error {}

/** The handler of all peers: does what the plan says, and writes down when it begins and how it ends. */
export function makeHandler(params: { recorder: Recorder; pool: pg.Pool }): Handler {
    const { recorder, pool } = params
    return async (todo, run) => {
        const { jobID, attempt, token } = run
        const key = todo.key ?? todo.kind
        recorder.write({ kind: "run-start", key, jobKind: todo.kind, jobID, attempt, token })
        const end = (outcome: RunEndRecord["outcome"], reason?: string) =>
            recorder.write({
                kind: "run-end",
                key,
                jobID,
                attempt,
                outcome,
                ...(reason === undefined ? {} : { reason: reason.slice(0, 200) }),
            })
        try {
            if (todo.key !== null) await perform({ plan: todo, run, pool })
        } catch (error) {
            end(outcomeOf(error, run), String(error))
            throw error instanceof Snoozed ? error.thrown : error
        }
        end("returned")
        return todo.kind === "noop" ? { key } : undefined
    }
}

function outcomeOf(error: unknown, { signal }: Run): RunEndRecord["outcome"] {
    if (error instanceof Snoozed) return "snoozed"
    if (error instanceof GarbledError) return "garbled"
    // Who loses the answer to a commit does not know whether it has succeeded, so nothing follows from what it throws.
    if (error instanceof UnknownOutcomeError) return "aborted"
    return signal?.aborted === true ? "aborted" : "threw"
}

async function perform({ plan, run, pool }: { plan: Plan; run: Run; pool: pg.Pool }): Promise<void> {
    const failures = plan.failures ?? 0
    switch (plan.kind) {
        case "sleep":
        case "crowded":
        case "unique":
            return sleep(plan.ms ?? 0, run.signal)
        case "block":
            return block(plan.ms ?? 0)
        case "flaky":
        case "ordered":
            if (run.attempt <= failures) throw new Error(`attempt ${run.attempt} of ${plan.key} fails`)
            return
        case "hopeless":
            throw new Error(`${plan.key} always fails`)
        case "unretryable":
            return giveUp(plan.key, run)
        case "broken":
            return beBroken(plan.key, run)
        case "kept":
            if (chanceOf(plan.key, run, 3) === 0) giveUp(plan.key, run)
            return
        case "unkept":
            if (chanceOf(plan.key, run, 3) === 0) throw new Error(`a claim of ${plan.key} fails`)
            return
        case "snoozed":
            if (chanceOf(plan.key, run, 2) === 0) snooze(run)
            return
        case "overrun":
            if (run.attempt <= failures) return sleep(FOREVER_MS, run.signal)
            return
        case "abort":
            if (run.attempt <= failures) process.abort()
            return
        case "hang":
            return hang(plan.key, run.signal)
        case "big":
        case "hostile":
            if (plan.text !== textOf(plan.kind, plan.key)) throw new GarbledError(plan.key)
            return
        case "effect":
            return effect({ key: plan.key, run, pool })
        default:
            return
    }
}

/** One of so many numbers, from 0, another for each claim of a job. */
function chanceOf(key: string, { token }: Run, num: number): number {
    return hashOf(`${key} ${token}`) % num
}

function giveUp(key: string, run: Run): never {
    throw run.unretryable?.(`${key} must not be tried again`) ?? new Error(key)
}

/** Fails for good so often that there is something to replay, and not so often that nothing is mended by it. */
function beBroken(key: string, run: Run): void {
    const chance = chanceOf(key, run, 4)
    if (chance === 0) return
    if (chance < 3) giveUp(key, run)
    throw new Error(`a claim of ${key} fails`)
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
        const giveUp = () => {
            clearTimeout(timer)
            reject(signal?.reason)
        }
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", giveUp)
            resolve()
        }, ms)
        signal?.addEventListener("abort", giveUp, { once: true })
        if (signal?.aborted === true) giveUp()
    })
}

function snooze(run: Run): void {
    try {
        run.snooze?.(SNOOZE_MS)
    } catch (thrown) {
        throw new Snoozed(thrown)
    }
}

function block(ms: number): void {
    const untilMs = performance.now() + ms
    while (performance.now() < untilMs);
}

/** Never settles. Half of these watch their signal, the others do not mind it. */
function hang(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((_, reject) => {
        if (hashOf(key) % 2 === 0) return
        if (signal?.aborted === true) reject(signal.reason)
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
    })
}

/**
 * Writes an effect and completes the job in one transaction. On the first attempt some change their mind: before they
 * completed, or after.
 */
async function effect({ key, run, pool }: { key: string; run: Run; pool: pg.Pool }): Promise<void> {
    const fails = run.attempt === 1 ? hashOf(key) % 10 : undefined
    await inTransaction(pool, async (client) => {
        await client.query("insert into chaos.effect (key, job_id, token) values ($1, $2, $3)", [
            key,
            run.jobID,
            run.token,
        ])
        if (fails === 0) throw new Error(`${key} fails before it completes`)
        await run.complete?.(client)
        if (fails === 1) throw new Error(`${key} fails after it completed, before it commits`)
    })
}
