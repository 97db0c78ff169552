import { RELEASE_INTERVAL_MS, REPEAT_INTERVAL_MS } from "./definitions.ts"
import { bold, cyan, dim, green, red, yellow } from "./paint.ts"
import type { Progress, State, Tally } from "./progress.ts"
import { type Column, cell } from "./table.ts"

const NUM_HAPPENINGS = 7
const BAR_WIDTH = 24
const WIDTH_WITH_NOTES = 106

const NAME: Column = { title: "job definition", width: 16 }
const STATES: (Column & { state: State; paint: (text: string) => string })[] = [
    { state: "waiting", paint: cyan },
    { state: "running", paint: bold },
    { state: "retrying", paint: yellow },
    { state: "succeeded", paint: green },
    { state: "failed", paint: red },
].map(({ state, paint }) => ({ state: state as State, paint, title: state, width: 10, isNumber: true }))
const RATE: Column = { title: "rate", width: 10, isNumber: true }

/** What each definition shows at the end of its line. */
const NOTES: Record<string, string> = {
    "count-file": "a job for each file",
    "publish-digest": `at most one in ${RELEASE_INTERVAL_MS} ms`,
    "flaky-upload": "fails twice, then succeeds",
    "doomed-read": "fails for good",
    heartbeat: `repeats every ${REPEAT_INTERVAL_MS / 1_000} s`,
    report: "waits for all files",
}

/** The frame that is drawn while jobs run. The notes are for those who have the room. */
export function frameLines(params: {
    progress: Progress
    names: string[]
    hint: string
    columns: number
}): string[] {
    const { progress, names, hint, columns } = params
    const hasNotes = columns >= WIDTH_WITH_NOTES
    const titles = [NAME, ...STATES, RATE].map((column) => cell(column, column.title)).join("")
    const happenings = progress.happenings.slice(-NUM_HAPPENINGS)
    return [
        "",
        dim(titles),
        ...names.map(
            (name) => tallyLine(name, progress.tally(name)) + (hasNotes ? `  ${dim(NOTES[name] ?? "")}` : ""),
        ),
        "",
        `${bar(progress)}  ${progress.numEnded} of ${progress.numExpected} jobs  ${seconds(progress.elapsedMs)}  ${dim(hint)}`,
        "",
        ...happenings.map(({ atMs, text }) => `${dim(seconds(atMs).padStart(7))}  ${text}`),
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

function tallyLine(name: string, tally: Tally): string {
    const states = STATES.map((column) => {
        const text = cell(column, tally[column.state])
        return tally[column.state] === 0 ? dim(text) : column.paint(text)
    })
    const rate = tally.perSecond === undefined ? "" : `${tally.perSecond.toFixed(1)}/s`
    return `${cell(NAME, name)}${states.join("")}${cell(RATE, rate)}`
}

function bar({ numEnded, numExpected }: Progress): string {
    const numFull = Math.round((numEnded / Math.max(1, numExpected)) * BAR_WIDTH)
    return green("█".repeat(numFull)) + dim("░".repeat(BAR_WIDTH - numFull))
}
