import type pg from "pg"
import type { CampaignFacts } from "../../ledger/facts.ts"
import { deriveTables, writeFacts } from "../../ledger/load.ts"
import { LEDGER_TABLES } from "../../ledger/schema.ts"
import type { Change } from "../../transitions.ts"

export const FACTS: CampaignFacts = {
    peer: "cuckmq",
    profile: "mutant",
    seed: 7,
    concurrency: 2,
    maxConnections: 5,
    graceMs: 2_000,
    cleanIntervalMs: 1_000,
    historyThresholdMs: 10_000,
    recoveryTargetsMs: { stall: 1_000, "kill-worker": 4_000 },
}

type Row = Record<string, unknown>

const us = (ms: number) => Math.round(ms * 1_000)

interface Step {
    at: number
    token?: string | null
    attempt?: number
    owner?: string | null
    reason?: string
    due?: number
    expires?: number
    began?: number
    xid?: string
    errors?: number
}

/** What a call for a replay was told: null for nothing. */
interface Replay {
    at: number
    told?: number | null
    process?: string
    /** Whether the job lives again; by default it does where the call was told so. */
    isLive?: boolean
    attempt?: number
    token?: number
    hasPayload?: boolean
    hasErrors?: boolean
}

interface IntentParams {
    kind?: string
    at?: number
    delay?: number
    requires?: string[]
    form?: string
    bundle?: string
}

/** A campaign made by hand, in milliseconds. What a test does not say is as it should be. */
export class History {
    readonly #rows = new Map<string, Row[]>()
    readonly #jobs = new Map<string, { key: string | null; kind: string }>()
    readonly #leases = new Map<string, string>()
    #seq = 0

    add(table: string, row: Row): this {
        const rows = this.#rows.get(table) ?? []
        rows.push(row)
        this.#rows.set(table, rows)
        return this
    }

    phases(phases: Readonly<Record<string, number>>): this {
        for (const [phase, at] of Object.entries(phases)) this.add("phase", { phase, at: us(at) })
        return this
    }

    /** A worker, with a lease of its own name: for ever, or promised until `leaseUntil` and removed later. */
    worker(name: string, params: { leaseUntil?: number; isLeaseLeft?: boolean } = {}): this {
        const { leaseUntil = 1_000_000, isLeaseLeft = false } = params
        this.process(name, "worker")
        const lease = `lease of ${name}`
        this.#leases.set(name, lease)
        this.lease(lease, name, "opened", { at: 0, until: leaseUntil })
        if (leaseUntil === 1_000_000 || isLeaseLeft) return this
        return this.lease(lease, name, "deleted", { at: 50_000, until: leaseUntil })
    }

    process(name: string, role: string, at = 0): this {
        return this.add("life", { process: name, kind: "started", role, pid: 1, at: us(at) })
    }

    stop(name: string, params: { at: number; tookMs?: number }): this {
        const { at, tookMs = 10 } = params
        const life = { process: name, role: "worker", pid: 1, grace: us(FACTS.graceMs) }
        this.add("life", { ...life, kind: "stopping", at: us(at) })
        return this.add("life", { ...life, kind: "stopped", at: us(at + tookMs), took: us(tookMs) })
    }

    exit(victim: string, params: { at: number; isInjected?: boolean }): this {
        const { at, isInjected = true } = params
        return this.add("exit", {
            victim,
            at: us(at),
            code: null,
            signal: "SIGKILL",
            is_injected: isInjected,
        })
    }

    lease(owner: string, worker: string, change: string, params: { at: number; until: number }): this {
        const seq = ++this.#seq
        const { at, until } = params
        return this.add("lease_change", { seq, owner, worker, change, at: us(at), expires_at: us(until) })
    }

    fault(fault: string, params: { from: number; to: number; target?: string; isOutage?: boolean }): this {
        const { from, to, target = "server", isOutage = false } = params
        const row = { fault, target, began_at: us(from), ended_at: us(to), is_outage: isOutage, detail: "" }
        return this.add("fault", row)
    }

    intent(key: string, params: IntentParams = {}): this {
        const { kind = "noop", at = 0, delay = 0, requires = [], form = "single", bundle = key } = params
        const row = { process: "producer-1.1", key, job_kind: kind, form, bundle, requires, failures: 0 }
        return this.add("intent", { ...row, at: us(at), delay: us(delay) })
    }

    acked(key: string, jobID = key): this {
        return this.add("acked", { process: "producer-1.1", key, job_id: jobID, at: 0 })
    }

    /** An intent that was acknowledged, and its job. The job's id is its key. */
    job(key: string, params: IntentParams & { due?: number } = {}): this {
        const { at = 0, delay = 0 } = params
        this.intent(key, params).acked(key)
        this.#jobs.set(key, { key, kind: params.kind ?? "noop" })
        return this.step(key, "inserted", { at, due: params.due ?? at + delay })
    }

    tick(id: string, params: { due: number; at?: number; kind?: "repeat" | "schedule" }): this {
        this.#jobs.set(id, { key: null, kind: params.kind ?? "repeat" })
        return this.step(id, "inserted", { at: params.at ?? params.due, due: params.due })
    }

    /** A job that nobody wrote down that they meant to defer. */
    phantom(id: string, key: string): this {
        this.#jobs.set(id, { key, kind: "noop" })
        return this.step(id, "inserted", { at: 0, due: 0 })
    }

