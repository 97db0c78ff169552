import { useState } from "preact/hooks"
import { duration, number } from "../format.ts"
import { snapshot } from "../live.ts"
import { Choice } from "../parts/button.tsx"
import { Chart } from "../parts/chart.tsx"
import type { ChartData } from "../parts/chart-data.ts"
import { CountTiles } from "../parts/count-tiles.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Title } from "../parts/title.tsx"
import { type Sample, samples } from "../samples.ts"
import { useStore } from "../store.ts"
import { RANGE_NAMES, RANGES, type Range, throughputCharts, useThroughput } from "../throughput.ts"
import { DoctorCard, OldestCard, OperationsCard, WorkersCard } from "./overview-cards.tsx"

/** How the queue is. */
export function OverviewPage() {
    const live = useStore(snapshot)
    const [range, setRange] = useState<Range>("1h")
    const points = useThroughput(range)
    return (
        <>
            <Title
                actions={
                    <Choice
                        label="How far back the charts go"
                        value={range}
                        options={RANGE_NAMES.map((name) => [name, RANGES[name].text] as const)}
                        onChange={setRange}
                    />
                }
            >
                Overview
            </Title>
            <CountTiles counts={live?.counts.total} finalized={live?.counts.finalized} />
            <Ready of={points}>
                {(loaded) => (
                    <div class="charts">
                        {throughputCharts(loaded, range).map(({ title, data }) => (
                            <Chart key={title} title={title} data={data} />
                        ))}
                        <LiveCharts range={range} />
                    </div>
                )}
            </Ready>
            <div class="cards">
                <OldestCard definitions={live?.counts.definitions ?? []} />
                <WorkersCard workers={live?.workers ?? []} orchestrators={live?.orchestrators ?? []} />
                <OperationsCard operations={live?.operations ?? []} />
                <DoctorCard />
            </div>
        </>
    )
}

/** What the database does not keep over time: what this page has seen itself. */
function LiveCharts({ range }: { range: Range }) {
    const seen = useStore(samples)
    const fromMs = (seen.at(-1)?.atMs ?? 0) - RANGES[range].spanMs
    const shown = seen.filter(({ atMs }) => atMs >= fromMs)
    const note = "since this page was opened"
    return (
        <>
            <Chart title="Backlog" data={backlog(shown)} note={note} />
            <Chart title="Oldest waiting" data={oldest(shown)} note={note} />
        </>
    )
}

function backlog(shown: readonly Sample[]): ChartData {
    return {
        times: shown.map(({ atMs }) => atMs),
        stepMs: 0,
        format: number,
        isWhole: true,
        series: [
            { name: "ready", kind: "area", tone: "first", values: shown.map(({ ready }) => ready) },
            { name: "delayed", kind: "line", tone: "second", values: shown.map(({ delayed }) => delayed) },
            { name: "blocked", kind: "line", tone: "warn", values: shown.map(({ blocked }) => blocked) },
            { name: "running", kind: "line", tone: "third", values: shown.map(({ running }) => running) },
        ],
    }
}

function oldest(shown: readonly Sample[]): ChartData {
    return {
        times: shown.map(({ atMs }) => atMs),
        stepMs: 0,
        format: duration,
        isDuration: true,
        series: [
            {
                name: "oldest ready job",
                kind: "area",
                tone: "first",
                values: shown.map(({ oldestMs }) => oldestMs),
            },
        ],
    }
}
