import { useState } from "preact/hooks"
import type { JobAction, JobAnswer } from "../answers.ts"
import { ChangeDialog } from "../dialogs/change-dialog.tsx"
import { JOB_ACTION_NAMES, JOB_ACTIONS } from "../job-actions.ts"
import { Button } from "../parts/button.tsx"

/** What the user may do to a job in its state. A dialog that is open stays when the job is gone, and says so when it is sent. */
export function JobActions({ job, can, isGone }: JobAnswer & { isGone: boolean }) {
    const [open, setOpen] = useState<JobAction>()
    const fitting = JOB_ACTION_NAMES.filter(
        (name) => !isGone && can.includes(name) && JOB_ACTIONS[name].fits.includes(job.state),
    )
    return (
        <>
            {fitting.map((name) => (
                <Button
                    key={name}
                    kind={JOB_ACTIONS[name].isDanger === true ? "danger" : "plain"}
                    onClick={() => setOpen(name)}
                >
                    {JOB_ACTIONS[name].button}…
                </Button>
            ))}
            {open !== undefined && (
                <ChangeDialog
                    action={open}
                    target={{ jobIDs: [job.jobID] }}
                    onClose={() => setOpen(undefined)}
                />
            )}
        </>
    )
}
