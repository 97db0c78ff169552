import { useState } from "preact/hooks"
import type { RunScheduleAnswer, SchedulesAnswer, ScheduleView } from "../answers.ts"
import { get, post } from "../http.ts"
import { reloadAll, useAction, useLoad } from "../load.ts"
import { tell, tellError } from "../notices.ts"
import { Button } from "../parts/button.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { Json } from "../parts/json.tsx"
import { RepeatWords } from "../parts/limit-words.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Badge } from "../parts/state.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, JobLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { RulePreview } from "./rule-preview.tsx"

/** The schedules that were made at run time. */
export function SchedulesPage() {
    const schedules = useLoad({
        key: "schedules",
        ask: (signal) => get<SchedulesAnswer>("schedules", {}, signal),
        everyMs: 10_000,
    })
    return (
        <>
            <Title>Schedules</Title>
            <Ready of={schedules}>
                {(answer) => (
                    <Table
                        label="Schedules"
                        columns={COLUMNS}
                        rows={answer.schedules}
                        keyOf={({ name }) => name}
                        empty="There is no schedule. Definitions that repeat are among the definitions."
                    />
                )}
            </Ready>
            <RulePreview />
        </>
    )
}

const COLUMNS: Column<ScheduleView>[] = [
    {
        title: "Schedule",
        isWide: true,
        cell: ({ name, isPaused }) => (
            <span class="names">
                <Outside text={name} isCut />
                {isPaused && <Badge tone="warn" text="paused" />}
            </span>
        ),
    },
    { title: "Definition", cell: ({ definition }) => <DefinitionLink name={definition} /> },
    { title: "Rule", cell: (schedule) => <RepeatWords repeat={schedule} /> },
    { title: "Next", cell: (schedule) => <NextTimes schedule={schedule} /> },
    {
        title: "Last job",
        cell: ({ lastJobID }) => (lastJobID === null ? <None /> : <JobLink jobID={lastJobID} />),
    },
    {
        title: "Missed · overlap",
        cell: ({ onMissed, onOverlap }) => `${onMissed} · ${onOverlap}`,
    },
    {
        title: "Payload",
        cell: ({ payload, isPayloadHidden }) =>
            isPayloadHidden ? <span class="muted">hidden</span> : <FoldedPayload payload={payload} />,
    },
    { title: "Actions", cell: (schedule) => <ScheduleActions schedule={schedule} /> },
]

function NextTimes({ schedule: { nextTimes } }: { schedule: ScheduleView }) {
    const [first, ...rest] = nextTimes
    if (first === undefined) return <None />
    return (
        <details>
            <summary>
                <Time at={first} />
            </summary>
            <ol class="times">
                {rest.map((at) => (
                    <li key={at}>
                        <Time at={at} isExact />
                    </li>
                ))}
            </ol>
        </details>
    )
}

function FoldedPayload({ payload }: { payload: unknown }) {
    const [isOpen, setIsOpen] = useState(false)
    return (
        <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
            <summary>Payload</summary>
            {isOpen && <Json value={payload} label="payload" />}
        </details>
    )
}

function ScheduleActions({ schedule: { name, isPaused, isChangeable } }: { schedule: ScheduleView }) {
    const { isBusy, run } = useAction()
    const [isRemoving, setIsRemoving] = useState(false)
    if (!isChangeable) return <None />
    const act = (action: () => Promise<string>) => () =>
        run(() =>
            action().then((said) => {
                tell(said)
                reloadAll()
            }, tellError),
        )
    const pauseOrResume = act(async () => {
        await post(isPaused ? "schedules/resume" : "schedules/pause", { name })
        return isPaused ? "The schedule goes on." : "The schedule is paused."
    })
    const runNow = act(async () => {
        const { jobID } = await post<RunScheduleAnswer>("schedules/run", { name })
        return `Added job ${jobID}.`
    })
    return (
        <span class="actions">
            <Button isDisabled={isBusy} onClick={runNow}>
                Run now
            </Button>
            <Button isDisabled={isBusy} onClick={pauseOrResume}>
                {isPaused ? "Resume" : "Pause"}
            </Button>
            <Button kind="danger" onClick={() => setIsRemoving(true)}>
                Remove…
            </Button>
            {isRemoving && <RemoveDialog name={name} onClose={() => setIsRemoving(false)} />}
        </span>
    )
}

function RemoveDialog({ name, onClose }: { name: string; onClose: () => void }) {
    const doing = useAction()
    const submit = () =>
        doing.run(async () => {
            await post("schedules/remove", { name })
            tell("The schedule was removed.")
            onClose()
            reloadAll()
        })
    return (
        <FormDialog
            title="Remove a schedule"
            submit="Remove"
            isDanger
            isBusy={doing.isBusy}
            error={doing.error}
            onSubmit={submit}
            onClose={onClose}
        >
            <p>
                The schedule <Outside text={name} /> defers no job any more. Those that it has deferred stay.
            </p>
        </FormDialog>
    )
}
