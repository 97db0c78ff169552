import { InvalidPayloadError } from "./errors.ts"
import { isKey, KEY_RULE } from "./options.ts"

/** What stands between the keys that make up a lane, and in none of them. */
const SEPARATOR = "\u001f"

/** The keys that a job may have, in the order in which its lane has them. */
const PARTS = ["group", "concurrency", "rate"] as const

/** What a key is for. */
export type KeyPart = (typeof PARTS)[number]

/** Whether there is a gate that holds jobs back, and does not only let them take turns. */
export function isHoldingBack(gate: Gate | null): boolean {
    return gate !== null && (gate.concurrency !== null || gate.rate !== null || gate.isOrdered)
}

/** Where a job of a gated definition waits, and how much of a rate it counts for. */
export interface Placing {
    readonly lane: string
    readonly weight: number
}

/** Says what a job is counted under, or for, by its payload. */
export interface KeyFunction {
    /** The option that it was given with, for messages. */
    readonly option: string
    readonly keyOf: (payload: never) => unknown
}

/** The most jobs that may run at the same time, of a definition or of each of its keys. */
export interface ConcurrencyRule {
    readonly max: number
    readonly isKeyed: boolean
}

/** The most that may be released within any `perMs`, of a definition or of each of its keys. */
export interface RateRule {
    readonly max: number
    readonly perMs: number
    readonly isKeyed: boolean
    /** How much of it a job counts for. */
    readonly weight: number | KeyFunction
}

/** What holds the jobs of a definition back besides the slots of workers. */
export interface Gate {
    readonly concurrency: ConcurrencyRule | null
    readonly rate: RateRule | null
    /** Whether the jobs of a group run one after the other. */
    readonly isOrdered: boolean
    readonly keys: Readonly<Partial<Record<KeyPart, KeyFunction>>>
}

/** The limits of a definition, as those see them who look on: without the functions that keys are made by. */
export interface Limits {
    concurrency: ConcurrencyRule | null
    rate: Pick<RateRule, "max" | "perMs" | "isKeyed"> | null
    /** Null where jobs are in no groups. */
    group: { isOrdered: boolean } | null
}

/** What the database keeps of a gate, as JSON text: the `Limits`. */
export function limitsText(gate: Gate | null): string | null {
    if (gate === null) return null
    const { concurrency, rate, isOrdered, keys } = gate
    return JSON.stringify({
        concurrency,
        rate: rate === null ? null : { max: rate.max, perMs: rate.perMs, isKeyed: rate.isKeyed },
        group: keys.group === undefined ? null : { isOrdered },
    } satisfies Limits)
}

/** Of a job for which no key could be found: it is counted with others of its kind. */
export const PLACING_WITHOUT_KEYS: Placing = { lane: SEPARATOR.repeat(PARTS.length - 1), weight: 1 }

/** A job whose payload is asked for something. */
interface Asked {
    definition: string
    payload: unknown
}

/** What placing a job starts from. */
interface ToPlace extends Asked {
    gate: Gate
}

/**
 * Where a job of a gated definition waits: its lane is made of all of its keys, and the jobs of a lane are held back
 * together.
 *
 * @throws InvalidPayloadError when a function of the options throws, or returns what is no key or no weight.
 */
export function placeOf(job: ToPlace): Placing {
    const lane = PARTS.map((part) => {
        const key = job.gate.keys[part]
        return key === undefined ? "" : toKey(job, key)
    }).join(SEPARATOR)
    return { lane, weight: job.gate.rate === null ? 1 : toWeight(job, job.gate.rate) }
}

/** The lane of a job whose keys are known. */
export function laneOf(keys: Readonly<Partial<Record<KeyPart, string>>>): string {
    return PARTS.map((part) => keys[part] ?? "").join(SEPARATOR)
}

/** The keys that a lane was made of; null for those that a job has none of. */
export function keysOf(lane: string | null): Record<KeyPart, string | null> {
    const [group = "", concurrency = "", rate = ""] = lane?.split(SEPARATOR) ?? []
    return { group: group || null, concurrency: concurrency || null, rate: rate || null }
}

/**
 * The key that a function says a payload has.
 *
 * @throws InvalidPayloadError when it throws, or returns what is no key.
 */
export function toKey(job: Asked, key: KeyFunction): string {
    const value = ask(job, key)
    if (isKey(value)) return value
    throw refusal(job, `has no key: \`${key.option}\` must return ${KEY_RULE}`)
}

function toWeight(job: ToPlace, { weight, max }: RateRule): number {
    if (typeof weight === "number") return weight
    const value = ask(job, weight)
    const isWeight = typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max
    if (isWeight) return value
    throw refusal(job, `has no weight: \`${weight.option}\` must return a whole number from 1 to ${max}`)
}

function ask(job: Asked, { option, keyOf }: KeyFunction): unknown {
    try {
        // The function takes what `defer` demanded of the payload.
        return keyOf(job.payload as never)
    } catch (cause) {
        throw refusal(job, `cannot be placed: \`${option}\` threw`, cause)
    }
}

function refusal({ definition }: Asked, reason: string, cause?: unknown): InvalidPayloadError {
    return new InvalidPayloadError({ definition, path: "payload", reason, cause })
}
