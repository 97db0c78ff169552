import { useState } from "preact/hooks"
import type { DefinitionNumbers, DefinitionView } from "../answers.ts"
import { useDefinitions } from "../definitions.ts"
import { PauseButton } from "../dialogs/pause-dialog.tsx"
import { count, duration, number } from "../format.ts"
import { snapshot } from "../live.ts"
import { TextField } from "../parts/field.tsx"
import { LimitWords, RepeatWords } from "../parts/limit-words.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Badge } from "../parts/state.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, None, Outside } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { href } from "../route.ts"
import { useStore } from "../store.ts"

/** A definition, and how many jobs of it there are. */
interface Row {
    definition: DefinitionView
    numbers: DefinitionNumbers | undefined
}

/** All definitions, with their numbers. */
export function DefinitionsPage() {
    const [text, setText] = useState("")
    const definitions = useDefinitions()
    const live = useStore(snapshot)
    const numbers = new Map((live?.counts.definitions ?? []).map((one) => [one.definition, one]))
    const fits = ({ name, channel }: DefinitionView) =>
        `${name}\n${channel}`.toLowerCase().includes(text.trim().toLowerCase())
    return (
        <>
            <Title>Definitions</Title>
            <div class="filters">
                <TextField label="Name or channel" type="search" value={text} onChange={setText} isFilter />
            </div>
            <Ready of={definitions}>
                {(answer) => (
                    <Table
                        label="Definitions"
                        columns={COLUMNS}
                        rows={answer.definitions
                            .filter(fits)
                            .map((definition) => ({ definition, numbers: numbers.get(definition.name) }))}
                        keyOf={({ definition }) => definition.name}
                        empty={
                            text === ""
                                ? "No definition has been written down yet."
                                : "None has this in its name."
                        }
                    />
                )}
            </Ready>
        </>
    )
}

const COLUMNS: Column<Row>[] = [
    {
        title: "Definition",
        isWide: true,
        cell: ({ definition }) => (
            <span class="names">
                <DefinitionLink name={definition.name} />
                <DefinitionState definition={definition} />
            </span>
        ),
    },
    { title: "Channel", cell: ({ definition }) => <Outside text={definition.channel} isCut /> },
    ...(["ready", "running", "delayed", "blocked", "failed"] as const).map(
        (state): Column<Row> => ({
            title: state,
            isNumber: true,
            cell: ({ definition, numbers }) => {
                const counted = numbers?.[state]
                if (counted === undefined || counted.num === 0) return <span class="muted">0</span>
                return <a href={href(["jobs"], { state, definition: definition.name })}>{count(counted)}</a>
            },
        }),
    ),
    {
        title: "Oldest",
        isNumber: true,
        cell: ({ numbers }) => {
            const oldest = numbers?.oldestReady ?? null
            return oldest === null ? <None /> : duration(oldest.ageMs)
        },
    },
    { title: "Limits", cell: ({ definition }) => <LimitWords definition={definition} /> },
    { title: "Repeats", cell: ({ definition }) => <RepeatWords repeat={definition.repeat} /> },
    { title: "Workers", isNumber: true, cell: ({ definition }) => number(definition.workers.length) },
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

/** What is out of the ordinary with a definition. */
export function DefinitionState({ definition }: { definition: DefinitionView }) {
    const { isPaused, numPausedKeys, retiredAt, workers } = definition
    return (
        <>
            {isPaused && <Badge tone="warn" text="paused" />}
            {numPausedKeys > 0 && (
                <Badge
                    tone="warn"
                    text={`${number(numPausedKeys)} paused ${numPausedKeys === 1 ? "key" : "keys"}`}
                />
            )}
            {retiredAt !== null && <Badge tone="calm" text="retired" />}
            {retiredAt === null && workers.length === 0 && <Badge tone="warn" text="no worker" />}
        </>
    )
}
