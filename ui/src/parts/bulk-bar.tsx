import { useState } from "preact/hooks"
import type { JobAction, JobFilter, Json } from "../answers.ts"
import { ChangeDialog } from "../dialogs/change-dialog.tsx"
import { counted } from "../format.ts"
import { type ChangeTarget, JOB_ACTIONS } from "../job-actions.ts"
import { useMay } from "../session.ts"
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
    const may = useMay()
    const [open, setOpen] = useState<{ action: JobAction; target: ChangeTarget }>()
    const [isAll, setIsAll] = useState(false)
    const allowed = actions.filter((action) => may(action))
    if (allowed.length === 0) return null
    const mayAll = may("bulk") && filter !== null
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
            {mayAll && (
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
