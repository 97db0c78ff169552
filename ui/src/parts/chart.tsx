import { useEffect, useRef, useState } from "preact/hooks"
import { exact } from "../format.ts"
import { clock } from "../preferences.ts"
import { useStore } from "../store.ts"
import type { ChartData } from "./chart-data.ts"
import { Plot } from "./chart-plot.tsx"
import { ScrollBox } from "./scroll-box.tsx"

const MAX_ROWS = 500

/** A chart, with the values that are pointed at, and with a table of all of them. */
export function Chart({ title, data, note }: { title: string; data: ChartData; note?: string }) {
    const [pointed, setPointed] = useState<number | null>(null)
    const { ref, width } = useWidth()
    useStore(clock)
    const { times, series, format } = data
    const index = pointed !== null && pointed < times.length ? pointed : times.length - 1
    const at = times[index]
    const isEmpty = !series.some(({ values }) => values.some((value) => value !== null))
    return (
        <figure class="card chart">
            <figcaption>
                <h2>{title}</h2>
                <span class="muted number">
                    {pointed !== null && at !== undefined ? exact(at).slice(0, 19) : note}
                </span>
            </figcaption>
            <ul class="legend">
                {series.map(({ name, tone, values }) => {
                    const value = pointed === null ? lastKnown(values) : (values[index] ?? null)
                    return (
                        <li key={name} class={tone}>
                            {name} <b class="number">{value === null ? "–" : format(value)}</b>
                        </li>
                    )
                })}
            </ul>
            <div class="plot" ref={ref}>
                {width > 0 && !isEmpty && (
                    <Plot
                        data={data}
                        width={width}
                        label={labelOf(title, data)}
                        pointed={pointed}
                        onPoint={setPointed}
                    />
                )}
                {isEmpty && <p class="muted empty">Nothing yet in this time.</p>}
            </div>
            <DataTable title={title} data={data} />
        </figure>
    )
}

/** The same in rows, the newest first. It is drawn when it is opened. */
function DataTable({ title, data }: { title: string; data: ChartData }) {
    const [isOpen, setIsOpen] = useState(false)
    const { times, series, format } = data
    return (
        <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
            <summary>Table</summary>
            {isOpen && (
                <ScrollBox class="scroll tall" label={`${title}, as a table`}>
                    <table class="plain">
                        <thead>
                            <tr>
                                <th scope="col">Time</th>
                                {series.map(({ name }) => (
                                    <th scope="col" class="right" key={name}>
                                        {name}
                                    </th>
                                ))}
                            </tr>
                        </thead>
                        <tbody>
                            {[...times.entries()]
                                .reverse()
                                .slice(0, MAX_ROWS)
                                .map(([index, at]) => (
                                    <tr key={at}>
                                        <th scope="row">{exact(at).slice(0, 19)}</th>
                                        {series.map(({ name, values }) => (
                                            <td class="right number" key={name}>
                                                {values[index] == null ? "–" : format(values[index])}
                                            </td>
                                        ))}
                                    </tr>
                                ))}
                        </tbody>
                    </table>
                </ScrollBox>
            )}
        </details>
    )
}

function lastKnown(values: readonly (number | null)[]): number | null {
    return values.findLast((value) => value !== null) ?? null
}

function labelOf(title: string, { series, format }: ChartData): string {
    const parts = series.map(({ name, values }) => {
        const known = values.filter((value) => value !== null)
        const last = known.at(-1)
        if (last === undefined) return `${name}: nothing`
        const max = known.reduce((one, other) => Math.max(one, other), 0)
        return `${name}: ${format(last)} last, ${format(max)} at the most`
    })
    return `${title}. ${parts.join("; ")}. The table below has all values.`
}

function useWidth() {
    const ref = useRef<HTMLDivElement>(null)
    const [width, setWidth] = useState(0)
    useEffect(() => {
        if (ref.current === null) return
        const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
        observer.observe(ref.current)
        return () => observer.disconnect()
    }, [])
    return { ref, width }
}
