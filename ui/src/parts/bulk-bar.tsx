import { useState } from "preact/hooks"
import type { JobAction, JobFilter, Json } from "../answers.ts"
import { useDefinitions } from "../definitions.ts"
import { ChangeDialog } from "../dialogs/change-dialog.tsx"
import { counted } from "../format.ts"
import { type ChangeTarget, JOB_ACTIONS } from "../job-actions.ts"
import { me, useMaySomewhere } from "../session.ts"
import { useStore } from "../store.ts"
import { Button } from "./button.tsx"

interface Props {
    selected: ReadonlySet<string>
    onClear: () => void
    /** What can be done here. */
    actions: readonly JobAction[]
    /** All that match; null where no filter says so. */
    filter: Json<JobFilter> | null
}

/** What can be done to the rows that are selected, or to all that match. */
export function BulkBar({ selected, onClear, actions, filter }: Props) {
    const maySomewhere = useMaySomewhere()
    const mayAll = useMayAll(filter)
    const [open, setOpen] = useState<{ action: JobAction; target: ChangeTarget }>()
    const [isAll, setIsAll] = useState(false)
    // Each row may be of another definition: what is selected is for the server to decide, one by one.
    const allowed = actions.filter(isAll ? mayAll : maySomewhere)
    if (allowed.length === 0 && !isAll) return null
    const target: ChangeTarget = isAll && filter !== null ? { filter } : { jobIDs: [...selected].map(Number) }
    const isShown = isAll || selected.size > 0
    return (
        <div class={isShown ? "bulk shown" : "bulk"} role="toolbar" aria-label="What to do to several jobs">
            <span class="number">
                {isAll
                    ? "All that match the filters:"
                    : isShown
                      ? `${counted(selected.size, "job")} selected:`
                      : "Select rows, or"}
            </span>
            {actions.some(mayAll) && (
                <Button isPressed={isAll} onClick={() => setIsAll(!isAll)}>
                    All that match
                </Button>
            )}
            {isShown &&
                allowed.map((action) => (
                    <Button
                        key={action}
                        kind={JOB_ACTIONS[action].isDanger === true ? "danger" : "plain"}
                        onClick={() => setOpen({ action, target })}
                    >
                        {JOB_ACTIONS[action].button}…
                    </Button>
                ))}
            {isShown && (
                <Button
                    kind="quiet"
                    onClick={() => {
                        setIsAll(false)
                        onClear()
                    }}
                >
                    Clear
                </Button>
            )}
            {open !== undefined && (
                <ChangeDialog
                    {...open}
                    onClose={() => {
                        setOpen(undefined)
                        setIsAll(false)
                        onClear()
                    }}
                />
            )}
        </div>
    )
}

/** What the user may do to all jobs that match, as the server will decide it: by the definition where the filter has one. */
function useMayAll(filter: Json<JobFilter> | null): (action: JobAction) => boolean {
    const definition = filter?.definition
    const user = useStore(me)
    const definitions = useDefinitions({ isNeeded: definition !== undefined }).value?.definitions
    const can = definitions?.find(({ name }) => name === definition)?.can ?? user?.can
    return (action) => filter !== null && can?.includes("bulk") === true && can.includes(action)
}