    step(jobID: string, change: Change, step: Step): this {
        const seq = ++this.#seq
        const { key = null, kind = null } = this.#jobs.get(jobID) ?? {}
        return this.add("transition", {
            seq,
            xid: step.xid ?? String(seq),
            job_id: jobID,
            key,
            job_kind: kind,
            change,
            at: us(step.at),
            transaction_at: us(step.began ?? step.at),
            token: step.token ?? null,
            attempt: step.attempt ?? null,
            owner: step.owner ?? null,
            reason: step.reason ?? null,
            due_at: step.due === undefined ? null : us(step.due),
            expires_at: step.expires === undefined ? null : us(step.expires),
            num_errors: step.errors ?? null,
        })
    }

    claim(jobID: string, worker: string, step: Step): this {
        return this.step(jobID, "claimed", { owner: this.#leases.get(worker) ?? null, ...step })
    }

    run(
        jobID: string,
        worker: string,
        params: { from: number; to?: number; outcome?: string; attempt?: number; token?: string },
    ): this {
        const { from, to, outcome = "returned", attempt = 1, token = "1" } = params
        const { key = null, kind = null } = this.#jobs.get(jobID) ?? {}
        const run = { process: worker, key, job_id: jobID, attempt }
        this.add("run_start", { ...run, job_kind: kind, token, at: us(from) })
        return to === undefined ? this : this.add("run_end", { ...run, at: us(to), outcome })
    }

    /** A job was cancelled, and the caller was told what became of it a millisecond later. */
    cancel(jobID: string, params: { at: number; result: "cancelled" | "cancelling" }): this {
        const { at, result } = params
        const seq = ++this.#seq
        this.add("cancellation", { seq, at: us(at), job_id: jobID, was_running: result === "cancelling" })
        return this.add("cancelled", { process: "producer-1.1", job_id: jobID, result, at: us(at + 1) })
    }

    /** A producer asked for a replay of a job, or of many, and was told two milliseconds later how many it replayed. */
    askForReplay(jobID: string | null, { at, told = 1, process = "producer-1.1" }: Replay): this {
        const call = `${process}/r${++this.#seq}`
        const { kind = null } = this.#jobs.get(jobID ?? "") ?? {}
        this.add("replay_call", { process, call, at: us(at - 1), job_kind: kind, job_id: jobID })
        if (told === null) return this
        return this.add("replay_answer", { process, call, at: us(at + 1), num: told, code: null })
    }

    /** The database replayed it, by one statement of a producer's. */
    beReplayed(jobID: string, params: Replay & { due?: number }): this {
        const { at, process = "producer-1.1", isLive = true, due = at } = params
        const { attempt = 0, token = 2, hasPayload = true, hasErrors = true } = params
        const seq = ++this.#seq
        const xid = String(seq)
        this.step(jobID, isLive ? "replayed" : "swept", { at, xid })
        this.add("replay", {
            ...{ seq, xid, at: us(at), process, job_id: jobID, is_live: isLive, letter_token: 1 },
            ...(isLive ? { attempt, token, has_payload: hasPayload, has_errors: hasErrors } : {}),
        })
        return isLive ? this.step(jobID, "inserted", { at, xid, due }) : this
    }

    /** A dead letter was replayed, as it should be, by a call that was told so. */
    replay(jobID: string, params: Replay): this {
        return this.askForReplay(jobID, params).beReplayed(jobID, params)
    }

    /** The definition that may be paused was, or what `name` says, for ever unless `to` says until when. */
    pause(params: { from: number; told: number; to?: number; name?: string }): this {
        const { from, told, to, name = "chaos-paused" } = params
        const row = { name }
        this.add("pause_change", { ...row, seq: ++this.#seq, at: us(from), change: "paused" })
        this.add("paused", { process: "producer-1.1", kind: "paused", at: us(told) })
        if (to === undefined) return this
        return this.add("pause_change", { ...row, seq: ++this.#seq, at: us(to), change: "resumed" })
    }

    event(jobID: string, worker: string, type: string, at: number): this {
        return this.add("event", { process: worker, type, job_id: jobID, at: us(at) })
    }

    gauge(name: string, subject: string, params: { at: number; value: number }): this {
        return this.add("gauge", { name, subject, value: params.value, at: us(params.at) })
    }

    /** Claims, runs and settles a job, all as it should be. */
    attempt(
        jobID: string,
        worker: string,
        params: {
            from: number
            to: number
            no?: number
            change?: Change
            outcome?: string
            reason?: string
            due?: number
            errors?: number
            /** Its token, where that is not its number. */
            token?: string
        },
    ): this {
        const { from, to, no = 1, change = "succeeded", reason, due, errors, token = String(no) } = params
        const outcome = params.outcome ?? (change === "succeeded" ? "returned" : "threw")
        this.claim(jobID, worker, { at: from, token, attempt: no })
        this.run(jobID, worker, { from: from + 1, to: to - 1, outcome, attempt: no, token })
        const owner = change === "retried" ? null : worker
        return this.step(jobID, change, {
            at: to,
            token,
            owner,
            ...(reason === undefined ? {} : { reason }),
            ...(due === undefined ? {} : { due }),
            ...(errors === undefined ? {} : { errors }),
        })
    }

    /** Empties the ledger and fills it with this. */
    async fill(ledger: pg.Pool, facts: CampaignFacts = FACTS): Promise<void> {
        const client = await ledger.connect()
        try {
            await client.query("drop schema public cascade; create schema public")
            await client.query(LEDGER_TABLES)
            await writeFacts(client, facts)
            for (const [table, rows] of this.#rows) {
                await client.query(
                    `insert into ${table} select * from json_populate_recordset(null::${table}, $1)`,
                    [JSON.stringify(rows)],
                )
            }
            await deriveTables(client)
        } finally {
            client.release()
        }
    }
}
