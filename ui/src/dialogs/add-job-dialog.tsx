import { useState } from "preact/hooks"
import type { DeferAnswer, DeferRequest, DefinitionsAnswer, DefinitionView } from "../answers.ts"
import { get, post } from "../http.ts"
import { reloadAll, useAction, useLoad } from "../load.ts"
import { tell } from "../notices.ts"
import { FormDialog } from "../parts/dialog.tsx"
import { AreaField, SelectField, TextField } from "../parts/field.tsx"
import { ErrorNote } from "../parts/loaded.tsx"
import { go, href } from "../route.ts"

const KEYS = ["group", "concurrencyLimit", "rateLimit"] as const
const KEY_LABELS = {
    group: "Key of its group",
    concurrencyLimit: "Key of its concurrency",
    rateLimit: "Key of its rate",
}

/** Adds a job. */
export function AddJobDialog({ definition, onClose }: { definition?: string; onClose: () => void }) {
    const [chosen, setChosen] = useState(definition)
    const [payload, setPayload] = useState("{}")
    const [delay, setDelay] = useState("")
    const [priority, setPriority] = useState("")
    const [keys, setKeys] = useState<Record<string, string>>({})
    const doing = useAction()
    const definitions = useLoad({
        key: "definitions",
        ask: (signal) => get<DefinitionsAnswer>("definitions", {}, signal),
    })
    const known = (definitions.value?.definitions ?? []).filter(
        ({ retiredAt, can }) => retiredAt === null && can.includes("defer"),
    )
    const name = chosen ?? known[0]?.name
    const problem = payloadProblem(payload)
    const submit = () =>
        doing.run(async () => {
            if (name === undefined) return
            const { jobID } = await post<DeferAnswer>(
                "jobs",
                toRequest({ name, payload, delay, priority, keys }),
            )
            tell(`Added job ${jobID}.`)
            reloadAll()
            onClose()
            go(href(["jobs", jobID]))
        })
    return (
        <FormDialog
            title="Add a job"
            submit="Add"
            isBusy={doing.isBusy}
            isDisabled={name === undefined || problem !== undefined}
            error={doing.error}
            onSubmit={submit}
            onClose={onClose}
        >
            <ErrorNote error={definitions.error} onRetry={definitions.reload} />
            <SelectField
                label="Definition"
                value={name ?? ""}
                onChange={setChosen}
                options={known.map((one) => [one.name, one.name] as const)}
            />
            <AreaField label="Payload, as JSON" value={payload} onChange={setPayload} problem={problem} />
            <When delay={delay} setDelay={setDelay} priority={priority} setPriority={setPriority} />
            {keysOf(known.find((one) => one.name === name)).map((key) => (
                <TextField
                    key={key}
                    label={KEY_LABELS[key]}
                    value={keys[key] ?? ""}
                    onChange={(text) => setKeys({ ...keys, [key]: text })}
                />
            ))}
        </FormDialog>
    )
}

/** When it is due, and before which others. */
function When(props: {
    delay: string
    setDelay: (text: string) => void
    priority: string
    setPriority: (text: string) => void
}) {
    const { delay, setDelay, priority, setPriority } = props
    return (
        <div class="row">
            <TextField
                label="Delay in seconds"
                type="number"
                min={0}
                value={delay}
                onChange={setDelay}
                placeholder="0"
            />
            <TextField
                label="Priority"
                type="number"
                value={priority}
                onChange={setPriority}
                placeholder="the definition's"
            />
        </div>
    )
}

/** Which keys a job of a definition may be given. */
function keysOf(definition: DefinitionView | undefined): (typeof KEYS)[number][] {
    const limits = definition?.limits ?? null
    if (limits === null) return []
    return KEYS.filter((key) => {
        if (key === "group") return limits.group !== null
        return (key === "rateLimit" ? limits.rate : limits.concurrency)?.isKeyed ?? false
    })
}

function payloadProblem(text: string): string | undefined {
    try {
        const value: unknown = JSON.parse(text)
        return typeof value === "object" && value !== null ? undefined : "A payload is an object."
    } catch (error) {
        return `Not JSON: ${error instanceof Error ? error.message : error}`
    }
}

function toRequest(given: {
    name: string
    payload: string
    delay: string
    priority: string
    keys: Record<string, string>
}): DeferRequest {
    const keys = Object.fromEntries(Object.entries(given.keys).filter(([, key]) => key !== ""))
    return {
        definition: given.name,
        payload: JSON.parse(given.payload) as object,
        ...(given.delay === "" ? {} : { delayMs: Math.round(Number(given.delay) * 1_000) }),
        ...(given.priority === "" ? {} : { priority: Number(given.priority) }),
        ...(Object.keys(keys).length === 0 ? {} : { keys }),
    }
}
