import { InvalidPayloadError } from "./errors.ts"
import { isKey, KEY_RULE } from "./options.ts"

/** What stands between the keys that make up a lane, and in none of them. */
const SEPARATOR = "\u001f"

/** The keys that a job may have, in the order in which its lane has them. */
const PARTS = ["group", "concurrency", "rate"] as const

/** What a key is for. */
export type KeyPart = (typeof PARTS)[number]

/** Says what a job is counted under, by its payload. */
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

/** What holds the jobs of a definition back besides the slots of workers. */
export interface Gate {
    readonly concurrency: ConcurrencyRule | null
    readonly keys: Readonly<Partial<Record<KeyPart, KeyFunction>>>
}

/** Of a job for which no key could be found: it is counted with others of its kind. */
export const LANE_WITHOUT_KEYS = SEPARATOR.repeat(PARTS.length - 1)

/**
 * The lane that a job of a gated definition belongs to: all of its keys. Jobs of a lane are held back together.
 *
 * @throws InvalidPayloadError when a key function throws, or returns what is no key.
 */
export function laneOf(params: { definition: string; gate: Gate; payload: unknown }): string {
    return PARTS.map((part) => {
        const key = params.gate.keys[part]
        return key === undefined ? "" : toKey({ ...params, key })
    }).join(SEPARATOR)
}

function toKey(params: { definition: string; key: KeyFunction; payload: unknown }): string {
    const { definition, payload } = params
    const { option, keyOf } = params.key
    let key: unknown
    try {
        // The function takes what `defer` demanded of the payload.
        key = keyOf(payload as never)
    } catch (cause) {
        const reason = `has no key: \`${option}\` threw`
        throw new InvalidPayloadError({ definition, path: "payload", reason, cause })
    }
    if (isKey(key)) return key
    const reason = `has no key: \`${option}\` must return ${KEY_RULE}`
    throw new InvalidPayloadError({ definition, path: "payload", reason })
}
