import type { ComponentChildren } from "preact"
import { useId } from "preact/hooks"
import { clock } from "../preferences.ts"
import { useStore } from "../store.ts"

interface Common {
    label: string
    value: string
    onChange: (value: string) => void
    /** What is good to know. */
    hint?: string | undefined
    /** What is wrong with the value. */
    problem?: string | undefined
}

/** A field with its label, and what is to be said of it. */
function Labelled(
    props: Pick<Common, "label" | "hint" | "problem"> & { children: (id: string) => ComponentChildren },
) {
    const id = useId()
    return (
        <div class="field">
            <label for={id}>{props.label}</label>
            {props.children(id)}
            {props.hint !== undefined && (
                <small id={`${id}-hint`} class="muted">
                    {props.hint}
                </small>
            )}
            {props.problem !== undefined && (
                <small id={`${id}-problem`} class="problem" role="alert">
                    {props.problem}
                </small>
            )}
        </div>
    )
}

function described(id: string, { hint, problem }: Pick<Common, "hint" | "problem">): string | undefined {
    const ids = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`]
    return ids.filter((one) => one !== false).join(" ") || undefined
}

/** A line of text, a number, or an instant. */
export function TextField(
    props: Common & {
        type?: "text" | "number" | "datetime-local" | "search"
        suggestions?: readonly string[]
        placeholder?: string
        isRequired?: boolean
        isFilter?: boolean
        min?: number
        max?: number
    },
) {
    const { type = "text", suggestions, value, onChange, min, max } = props
    return (
        <Labelled {...props}>
            {(id) => (
                <>
                    <input
                        id={id}
                        type={type}
                        value={value}
                        step={type === "datetime-local" ? 1 : undefined}
                        min={min}
                        max={max}
                        required={props.isRequired}
                        placeholder={props.placeholder}
                        list={suggestions === undefined ? undefined : `${id}-list`}
                        autocomplete="off"
                        spellcheck={false}
                        data-filter={props.isFilter}
                        aria-invalid={props.problem !== undefined}
                        aria-describedby={described(id, props)}
                        onInput={(event) => onChange(event.currentTarget.value)}
                    />
                    {suggestions !== undefined && (
                        <datalist id={`${id}-list`}>
                            {suggestions.map((text) => (
                                <option key={text} value={text} />
                            ))}
                        </datalist>
                    )}
                </>
            )}
        </Labelled>
    )
}

/** An instant, by the clock that was chosen. */
export function InstantField(props: Common) {
    const zone = useStore(clock) === "utc" ? "UTC" : "local time"
    return <TextField {...props} type="datetime-local" label={`${props.label} (${zone})`} />
}

/** Text of several lines. */
export function AreaField(props: Common & { rows?: number; placeholder?: string }) {
    return (
        <Labelled {...props}>
            {(id) => (
                <textarea
                    id={id}
                    rows={props.rows ?? 6}
                    value={props.value}
                    placeholder={props.placeholder}
                    spellcheck={false}
                    aria-invalid={props.problem !== undefined}
                    aria-describedby={described(id, props)}
                    onInput={(event) => props.onChange(event.currentTarget.value)}
                />
            )}
        </Labelled>
    )
}

/** One of several. */
export function SelectField(
    props: Common & { options: readonly (readonly [value: string, text: string])[] },
) {
    return (
        <Labelled {...props}>
            {(id) => (
                <select
                    id={id}
                    aria-describedby={described(id, props)}
                    onChange={(event) => props.onChange(event.currentTarget.value)}
                >
                    {props.options.map(([value, text]) => (
                        <option key={value} value={value} selected={value === props.value}>
                            {text}
                        </option>
                    ))}
                </select>
            )}
        </Labelled>
    )
}
