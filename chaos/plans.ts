import type { Random } from "./random.ts"
import { type JobKind, LEASE_MS, NUM_BUCKETS, NUM_RETRIES, type Plan, type TickKind } from "./workload.ts"

/**
 * How much there is of each kind: a share of all jobs, beside the other shares, or, where the kind is costly, so many a
 * second of each producer. A job that blocks keeps a whole worker busy, one that aborts takes its neighbours with it, and
 * of the limited ones five a second may start: more of them would only ever pile up.
 */
const MIX: Readonly<Record<Exclude<JobKind, TickKind>, { share: number } | { perSecond: number }>> = {
    noop: { share: 44 },
    sleep: { share: 3 },
    block: { perSecond: 1 / 15 },
    flaky: { share: 8 },
    hopeless: { share: 3 },
    broken: { share: 5 },
    unretryable: { share: 2 },
    snoozed: { share: 3 },
    overrun: { perSecond: 1 / 2 },
    abort: { perSecond: 1 / 20 },
    hang: { perSecond: 1 / 2 },
    thread: { perSecond: 1 / 15 },
    "thread-hang": { perSecond: 1 / 60 },
    limited: { perSecond: 0.4 },
    crowded: { perSecond: 1 },
    metered: { perSecond: 2 },
    ordered: { perSecond: 1 / 2 },
    unique: { perSecond: 2 },
    dependent: { share: 18 },
    delayed: { share: 8 },
    big: { perSecond: 1 / 2 },
    hostile: { share: 4 },
    effect: { share: 5 },
    kept: { share: 3 },
    unkept: { share: 3 },
    paused: { share: 3 },
    urgent: { share: 3 },
    "key-paused": { share: 3 },
}

const MAX_FAN_IN = 8
const MAX_DELAY_MS = 8_000
const BIG_CHARS = 256 * 1_024

/** A job that others may require: it was acknowledged. */
export interface Acked {
    readonly key: string
    readonly jobID: string
}

/** Draws jobs, one after the other, as a seed has it. */
export class Planner {
    readonly #random: Random
    readonly #prefix: string
    readonly #kinds: readonly { kind: JobKind; weight: number }[]
    #numPlans = 0

    constructor(params: {
        random: Random
        /** What makes its keys unique. */
        prefix: string
        kinds: ReadonlySet<JobKind>
        jobsPerSecond: number
    }) {
        this.#random = params.random
        this.#prefix = params.prefix
        this.#kinds = weigh(params)
    }

    /** The next job. What it may require is handed in, since that depends on what was acknowledged by now. */
    next(acked: readonly Acked[]): Plan {
        const { kind } = this.#random.weighted(this.#kinds)
        const key = `${this.#prefix}/${++this.#numPlans}`
        switch (kind) {
            case "sleep":
                // Skewed towards the short ones, so that they do not fill all slots.
                return { key, kind, ms: Math.round(LEASE_MS * (0.1 + 2.4 * this.#random.next() ** 2)) }
            case "block":
                return { key, kind, ms: Math.round(LEASE_MS * this.#random.between(1.3, 1.7)) }
            case "flaky":
                return { key, kind, failures: this.#random.integer(1, Math.min(3, NUM_RETRIES)) }
            case "thread":
                return {
                    key,
                    kind,
                    ms: Math.round(LEASE_MS * this.#random.between(0.1, 1.3)),
                    failures: this.#random.integer(0, 2),
                }
            case "overrun":
            case "abort":
                return { key, kind, failures: this.#random.integer(1, 2) }
            case "crowded":
            case "unique":
                return { key: this.#inBucket(key), kind, ms: this.#random.integer(50, 500) }
            case "metered":
            case "key-paused":
                return { key: this.#inBucket(key), kind }
            case "ordered":
                return { key: this.#inBucket(key), kind, failures: this.#random.integer(0, 1) }
            case "delayed":
                return { key, kind, delayMs: this.#random.integer(1, MAX_DELAY_MS) }
            case "dependent":
                return this.#dependent(key, acked)
            case "big":
            case "hostile":
                return { key, kind, text: textOf(kind, key) }
            default:
                return { key, kind }
        }
    }

    #inBucket(key: string): string {
        return `${key}#${this.#random.integer(1, NUM_BUCKETS)}`
    }

    #dependent(key: string, acked: readonly Acked[]): Plan {
        if (acked.length === 0) return { key, kind: "noop" }
        // Few are required most often, many now and then.
        const num = 1 + Math.floor(MAX_FAN_IN * this.#random.next() ** 3)
        const requires = new Set(Array.from({ length: num }, () => this.#random.pick(acked).key))
        return { key, kind: "dependent", requires: [...requires] }
    }
}

function weigh(params: {
    kinds: ReadonlySet<JobKind>
    jobsPerSecond: number
}): { kind: JobKind; weight: number }[] {
    const items = Object.entries(MIX)
        .map(([kind, amount]) => ({ kind: kind as JobKind, amount }))
        .filter(({ kind }) => params.kinds.has(kind))
    const rates = items.reduce((sum, { amount }) => sum + ("perSecond" in amount ? amount.perSecond : 0), 0)
    const shares = items.reduce((sum, { amount }) => sum + ("share" in amount ? amount.share : 0), 0)
    const restPerSecond = Math.max(params.jobsPerSecond - rates, 1)
    return items.map(({ kind, amount }) => ({
        kind,
        weight: "share" in amount ? (amount.share / shares) * restPerSecond : amount.perSecond,
    }))
}

/** What has hurt queues and drivers: quotes, separators, markup, other scripts, the ends of planes, numbers as text. */
const HOSTILE = [
    `'; drop schema chaos cascade; --`,
    `"\\"'\\'\\\\u0000$1 $$ %s \${x} {{y}}`,
    "\u001e\u001f\u0001\u007f\t\r\n\b\f",
    "\u2028\u2029\ufeff\u200b\u202e",
    "🦜👩‍👩‍👧‍👦é́ß İı ﷽ \u{10ffff}\uffff",
    "NaN null undefined -0 1e400 9007199254740993 \\N",
    "</script><!--\\u003c",
    "__proto__",
    '{},[]{"a":1}',
] as const

/** The text that belongs to a key: so a handler can tell whether what it was given is what was sent. */
export function textOf(kind: "big" | "hostile", key: string): string {
    const at = hashOf(key)
    if (kind === "hostile") return HOSTILE.map((_, i) => HOSTILE[(at + i) % HOSTILE.length]).join(key)
    const piece = `${key} ${at.toString(36)} `
    return piece.repeat(Math.ceil(BIG_CHARS / piece.length)).slice(0, BIG_CHARS)
}

/** A number, at least 0, that a key decides: for choices of handlers, which have no chance of their own. */
export function hashOf(key: string): number {
    let hash = 0x811c9dc5
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
    hash ^= hash >>> 15
    return hash >>> 0
}
