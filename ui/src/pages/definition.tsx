import { useState } from "preact/hooks"
import type { DefinitionNumbers, DefinitionView, PausesAnswer } from "../answers.ts"
import { useDefinitions } from "../definitions.ts"
import { AddJobDialog } from "../dialogs/add-job-dialog.tsx"
import { PauseButton } from "../dialogs/pause-dialog.tsx"
import { duration, number } from "../format.ts"
import { get } from "../http.ts"
import { snapshot } from "../live.ts"
import { useLoad } from "../load.ts"
import type { PageParams } from "../page-params.ts"
import { Button, Choice } from "../parts/button.tsx"
import { Chart } from "../parts/chart.tsx"
import { CountTiles } from "../parts/count-tiles.tsx"
import { Card, Facts } from "../parts/facts.tsx"
import { LimitWords, RepeatWords } from "../parts/limit-words.tsx"
import { Ready } from "../parts/loaded.tsx"
import { PauseTable } from "../parts/pause-table.tsx"
import { JobLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { href } from "../route.ts"
import { useStore } from "../store.ts"
import { RANGE_NAMES, RANGES, type Range, throughputCharts, useThroughput } from "../throughput.ts"
import { DefinitionState } from "./definitions.tsx"

/** One definition. */
export function DefinitionPage({ name }: PageParams) {
    const definitions = useDefinitions()
    const live = useStore(snapshot)
    const numbers = live?.counts.definitions.find(({ definition }) => definition === name)
    return (
        <Ready of={definitions}>
            {(answer) => {
                const definition = answer.definitions.find((one) => one.name === name)
                return definition === undefined ? (
                    <>
                        <Title>
                            <Outside text={name} />
                        </Title>
                        <p>There is no such definition, or it was removed since nobody vouches for it.</p>
                    </>
                ) : (
                    <Definition definition={definition} numbers={numbers} />
                )
            }}
        </Ready>
    )
}

function Definition({
    definition,
    numbers,
}: {
    definition: DefinitionView
    numbers: DefinitionNumbers | undefined
}) {
    const { name } = definition
    const [isAdding, setIsAdding] = useState(false)
    const [range, setRange] = useState<Range>("1h")
    const points = useThroughput(range, name)
    return (
        <>
            <Title actions={<Actions definition={definition} onAdd={() => setIsAdding(true)} />}>
                <Outside text={name} /> <DefinitionState definition={definition} />
            </Title>
            <CountTiles counts={numbers} definition={name} />
            <div class="bar">
                <Choice
                    label="How far back the charts go"
                    value={range}
                    options={RANGE_NAMES.map((one) => [one, RANGES[one].text] as const)}
                    onChange={setRange}
                />
            </div>
            <Ready of={points}>
                {(loaded) => (
                    <div class="charts">
                        {throughputCharts(loaded, range).map(({ title, data }) => (
                            <Chart key={title} title={title} data={data} />
                        ))}
                    </div>
                )}
            </Ready>
            <div class="cards">
                <SettingsCard definition={definition} numbers={numbers} />
                <WorkersOfCard definition={definition} />
                <PausedKeysCard name={name} />
            </div>
            {isAdding && <AddJobDialog definition={name} onClose={() => setIsAdding(false)} />}
        </>
    )
}

function Actions({ definition, onAdd }: { definition: DefinitionView; onAdd: () => void }) {
    const { name, isPaused, retiredAt, can } = definition
    return (
        <>
            <a class="button plain" href={href(["jobs"], { definition: name })}>
                Jobs
            </a>
            <a class="button plain" href={href(["dead-letters"], { definition: name })}>
                Dead letters
            </a>
            {can.includes(isPaused ? "resume" : "pause") && (
                <PauseButton target={{ definition: name }} isPaused={isPaused} can={can} />
            )}
            {can.includes("defer") && retiredAt === null && (
                <Button kind="main" onClick={onAdd}>
                    Add a job of it
                </Button>
            )}
        </>
    )
}

function SettingsCard(props: { definition: DefinitionView; numbers: DefinitionNumbers | undefined }) {
    const { definition, numbers } = props
    const { repeat, keepSucceededMs, keepFailedMs } = definition
    const kept = (ms: number | null) => (ms === null ? "as the orchestrators say" : duration(ms))
    const oldest = numbers?.oldestReady ?? null
    return (
        <Card title="Settings">
            <Facts
                facts={[
                    ["channel", <Outside key="channel" text={definition.channel} />],
                    ["oldest ready", oldest === null ? <None /> : <JobLink jobID={oldest.jobID} />],
                    ["limits", <LimitWords key="limits" definition={definition} />],
                    ["repeats", <RepeatWords key="repeats" repeat={repeat} />],
                    ...(repeat === null
                        ? []
                        : ([
                              ["next", <Time key="next" at={repeat.nextAt} />],
                              ["missed ticks", repeat.onMissed],
                              ["while one is left", repeat.onOverlap],
                          ] as const)),
                    ["attempts after the first", number(definition.numAttempts)],
                    ["priority", number(definition.priority)],
                    ["times out after", duration(definition.timeoutIntervalMs)],
                    ["lease", duration(definition.lockIntervalMs)],
                    ["succeeded are kept", kept(keepSucceededMs)],
                    ["failed are kept", kept(keepFailedMs)],
                    ["vouched for", <Time key="vouched" at={definition.heartbeatAt} />],
                    ["since", <Time key="since" at={definition.createdAt} />],
                ]}
            />
        </Card>
    )
}

function WorkersOfCard({ definition }: { definition: DefinitionView }) {
    return (
        <Card title="Workers that run it">
            {definition.workers.length === 0 && <p class="muted empty">No live worker knows it.</p>}
            <ul class="list">
                {definition.workers.map((worker) => (
                    <li key={worker.id}>
                        <Outside text={worker.name} />{" "}
                        <span class="muted">
                            <Outside text={worker.host} /> · {worker.pid}
                        </span>
                    </li>
                ))}
            </ul>
        </Card>
    )
}

function PausedKeysCard({ name }: { name: string }) {
    const pauses = useLoad({ key: "pauses", ask: (signal) => get<PausesAnswer>("pauses", {}, signal) })
    return (
        <Card title="What is paused of it">
            <Ready of={pauses}>
                {(answer) => (
                    <PauseTable
                        pauses={answer.pauses.filter(
                            ({ target }) => "definition" in target && target.definition === name,
                        )}
                        empty="Nothing by its name. Its channel or everything may be."
                    />
                )}
            </Ready>
        </Card>
    )
}
