import { useState } from "preact/hooks"
import type { JobAction, JobChange, Json, OperationView, PreviewChangesAnswer } from "../answers.ts"
import { count, counted, fromInput } from "../format.ts"
import { post } from "../http.ts"
import { type ChangeTarget, changeJobs, JOB_ACTIONS, resultsInWords } from "../job-actions.ts"
import { reloadAll, useAction, useLoad } from "../load.ts"
import { tell } from "../notices.ts"
import { Button } from "../parts/button.tsx"
import { Dialog, FormDialog } from "../parts/dialog.tsx"
import { InstantField, TextField } from "../parts/field.tsx"
import { FilterWords } from "../parts/filter-words.tsx"
import { Ready } from "../parts/loaded.tsx"
import { OperationProgress } from "../parts/operation-progress.tsx"

interface Props {
    action: JobAction
    target: ChangeTarget
    onClose: () => void
}

/** Asks how to change jobs, says how many, and does it. */
export function ChangeDialog({ action, target, onClose }: Props) {
    const words = JOB_ACTIONS[action]
    const [text, setText] = useState("")
    const [isSure, setIsSure] = useState(false)
    const [outcome, setOutcome] = useState<string | OperationView>()
    const doing = useAction()
    const { change, problem } = toChange(action, text)
    const submit = () =>
        doing.run(async () => {
            if (change === null) return
            if ("filter" in target) {
                setOutcome(await post<OperationView>("operations", { change, filter: target.filter }))
                reloadAll()
                return
            }
            const results = await changeJobs(change, target.jobIDs)
            const said = resultsInWords(action, results)
            if (results.some(({ result }) => result !== "done" && result !== "running"))
                return setOutcome(said)
            tell(said)
            onClose()
        })
    if (outcome !== undefined) return <Outcome title={words.button} outcome={outcome} onClose={onClose} />
    const isDestructive = action === "delete"
    return (
        <FormDialog
            title={`${words.button} ${"filter" in target ? "all that match" : counted(target.jobIDs.length, "job")}`}
            submit={words.button === "Cancel" ? "Cancel jobs" : words.button}
            isDanger={words.isDanger ?? false}
            isBusy={doing.isBusy}
            isDisabled={change === null || (isDestructive && !isSure)}
            error={doing.error}
            onSubmit={submit}
            onClose={onClose}
        >
            <p>{words.explanation}</p>
            <Concerned target={target} change={change ?? exampleOf(action)} />
            <ChangeField action={action} text={text} problem={problem} onChange={setText} />
            {isDestructive && (
                <label class="tick">
                    <input
                        type="checkbox"
                        checked={isSure}
                        onChange={(event) => setIsSure(event.currentTarget.checked)}
                    />
                    Remove them for ever
                </label>
            )}
        </FormDialog>
    )
}

/** What is to be said with the change. */
function ChangeField(props: {
    action: JobAction
    text: string
    problem: string | undefined
    onChange: (text: string) => void
}) {
    const { action, text: value, problem, onChange } = props
    if (action === "cancel")
        return (
            <TextField
                label="Reason, for those who ask"
                value={value}
                onChange={onChange}
                problem={problem}
            />
        )
    if (action === "set-priority")
        return (
            <TextField
                label="Priority"
                type="number"
                value={value}
                onChange={onChange}
                problem={problem}
                isRequired
            />
        )
    if (action === "set-due-time")
        return <InstantField label="Due" value={value} onChange={onChange} problem={problem} />
    return null
}

/** How many jobs it is about. */
function Concerned({ target, change }: { target: ChangeTarget; change: Json<JobChange> }) {
    const filter = "filter" in target ? target.filter : undefined
    const preview = useLoad({
        key: filter === undefined ? null : JSON.stringify([change.action, filter]),
        ask: () => post<PreviewChangesAnswer>("changes/preview", { change, filter }),
    })
    if (filter === undefined) return null
    return (
        <>
            <FilterWords filter={filter} />
            <Ready of={preview}>
                {(number) => (
                    <p class="preview">
                        <b class="number">{count(number)}</b>{" "}
                        {number.num === 1 && number.isExact ? "job" : "jobs"}{" "}
                        {number.isExact ? "" : "or more "}would be {JOB_ACTIONS[change.action].done}.
                    </p>
                )}
            </Ready>
        </>
    )
}

function Outcome(props: { title: string; outcome: string | OperationView; onClose: () => void }) {
    const { title, outcome } = props
    // Closed in the moment in which the operation ended, it would leave behind it what was there before.
    const onClose = () => {
        reloadAll()
        props.onClose()
    }
    return (
        <Dialog title={title} onClose={onClose}>
            {typeof outcome === "string" ? (
                <p role="status">{outcome}</p>
            ) : (
                <>
                    <OperationProgress operation={outcome} />
                    <p class="muted">It goes on when this is closed. Operations lists it.</p>
                </>
            )}
            <footer>
                <Button kind="main" onClick={onClose}>
                    Close
                </Button>
            </footer>
        </Dialog>
    )
}

/** The change that was asked for; null while something is missing or wrong. */
function toChange(action: JobAction, text: string): { change: Json<JobChange> | null; problem?: string } {
    if (action === "cancel") return { change: text === "" ? { action } : { action, reason: text } }
    if (action === "set-priority") {
        const priority = Number(text)
        if (text === "") return { change: null }
        if (!Number.isInteger(priority)) return { change: null, problem: "A whole number, please." }
        return { change: { action, priority } }
    }
    if (action === "set-due-time") {
        const dueAt = fromInput(text)
        return { change: dueAt === undefined ? null : { action, dueAt } }
    }
    return { change: { action } }
}

/** What to count with while the change is not whole: how many it concerns does not depend on the rest. */
function exampleOf(action: JobAction): Json<JobChange> {
    if (action === "set-priority") return { action, priority: 0 }
    if (action === "set-due-time") return { action, dueAt: new Date(0).toISOString() }
    return { action }
}
