import { type Cell, type Colour, type Column, type Look, paint } from "../look.ts"
import { DELAY_MS, RELEASE_INTERVAL_MS, REPEAT_INTERVAL_MS } from "./definitions.ts"
import type { Progress, State } from "./progress.ts"

const NUM_HAPPENINGS = 7
const BAR_WIDTH = 24
const RATE_WIDTH = 9

const STATES: [state: State, colour: Colour][] = [
    ["waiting", "cyan"],
    ["running", "bold"],
    ["retrying", "yellow"],
    ["succeeded", "green"],
    ["failed", "red"],
]

const COLUMNS: Column[] = [
    { title: "DEFINITION" },
    ...STATES.map(([state]) => ({ title: state.toUpperCase(), isNumber: true })),
    { title: "RATE".padStart(RATE_WIDTH), isNumber: true },
    { title: "" },
]

/** What each definition shows at the end of its line. */
const NOTES: Record<string, string> = {
    "count-file": "a job for each file",
    "publish-digest": `at most one in ${RELEASE_INTERVAL_MS} ms`,
    "flaky-upload": "fails twice, then succeeds",
    "doomed-read": "fails for good",
    reminder: `is due after ${DELAY_MS / 1_000} s`,
    heartbeat: `repeats every ${REPEAT_INTERVAL_MS / 1_000} s`,
    report: "waits for all files",
}

/** The frame that is drawn while jobs run. */
export function frameLines(params: {
    progress: Progress
    names: string[]
    hint: string
    look: Look
}): string[] {
    const { progress, names, hint, look } = params
    const { numEnded, numExpected, elapsedMs } = progress
    const happenings = progress.happenings.slice(-NUM_HAPPENINGS)
    const progressText = `  ${numEnded} of ${numExpected} jobs  ${seconds(elapsedMs)}  `
    return [
        "",
        ...look.table(
            COLUMNS,
            names.map((name) => tallyRow(name, progress)),
        ),
        "",
        look.fitted(...bar(progress), progressText, paint("dim", hint)),
        "",
        ...happenings.map(({ atMs, cells }) =>
            look.fitted(paint("dim", seconds(atMs).padStart(7)), "  ", ...cells),
        ),
    ]
}

/** The same in one line, for an output that is no terminal. */
export function progressLine(progress: Progress, names: string[]): string {
    const parts = names.map((name) => {
        const { succeeded, failed, ...tally } = progress.tally(name)
        const numEnded = succeeded + failed
        const numJobs = numEnded + tally.waiting + tally.running + tally.retrying
        const note = tally.retrying > 0 ? " (retrying)" : failed > 0 ? " (failed)" : ""
        return `${name} ${numEnded}/${numJobs}${note}`
    })
    return `${seconds(progress.elapsedMs).padStart(7)}  ${parts.join("  ")}`
}

/** Where we are in time. */
export function seconds(ms: number): string {
    return `${(ms / 1_000).toFixed(1)} s`
}

/** How long something took. */
export function duration(ms: number): string {
    return ms < 1_000 ? `${Math.ceil(ms)} ms` : seconds(ms)
}

/** A number; zero is left to a dot, so that what happened stands out. */
export function number(value: number): string {
    return value === 0 ? "·" : value.toLocaleString("en")
}

function tallyRow(name: string, progress: Progress): Cell[] {
    const tally = progress.tally(name)
    const rate = tally.perSecond === undefined ? "" : `${tally.perSecond.toFixed(1)}/s`
    return [
        name,
        ...STATES.map(([state, colour]) => paint(tally[state] === 0 ? "dim" : colour, number(tally[state]))),
        rate,
        paint("dim", NOTES[name] ?? ""),
    ]
}

function bar({ numEnded, numExpected }: Progress): Cell[] {
    // Jobs that repeat come while others end, and may be ahead of them.
    const numFull = Math.min(BAR_WIDTH, Math.round((numEnded / Math.max(1, numExpected)) * BAR_WIDTH))
    return [paint("green", "█".repeat(numFull)), paint("dim", "░".repeat(BAR_WIDTH - numFull))]
}
