import type pg from "pg"
import { monotonicMicros } from "../clock.ts"
import { pause } from "../pause.ts"
import type { Daemon, Peer, Producer } from "../peers/peer.ts"
import { type Acked, Planner } from "../plans.ts"
import type { ProgramTask } from "../processes.ts"
import { Random } from "../random.ts"
import type { Recorder } from "../recorder.ts"
import type { DeferForm } from "../records.ts"
import { HISTORY_MS, type Plan } from "../workload.ts"
import { Control } from "./control.ts"
import { pastOf } from "./past.ts"
import { Replays } from "./replays.ts"
import { inTransaction, makePool, UnknownOutcomeError } from "./transaction.ts"

const TICK_MS = 100
/** The producer that pauses what may be paused: one, so that none ends the pause of another. */
const PAUSING_INDEX = 1
/** Calls under way at the same time. Those whose answers never come are given up by the queue only after a while. */
const MAX_UNDER_WAY = 24
/** After an outage it goes so many times faster than else, until it has caught up. */
const CATCH_UP = 3
const NUM_OWN_CONNECTIONS = 2
const ROLLBACK_SHARE = 0.2
const REFUSED_PAUSE_MS = 250

/** Jobs that may be required: none so old that it may have been swept, and some that are finished. */
const MAX_AGE_MS = 0.6 * HISTORY_MS
const MAX_ACKED = 500

const FORMS: readonly { form: DeferForm; weight: number; size: readonly [number, number] }[] = [
    { form: "single", weight: 3, size: [1, 8] },
    { form: "bulk", weight: 4, size: [10, 60] },
    { form: "transaction", weight: 3, size: [1, 6] },
]

/** Errors of ours rather than of the server or the network. */
const MISTAKES = /INVALID|DUPLICATE|NOT_PREPARED/

/** The producer changes its mind, and rolls back. */
class ChangeOfMind extends Error {}

/** Defers jobs at a steady rate, and writes down what it means to do and what came of it. */
export class ProducerProgram implements Daemon {
    readonly #recorder: Recorder
    readonly #producer: Producer
    readonly #pool: pg.Pool
    readonly #random: Random
    readonly #planner: Planner
    readonly #process: string
    readonly #jobsPerSecond: number
    readonly #since: number
    readonly #stopping = new AbortController()
    readonly #underWay = new Set<Promise<void>>()
    readonly #acked: (Acked & { at: number })[] = []
    readonly #running: Promise<void>
    readonly #control: Control
    readonly #replays: Replays
    #numAcked: number
    #numPending = 0
    #numGroups = 0

