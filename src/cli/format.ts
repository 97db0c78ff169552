import type { Count, JobKeys, JobState, ListedJob, Pause, PauseTarget } from "../index.ts"
import { type Cell, type Colour, paint } from "./look.ts"

const UNITS: [ms: number, letter: string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1_000, "s"],
]

/** A duration in few characters, such as `3m` or `2d`. */
export function short(ms: number): string {
    const [unitMs, letter] = UNITS.find(([unit]) => ms >= unit) ?? [1, "ms"]
    return `${Math.floor(Math.max(0, ms) / unitMs)}${letter}`
}

/** An instant; a dash where there is none. */
export function instant(at: Date | null): string {
    return at === null ? "-" : at.toISOString()
}

/** A count, and that there may be more. */
export function count({ num, isExact }: Count): string {
    return isExact ? String(num) : `~${num}`
}

/** A thing, or a dash where there is none. */
export function orDash(value: string | number | null): string | number {
    return value ?? "-"
}

const COLOUR_OF_STATE: Record<JobState, Colour | null> = {
    ready: "cyan",
    delayed: "dim",
    blocked: "dim",
    running: "blue",
    failing: "red",
    succeeded: "green",
    failed: "red",
}

/** A state, in its colour. */
export function stateCell(state: JobState): Cell {
    return paint(COLOUR_OF_STATE[state], state)
}

/** What is paused, in words. */
export function targetText(target: PauseTarget): string {
    if ("definition" in target)
        return target.key === undefined
            ? `definition ${target.definition}`
            : `key ${target.key} of definition ${target.definition}`
    return "channel" in target ? `channel ${target.channel}` : "everything"
}

/** A pause, in a line. */
export function pauseText({ target, reason, pausedAt }: Pause): string {
    return `${targetText(target)}, since ${instant(pausedAt)}${reason === null ? "" : `: ${reason}`}`
}

/** The keys of a job, in words. */
export function keysText(keys: JobKeys): string {
    const given = Object.entries(keys).filter(([, key]) => key !== null)
    return given.length === 0 ? "-" : given.map(([kind, key]) => `${kind} ${key}`).join(", ")
}

/** What is to be known of a listed job besides its state. */
export function remark({ reason, errorMessage, isCancelRequested, keys }: ListedJob): string {
    const parts = [
        ...(isCancelRequested ? ["being cancelled"] : []),
        ...(reason === null ? [] : [reason]),
        ...(errorMessage === null ? [] : [errorMessage]),
        ...Object.entries(keys).flatMap(([kind, key]) => (key === null ? [] : [`${kind}=${key}`])),
    ]
    return parts.join("; ")
}
