import type { JobReference } from "./job-details.ts"

const UNITS: [ms: number, name: string][] = [
    [24 * 60 * 60_000, "day"],
    [60 * 60_000, "hour"],
    [60_000, "minute"],
    [1_000, "second"],
]

/** A duration in words, in the largest unit of which it has two, such as `90 seconds` or `5 hours`. */
export function duration(ms: number): string {
    const [unitMs, name] = UNITS.find(([unit]) => ms >= 2 * unit) ?? [1, "millisecond"]
    return numberOf(Math.round(ms / unitMs), name)
}

/** A number of things, such as `1 job` or `2 jobs`. */
export function numberOf(num: number, name: string): string {
    return `${num} ${name}${num === 1 ? "" : "s"}`
}

/** An instant, and how far it is from now, such as `2026-01-01T00:00:05.000Z (in 5 seconds)`. */
export function when(at: Date, nowMs: number): string {
    const inMs = at.getTime() - nowMs
    return `${at.toISOString()} (${inMs >= 0 ? `in ${duration(inMs)}` : `${duration(-inMs)} ago`})`
}

/** A name or a key, so that it can be told from the words around it. */
export function quoted(text: string): string {
    return JSON.stringify(text)
}

/** Which job, such as `job 17 ("resize", running)`. */
export function jobInWords({ jobID, definition, state }: JobReference): string {
    return `job ${jobID} (${definition === null ? "of a definition that is gone" : quoted(definition)}, ${state})`
}
