import { useState } from "preact/hooks"
import type { DefinitionNumbers, DefinitionView, PausesAnswer } from "../answers.ts"
import { useDefinitions } from "../definitions.ts"
import { PauseButton, PauseDialog } from "../dialogs/pause-dialog.tsx"
import { count, duration, number } from "../format.ts"
import { get } from "../http.ts"
import { snapshot } from "../live.ts"
import { useLoad } from "../load.ts"
import { Button } from "../parts/button.tsx"
import { Ready } from "../parts/loaded.tsx"
import { PauseTable } from "../parts/pause-table.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, None, Share } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { useMaySomewhere } from "../session.ts"
import { useStore } from "../store.ts"

interface Row {
    definition: DefinitionView
    numbers: DefinitionNumbers | undefined
}

/** What holds jobs back: limits, and pauses. */
export function LimitsPage() {
    const maySomewhere = useMaySomewhere()
    const [isPausing, setIsPausing] = useState(false)
    const definitions = useDefinitions()
    const pauses = useLoad({
        key: "pauses",
        ask: (signal) => get<PausesAnswer>("pauses", {}, signal),
        everyMs: 15_000,
    })
    const live = useStore(snapshot)
    const numbers = new Map((live?.counts.definitions ?? []).map((one) => [one.definition, one]))
    return (
        <>
            <Title
                actions={
                    maySomewhere("pause") && (
                        <Button kind="main" onClick={() => setIsPausing(true)}>
                            Pause…
                        </Button>
                    )
                }
            >
                Limits
            </Title>
            <h2>Paused</h2>
            <Ready of={pauses}>
                {(answer) => <PauseTable pauses={answer.pauses} empty="Nothing is paused." />}
            </Ready>
            <h2>Limits of definitions</h2>
            <Ready of={definitions}>
                {(answer) => (
                    <Table
                        label="Limits of definitions"
                        columns={COLUMNS}
                        rows={answer.definitions
                            .filter(isLimited)
                            .map((definition) => ({ definition, numbers: numbers.get(definition.name) }))}
                        keyOf={({ definition }) => definition.name}
                        empty="No definition has a limit."
                    />
                )}
            </Ready>
            {isPausing && <PauseDialog onClose={() => setIsPausing(false)} />}
        </>
    )
}

function isLimited({ limits, releaseIntervalMs }: DefinitionView): boolean {
    const { concurrency = null, rate = null, group = null } = limits ?? {}
    return concurrency !== null || rate !== null || group !== null || releaseIntervalMs > 0
}

const COLUMNS: Column<Row>[] = [
    {
        title: "Definition",
        cell: ({ definition }) => <DefinitionLink name={definition.name} />,
        isWide: true,
    },
    { title: "At the same time", cell: (row) => <Concurrency {...row} /> },
    {
        title: "Rate",
        cell: ({ definition: { limits, releaseIntervalMs } }) => {
            const rate = limits?.rate ?? null
            if (rate !== null)
                return `${number(rate.max)} in ${duration(rate.perMs)}${rate.isKeyed ? " per key" : ""}`
            return releaseIntervalMs > 0 ? `one in ${duration(releaseIntervalMs)}` : <None />
        },
    },
    {
        title: "Group",
        cell: ({ definition: { limits } }) => {
            const group = limits?.group ?? null
            return group === null ? <None /> : group.isOrdered ? "in order" : "take turns"
        },
    },
    {
        title: "Ready",
        cell: ({ numbers }) => (numbers === undefined ? "–" : count(numbers.ready)),
        isNumber: true,
    },
    { title: "Paused keys", cell: ({ definition }) => number(definition.numPausedKeys), isNumber: true },
    {
        title: "Actions",
        cell: ({ definition }) => (
            <PauseButton
                target={{ definition: definition.name }}
                isPaused={definition.isPaused}
                can={definition.can}
            />
        ),
    },
]

function Concurrency({ definition: { limits }, numbers }: Row) {
    const concurrency = limits?.concurrency ?? null
    if (concurrency === null) return <None />
    const numRunning = numbers?.running.num ?? 0
    if (concurrency.isKeyed) return <>{`${number(concurrency.max)} per key, ${number(numRunning)} in all`}</>
    return <Share num={numRunning} of={concurrency.max} label="Jobs that run, of as many as may" />
}
