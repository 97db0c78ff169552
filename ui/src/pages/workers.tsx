import type { OrchestratorView, WorkersAnswer, WorkerView } from "../answers.ts"
import { get } from "../http.ts"
import { snapshot } from "../live.ts"
import { useLoad } from "../load.ts"
import { Ready } from "../parts/loaded.tsx"
import { Badge } from "../parts/state.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, None, Outside, Share, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { useStore } from "../store.ts"

/** The daemons that are there, as the live stream says; asked for while there is none. */
export function WorkersPage() {
    const live = useStore(snapshot)
    const loaded = useLoad({
        key: live === null ? "workers" : null,
        ask: (signal) => get<WorkersAnswer>("workers", {}, signal),
    })
    return (
        <>
            <Title>Workers and orchestrators</Title>
            {live === null ? (
                <Ready of={loaded}>{(answer) => <Daemons {...answer} />}</Ready>
            ) : (
                <Daemons workers={live.workers} orchestrators={live.orchestrators} />
            )}
        </>
    )
}

function Daemons({ workers, orchestrators }: WorkersAnswer) {
    return (
        <>
            <h2>Workers</h2>
            <Table
                label="Workers"
                columns={WORKER_COLUMNS}
                rows={workers}
                keyOf={({ id }) => id}
                empty="No worker is there: no job runs."
            />
            <h2>Orchestrators</h2>
            <Table
                label="Orchestrators"
                columns={DAEMON_COLUMNS}
                rows={orchestrators}
                keyOf={({ id }) => id}
                empty="No orchestrator is there: nothing repeats, and no job that was lost is recovered."
            />
        </>
    )
}

const DAEMON_COLUMNS: Column<OrchestratorView>[] = [
    { title: "Name", cell: ({ name }) => <Outside text={name} isCut />, isWide: true },
    {
        title: "State",
        cell: ({ isLive, isStopping }) =>
            !isLive ? (
                <Badge tone="bad" text="silent" />
            ) : isStopping ? (
                <Badge tone="warn" text="stopping" />
            ) : (
                <Badge tone="good" text="live" />
            ),
    },
    { title: "Host", cell: ({ host }) => <Outside text={host} isCut /> },
    { title: "Process", cell: ({ pid }) => <span class="number">{pid}</span>, isNumber: true },
    { title: "Definitions", cell: ({ definitions }) => <Names names={definitions} />, isWide: true },
    { title: "Version", cell: ({ version }) => <Outside text={version} isCut /> },
    { title: "Started", cell: ({ startedAt }) => <Time at={startedAt} /> },
    { title: "Heard of", cell: ({ heartbeatAt }) => <Time at={heartbeatAt} /> },
]

const WORKER_COLUMNS: Column<WorkerView>[] = [
    ...DAEMON_COLUMNS.slice(0, 2),
    { title: "Channel", cell: ({ channel }) => <Outside text={channel} isCut /> },
    {
        title: "Slots",
        cell: ({ numRunning, concurrency }) => (
            <Share num={numRunning} of={concurrency} label="Slots that are taken" />
        ),
    },
    ...DAEMON_COLUMNS.slice(2),
]

const NUM_NAMES = 4

function Names({ names }: { names: readonly string[] }) {
    if (names.length === 0) return <None />
    const rest = names.length - NUM_NAMES
    return (
        <span class="names">
            {names.slice(0, NUM_NAMES).map((name) => (
                <DefinitionLink key={name} name={name} />
            ))}
            {rest > 0 && (
                <span class="muted" title={names.slice(NUM_NAMES, 100).join(", ").slice(0, 2_000)}>
                    and {rest} more
                </span>
            )}
        </span>
    )
}
