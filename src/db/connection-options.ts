import type { PgPool } from "./client.ts"

/** Options of a `pg` pool that a single connection can do without. */
const OF_THE_POOL = new Set(["Client", "Promise", "log", "onConnect", "types", "verify"])

/**
 * What a connection needs to reach the same database from another thread. Undefined when that includes a function,
 * such as a password that is asked for, which cannot be handed over.
 */
export function connectionOptions(pool: PgPool): object | undefined {
    const { options } = pool as { options?: unknown }
    if (typeof options !== "object" || options === null) return undefined
    const kept = everythingOf(options, OF_THE_POOL)
    if (typeof kept.ssl === "object" && kept.ssl !== null) kept.ssl = everythingOf(kept.ssl)
    try {
        return structuredClone(kept)
    } catch {
        return undefined
    }
}

/** Passwords and keys too, which `pg` hides from enumeration. */
function everythingOf(options: object, except: ReadonlySet<string> = new Set()): Record<string, unknown> {
    const names = Object.getOwnPropertyNames(options).filter((name) => !except.has(name))
    return Object.fromEntries(names.map((name) => [name, (options as Record<string, unknown>)[name]]))
}
