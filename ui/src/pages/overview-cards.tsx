import type {
    DefinitionNumbers,
    DoctorAnswer,
    OperationView,
    OrchestratorView,
    WorkerView,
} from "../answers.ts"
import { counted, duration, number } from "../format.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Card, Facts } from "../parts/facts.tsx"
import { Ready } from "../parts/loaded.tsx"
import { ProgressBar, ProgressWords } from "../parts/operation-progress.tsx"
import { VerdictBadge } from "../parts/state.tsx"
import { Table } from "../parts/table.tsx"
import { DefinitionLink, JobLink, Outside, Share } from "../parts/text.tsx"
import { href } from "../route.ts"

const NUM_OLDEST = 5

/** The definitions whose jobs have waited for longest. */
export function OldestCard({ definitions }: { definitions: readonly DefinitionNumbers[] }) {
    const waiting = definitions
        .flatMap(({ definition, oldestReady, ready }) =>
            oldestReady === null ? [] : [{ definition, oldestReady, ready }],
        )
        .sort((one, other) => other.oldestReady.ageMs - one.oldestReady.ageMs)
        .slice(0, NUM_OLDEST)
    return (
        <Card title="Waiting for longest">
            <Table
                label="Definitions whose jobs have waited for longest"
                rows={waiting}
                keyOf={({ definition }) => definition}
                empty="No job waits."
                columns={[
                    {
                        title: "Definition",
                        cell: ({ definition }) => <DefinitionLink name={definition} />,
                        isWide: true,
                    },
                    { title: "Job", cell: ({ oldestReady }) => <JobLink jobID={oldestReady.jobID} /> },
                    { title: "For", cell: ({ oldestReady }) => duration(oldestReady.ageMs), isNumber: true },
                    { title: "Ready", cell: ({ ready }) => number(ready.num), isNumber: true },
                ]}
            />
        </Card>
    )
}

/** How many workers there are, and how busy they are. */
export function WorkersCard(props: {
    workers: readonly WorkerView[]
    orchestrators: readonly OrchestratorView[]
}) {
    const live = props.workers.filter(({ isLive }) => isLive)
    const channels = [...new Set(live.map(({ channel }) => channel))].sort()
    const busy = (some: readonly WorkerView[]) => {
        const numRunning = some.reduce((sum, worker) => sum + worker.numRunning, 0)
        const numSlots = some.reduce((sum, { concurrency }) => sum + concurrency, 0)
        return <Share num={numRunning} of={numSlots} label="Slots that are taken" />
    }
    const numSilent = props.workers.length - live.length
    const numLive = props.orchestrators.filter(({ isLive }) => isLive).length
    return (
        <Card title="Workers" aside={<a href={href(["workers"])}>All</a>}>
            <Facts
                facts={[
                    [
                        "live",
                        `${number(live.length)}${numSilent === 0 ? "" : `, and ${number(numSilent)} silent`}`,
                    ],
                    ["orchestrators", numLive === 0 ? <VerdictBadge verdict="problem" /> : number(numLive)],
                    ...channels.map(
                        (channel) =>
                            [
                                `channel ${channel.slice(0, 60)}`,
                                busy(live.filter((worker) => worker.channel === channel)),
                            ] as const,
                    ),
                ]}
            />
        </Card>
    )
}

/** The operations that are under way. */
export function OperationsCard({ operations }: { operations: readonly OperationView[] }) {
    return (
        <Card title="Operations under way" aside={<a href={href(["operations"])}>All</a>}>
            {operations.length === 0 && <p class="muted empty">None.</p>}
            <ul class="list">
                {operations.map((operation) => (
                    <li key={operation.operationID}>
                        <a href={href(["operations", operation.operationID])}>
                            {operation.kind} <span class="number">#{operation.operationID}</span>
                        </a>{" "}
                        <ProgressWords operation={operation} />
                        <ProgressBar operation={operation} />
                    </li>
                ))}
            </ul>
        </Card>
    )
}

/** What the doctor is concerned about. */
export function DoctorCard() {
    const loaded = useLoad({
        key: "doctor",
        ask: (signal) => get<DoctorAnswer>("doctor", {}, signal),
    })
    return (
        <Card title="Doctor" aside={<a href={href(["doctor"])}>All checks</a>}>
            <Ready of={loaded}>
                {({ checks }) => {
                    const bad = checks.filter(({ verdict }) => verdict === "warning" || verdict === "problem")
                    if (bad.length === 0)
                        return (
                            <p>
                                <VerdictBadge verdict="ok" /> {counted(checks.length, "check")}, nothing to
                                worry about.
                            </p>
                        )
                    return (
                        <ul class="list">
                            {bad.map(({ name, verdict, summary }) => (
                                <li key={name}>
                                    <VerdictBadge verdict={verdict} /> <Outside text={summary} />
                                </li>
                            ))}
                        </ul>
                    )
                }}
            </Ready>
        </Card>
    )
}
