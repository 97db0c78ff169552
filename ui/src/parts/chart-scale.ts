const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Round steps of durations, in milliseconds: those of numbers would make 1 m 40 s. */
const DURATION_STEPS = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
    ...[1, 2, 5, 10, 15, 30].map((num) => num * SECOND),
    ...[1, 2, 5, 10, 15, 30].map((num) => num * MINUTE),
    ...[1, 2, 3, 6, 12].map((num) => num * HOUR),
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((num) => num * DAY),
]

/** Distances between the marks of a time axis. */
const TIME_STEPS = DURATION_STEPS.filter((step) => step >= SECOND)

/** Marks from 0 to at least the largest value, `num` of them or fewer. */
export function valueMarks(params: {
    max: number
    num: number
    isDuration: boolean
    isWhole: boolean
}): number[] {
    const { max, num, isDuration, isWhole } = params
    const least = max > 0 ? max / num : 1 / num
    const step = isDuration
        ? (DURATION_STEPS.find((one) => one >= least) ?? roundStep(least))
        : Math.max(roundStep(least), isWhole ? 1 : 0)
    const last = Math.max(1, Math.ceil(max / step - 1e-9))
    return Array.from({ length: last + 1 }, (_, index) => index * step)
}

/** The next of 1, 2, 5, 10, 20, … and of their parts of ten. */
function roundStep(least: number): number {
    const power = 10 ** Math.floor(Math.log10(least))
    const factor = [1, 2, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10
    return factor * power
}

/** Round instants within a range, `num` of them or fewer. `shiftMs` is what the clock that is shown is ahead of UTC. */
export function timeMarks(params: {
    fromMs: number
    untilMs: number
    num: number
    shiftMs: number
}): number[] {
    const { fromMs, untilMs, num, shiftMs } = params
    const least = (untilMs - fromMs) / Math.max(1, num)
    const step = TIME_STEPS.find((one) => one >= least) ?? Math.max(1, untilMs - fromMs)
    const marks: number[] = []
    for (let at = Math.ceil((fromMs + shiftMs) / step) * step - shiftMs; at <= untilMs; at += step)
        marks.push(at)
    return marks
}

/** A line through points, interrupted where there is no value. */
export function linePath(points: readonly (readonly [x: number, y: number | null])[]): string {
    let isDown = false
    return points
        .map(([x, y]) => {
            const command =
                y === null ? "" : `${isDown ? "L" : "M"}${rounded(x)} ${rounded(y)}${isDown ? "" : "h0"}`
            isDown = y !== null
            return command
        })
        .join("")
}

/** The area below a line, down to `bottom`. */
export function areaPath(
    points: readonly (readonly [x: number, y: number | null])[],
    bottom: number,
): string {
    const parts: string[] = []
    let part: [number, number][] = []
    const end = () => {
        const [first, last] = [part[0], part.at(-1)]
        if (first !== undefined && last !== undefined) {
            const top = part.map(([x, y]) => `L${rounded(x)} ${rounded(y)}`).join("")
            parts.push(`M${rounded(first[0])} ${bottom}${top}L${rounded(last[0])} ${bottom}Z`)
        }
        part = []
    }
    for (const [x, y] of points) {
        if (y === null) end()
        else part.push([x, y])
    }
    end()
    return parts.join("")
}

function rounded(value: number): number {
    return Math.round(value * 10) / 10
}