    private constructor(params: { producer: Producer; peer: Peer; task: ProgramTask; recorder: Recorder }) {
        const { peer, task, recorder, producer } = params
        const { options } = task
        const past = pastOf(task)
        this.#recorder = recorder
        this.#producer = producer
        this.#process = options.process
        this.#jobsPerSecond = task.params.jobsPerSecond
        this.#pool = makePool({ ...options, max: NUM_OWN_CONNECTIONS })
        this.#random = new Random(options.seed)
        this.#planner = new Planner({
            random: this.#random.fork("plans"),
            prefix: options.process,
            kinds: peer.kinds,
            jobsPerSecond: this.#jobsPerSecond,
        })
        this.#since = past.since ?? monotonicMicros()
        this.#numAcked = past.numAcked
        this.#running = this.#run()
        this.#control = new Control({
            producer,
            recorder,
            random: this.#random.fork("control"),
            candidates: () => this.#candidates(),
            pauses: task.index === PAUSING_INDEX,
            ending: this.#stopping.signal,
        })
        this.#replays = new Replays({
            producer,
            recorder,
            process: options.process,
            ending: this.#stopping.signal,
        })
    }

    static async start(params: { peer: Peer; task: ProgramTask; recorder: Recorder }): Promise<Daemon> {
        return new ProducerProgram({
            ...params,
            producer: await params.peer.startProducer(params.task.options),
        })
    }

    stop(): void {
        this.#stopping.abort()
    }

    async join(graceMs: number): Promise<void> {
        await this.#running
        await this.#control.resumed()
        const answered = Promise.all([...this.#underWay, this.#control.ended(), this.#replays.ended()])
        // What is not answered by then stays unknown.
        await Promise.race([answered, pause(graceMs)])
    }

    poolTotals() {
        return this.#producer.poolTotals?.() ?? { total: 0, idle: 0, waiting: 0 }
    }

    async #run(): Promise<void> {
        const { signal } = this.#stopping
        while (!signal.aborted) {
            let allowance = Math.min(this.#owed(), (CATCH_UP * this.#jobsPerSecond * TICK_MS) / 1_000)
            while (allowance >= 1 && this.#underWay.size < MAX_UNDER_WAY) allowance -= this.#begin(allowance)
            await pause(TICK_MS, signal)
        }
    }

    #owed(): number {
        const seconds = (monotonicMicros() - this.#since) / 1_000_000
        return seconds * this.#jobsPerSecond - this.#numAcked - this.#numPending
    }

    /** Begins one call, or several at once. Returns how many jobs are on their way. */
    #begin(limit: number): number {
        const { form, size } = this.#random.weighted(FORMS)
        if (form === "transaction" && this.#producer.deferIn === undefined) return 0
        const num = Math.min(this.#random.integer(...size), Math.floor(limit))
        const candidates = this.#candidates()
        const plans = Array.from({ length: num }, () => this.#planner.next(candidates))
        // All kinds in one transaction, but a call a kind in bulk, since a call is all or nothing.
        const groups =
            form === "single"
                ? plans.map((plan) => [plan])
                : form === "bulk"
                  ? [...Map.groupBy(plans, ({ kind }) => kind).values()]
                  : [plans]
        for (const group of groups) this.#start(form, group, candidates)
        return num
    }

    #candidates(): readonly Acked[] {
        const oldest = performance.now() - MAX_AGE_MS
        while ((this.#acked[0]?.at ?? oldest) < oldest || this.#acked.length > MAX_ACKED) this.#acked.shift()
        return this.#acked.slice()
    }

    #start(form: DeferForm, plans: readonly Plan[], candidates: readonly Acked[]): void {
        this.#numPending += plans.length
        const work = this.#defer(form, plans, candidates).finally(() => {
            this.#numPending -= plans.length
            this.#underWay.delete(work)
        })
        this.#underWay.add(work)
    }

    async #defer(form: DeferForm, plans: readonly Plan[], candidates: readonly Acked[]): Promise<void> {
        const group = `${this.#process}/g${++this.#numGroups}`
        this.#recorder.writeAll(plans.map((plan) => intentOf(plan, form, group)))
        const idOf = new Map(candidates.map(({ key, jobID }) => [key, jobID]))
        const jobs = plans.map((plan) => ({
            plan,
            requiredIDs: (plan.requires ?? []).map((key) => idOf.get(key) as string),
        }))
        try {
            const ids =
                form === "transaction"
                    ? await this.#deferInTransaction(group, jobs)
                    : await this.#producer.defer(jobs)
            this.#recorder.writeAll(
                plans.map(({ key }, at) => ({ kind: "acked", key, jobID: ids[at] as string })),
            )
            const at = performance.now()
            for (const [i, { key, kind }] of plans.entries()) {
                // The id of one that is unique may be another's, and what is not kept cannot be required for long.
                if (kind !== "unique" && kind !== "unkept")
                    this.#acked.push({ key, jobID: ids[i] as string, at })
            }
            this.#numAcked += plans.length
        } catch (error) {
            if (error instanceof ChangeOfMind) return this.#recorder.write({ kind: "rolled-back", group })
            this.#refuse(group, error)
            await pause(REFUSED_PAUSE_MS, this.#stopping.signal)
        }
    }

    /** Beside the jobs a row of the producer's own, with which they stand or fall. */
    #deferInTransaction(group: string, jobs: Parameters<Producer["defer"]>[0]): Promise<string[]> {
        const changesMind = this.#random.chance(ROLLBACK_SHARE)
        return inTransaction(this.#pool, async (client) => {
            await client.query("insert into chaos.effect (key, job_id) values ($1, 'beside')", [group])
            const ids = (await this.#producer.deferIn?.(client, jobs)) ?? []
            if (changesMind) throw new ChangeOfMind()
            return ids
        })
    }

    #refuse(group: string, error: unknown): void {
        const { code, message } = told(error)
        if (error instanceof TypeError || error instanceof RangeError || MISTAKES.test(code)) throw error
        this.#recorder.write({ kind: "refused", group, code, message: message.slice(0, 200) })
    }
}

function told(error: unknown): { code: string; message: string } {
    if (!(error instanceof Error)) return { code: "", message: String(error) }
    const code = "code" in error ? String(error.code) : error instanceof UnknownOutcomeError ? "UNKNOWN" : ""
    return { code, message: error.message }
}

function intentOf(plan: Plan, form: DeferForm, group: string) {
    return {
        kind: "intent" as const,
        key: plan.key,
        jobKind: plan.kind,
        form,
        group,
        delayMs: plan.delayMs ?? 0,
        requires: plan.requires ?? [],
        failures: plan.failures ?? 0,
    }
}
