import { timeOfDay } from "../format.ts"
import { clock } from "../preferences.ts"
import type { ChartData, Series } from "./chart-data.ts"
import { areaPath, linePath, timeMarks, valueMarks } from "./chart-scale.ts"

const HEIGHT = 160
const TOP = 8
const BOTTOM = 22
const LEFT = 52
const RIGHT = 8

/** Where things are drawn. */
interface Place {
    x: (atMs: number) => number
    y: (value: number) => number
    bottom: number
    width: number
    stepMs: number
}

/** The drawing of a chart, `width` pixels wide, with a line at the point that is pointed at. */
export function Plot(props: {
    data: ChartData
    width: number
    label: string
    pointed: number | null
    onPoint: (index: number | null) => void
}) {
    const { data, width, label, pointed, onPoint } = props
    const { times, stepMs, series, format, isDuration = false, isWhole = false } = data
    const [fromMs, lastMs] = [times[0] ?? 0, times.at(-1) ?? 1]
    const untilMs = Math.max(lastMs + stepMs, fromMs + 1)
    const marks = valueMarks({ max: largest(data), num: 4, isDuration, isWhole })
    const max = marks.at(-1) ?? 1
    const bottom = HEIGHT - BOTTOM
    const place: Place = {
        x: (atMs) => LEFT + ((atMs - fromMs) / (untilMs - fromMs)) * (width - LEFT - RIGHT),
        y: (value) => bottom - (value / max) * (bottom - TOP),
        bottom,
        width,
        stepMs,
    }
    const find = (event: PointerEvent & { currentTarget: Element }) => {
        const x = event.clientX - event.currentTarget.getBoundingClientRect().left
        const atMs = fromMs + ((x - LEFT) / (width - LEFT - RIGHT)) * (untilMs - fromMs)
        const index = nearest(times, atMs - stepMs / 2)
        onPoint(index)
    }
    const at = pointed === null ? undefined : times[pointed]
    return (
        <svg
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={label}
            onPointerMove={find}
            onPointerLeave={() => onPoint(null)}
        >
            <ValueAxis place={place} marks={marks} format={format} />
            <TimeAxis place={place} fromMs={fromMs} untilMs={untilMs} />
            <Bars place={place} times={times} series={series.filter(({ kind }) => kind === "bar")} />
            {series.map(
                (one) =>
                    one.kind !== "bar" && <Line key={one.name} place={place} times={times} series={one} />,
            )}
            {at !== undefined && (
                <line
                    class="pointed"
                    x1={place.x(at + stepMs / 2)}
                    x2={place.x(at + stepMs / 2)}
                    y1={TOP}
                    y2={bottom}
                />
            )}
        </svg>
    )
}

function ValueAxis(props: { place: Place; marks: readonly number[]; format: (value: number) => string }) {
    const { place, marks, format } = props
    return (
        <>
            {marks.map((value) => (
                <g key={value}>
                    <line
                        class="grid"
                        x1={LEFT}
                        x2={place.width - RIGHT}
                        y1={place.y(value)}
                        y2={place.y(value)}
                    />
                    <text class="mark" x={LEFT - 8} y={place.y(value) + 4} text-anchor="end">
                        {format(value)}
                    </text>
                </g>
            ))}
        </>
    )
}

function TimeAxis({ place, fromMs, untilMs }: { place: Place; fromMs: number; untilMs: number }) {
    const shiftMs = clock.get() === "utc" ? 0 : -new Date(fromMs).getTimezoneOffset() * 60_000
    const num = Math.max(2, Math.floor(place.width / 90))
    return (
        <>
            {timeMarks({ fromMs, untilMs, num, shiftMs }).map((at) => {
                const x = Math.min(Math.max(place.x(at), LEFT + 14), place.width - RIGHT - 14)
                return (
                    <text key={at} class="mark" x={x} y={HEIGHT - 6} text-anchor="middle">
                        {timeOfDay(at, untilMs - fromMs)}
                    </text>
                )
            })}
        </>
    )
}

function Line({ place, times, series }: { place: Place; times: readonly number[]; series: Series }) {
    const points = times.map((at, index) => {
        const value = series.values[index] ?? null
        return [place.x(at + place.stepMs / 2), value === null ? null : place.y(value)] as const
    })
    return (
        <>
            {series.kind === "area" && (
                <path class={`area ${series.tone}`} d={areaPath(points, place.bottom)} />
            )}
            <path class={`line ${series.tone}`} d={linePath(points)} />
        </>
    )
}

/** Bars of several series stand on each other. */
function Bars({
    place,
    times,
    series,
}: {
    place: Place
    times: readonly number[]
    series: readonly Series[]
}) {
    if (series.length === 0) return null
    const width = Math.max(1, place.x((times[0] ?? 0) + place.stepMs) - place.x(times[0] ?? 0) - 2)
    return (
        <>
            {times.map((at, index) => {
                let below = 0
                return series.map(({ name, tone, values }) => {
                    const value = values[index] ?? 0
                    if (value === 0) return null
                    const height = place.bottom - place.y(value)
                    const y = place.y(below) - height
                    below += value
                    return (
                        <rect
                            key={`${name} ${at}`}
                            class={`bar ${tone}`}
                            x={place.x(at) + 1}
                            y={y}
                            width={width}
                            height={height}
                        />
                    )
                })
            })}
        </>
    )
}

function largest({ times, series }: ChartData): number {
    const values = series.filter(({ kind }) => kind !== "bar").flatMap((one) => one.values)
    const bars = series.filter(({ kind }) => kind === "bar")
    const sums = times.map((_, index) => bars.reduce((sum, one) => sum + (one.values[index] ?? 0), 0))
    return [...values, ...sums].reduce<number>((max, value) => Math.max(max, value ?? 0), 0)
}

/** The place of the time that is nearest. */
function nearest(times: readonly number[], atMs: number): number | null {
    let best: number | null = null
    for (const [index, at] of times.entries())
        if (best === null || Math.abs(at - atMs) <= Math.abs((times[best] ?? 0) - atMs)) best = index
    return best
}
