import { useState } from "preact/hooks"
import type { DashboardAction, PauseTarget, ResumeAnswer } from "../answers.ts"
import { visible } from "../format.ts"
import { post } from "../http.ts"
import { reloadAll, useAction } from "../load.ts"
import { tell, tellError } from "../notices.ts"
import { Button } from "../parts/button.tsx"
import { FormDialog } from "../parts/dialog.tsx"
import { SelectField, TextField } from "../parts/field.tsx"
import { None } from "../parts/text.tsx"
import { useMay } from "../session.ts"

/** What is paused, in words. */
export function targetInWords(target: PauseTarget): string {
    if ("everything" in target) return "everything"
    if ("channel" in target) return `the channel ${visible(target.channel)}`
    const key = target.key === undefined ? "" : `the key ${visible(target.key)} of `
    return `${key}the definition ${visible(target.definition)}`
}

const SCOPES = [
    ["definition", "A definition, or a key of it"],
    ["channel", "A channel"],
    ["everything", "Everything"],
] as const

/** Pauses what is given, or what is chosen. */
export function PauseDialog({ target, onClose }: { target?: PauseTarget; onClose: () => void }) {
    const [reason, setReason] = useState("")
    const [scope, setScope] = useState("definition")
    const [name, setName] = useState("")
    const [key, setKey] = useState("")
    const may = useMay()
    const doing = useAction()
    const chosen = target ?? toTarget({ scope, name, key })
    const submit = () =>
        doing.run(async () => {
            await post("pauses", { target: chosen, ...(reason === "" ? {} : { reason }) })
            tell(`Paused ${targetInWords(chosen)}.`)
            reloadAll()
            onClose()
        })
    return (
        <FormDialog
            title="Pause"
            submit={target === undefined ? "Pause" : `Pause ${targetInWords(target).slice(0, 60)}`}
            isBusy={doing.isBusy}
            isDisabled={target === undefined && scope !== "everything" && name === ""}
            error={doing.error}
            onSubmit={submit}
            onClose={onClose}
        >
            <p>No job is taken until it is resumed. Those that run go on to their end.</p>
            {target === undefined && (
                <SelectField
                    label="What"
                    value={scope}
                    onChange={setScope}
                    options={SCOPES.filter(([scope]) => scope === "definition" || may("pause"))}
                />
            )}
            {target === undefined && scope !== "everything" && (
                <TextField label="Its name" value={name} onChange={setName} isRequired />
            )}
            {target === undefined && scope === "definition" && (
                <TextField
                    label="Key"
                    hint="Only jobs with this key. Empty: all."
                    value={key}
                    onChange={setKey}
                />
            )}
            <TextField label="Reason, for those who ask" value={reason} onChange={setReason} />
        </FormDialog>
    )
}

function toTarget({ scope, name, key }: { scope: string; name: string; key: string }): PauseTarget {
    if (scope === "everything") return { everything: true }
    if (scope === "channel") return { channel: name }
    return key === "" ? { definition: name } : { definition: name, key }
}

/** Pauses or resumes, by what is the case and what may be done. */
export function PauseButton(props: {
    target: PauseTarget
    isPaused: boolean
    can: readonly DashboardAction[]
}) {
    const { target, isPaused, can } = props
    const [isAsking, setIsAsking] = useState(false)
    const { isBusy, run } = useAction()
    const words = targetInWords(target)
    if (isPaused) {
        if (!can.includes("resume")) return <None />
        const resume = () =>
            run(() =>
                post<ResumeAnswer>("pauses/remove", { target }).then(({ wasPaused }) => {
                    tell(wasPaused ? `Resumed ${words}.` : `It is not ${words} that is paused.`)
                    reloadAll()
                }, tellError),
            )
        return (
            <Button isDisabled={isBusy} onClick={resume} label={`Resume ${words}`}>
                Resume
            </Button>
        )
    }
    if (!can.includes("pause")) return <None />
    return (
        <>
            <Button onClick={() => setIsAsking(true)} label={`Pause ${words}`}>
                Pause
            </Button>
            {isAsking && <PauseDialog target={target} onClose={() => setIsAsking(false)} />}
        </>
    )
}
