import type { Micros } from "./records.ts"

/** The clock that all processes of a host share, and that nobody sets. */
export function monotonicMicros(): Micros {
    return Number(process.hrtime.bigint() / 1_000n)
}
