import type { ComponentChildren } from "preact"
import { fromInput, toInput } from "../format.ts"
import { snapshot } from "../live.ts"
import { me } from "../session.ts"
import { useStore } from "../store.ts"
import { Button } from "./button.tsx"
import { InstantField, TextField } from "./field.tsx"

/** What to list. It is kept in the address, so that clearing it is a link. */
export function FilterForm(props: {
    label: string
    cleared: string
    children: ComponentChildren
    /** What is needed less often, below. */
    more?: ComponentChildren
    isDisabled?: boolean
    onApply: () => void
}) {
    const { label, cleared, children, more, isDisabled = false, onApply } = props
    return (
        <form
            class="filters"
            aria-label={label}
            onSubmit={(event) => {
                event.preventDefault()
                if (!isDisabled) onApply()
            }}
        >
            {children}
            <div class="actions">
                <Button isSubmit kind="main" isDisabled={isDisabled}>
                    Apply
                </Button>
                <a class="button quiet" href={cleared}>
                    Clear
                </a>
            </div>
            {more}
        </form>
    )
}

interface FilterProps {
    value: string
    onChange: (text: string) => void
}

/** A definition by its name, of those that there are jobs of or any other. */
export function DefinitionFilter(props: FilterProps) {
    const counts = useStore(snapshot)?.counts
    const suggestions = counts?.definitions.map(({ definition }) => definition) ?? []
    return <TextField label="Definition" {...props} suggestions={suggestions} isFilter />
}

/** A text of an error, for those who may look for it. */
export function ErrorTextFilter(props: FilterProps) {
    const user = useStore(me)
    return user?.canSearchErrors === true ? <TextField label="Text of the error" {...props} /> : null
}

/** A time, from an instant on or before it, as ISO text. */
export function InstantFilter({ label, value, onChange }: FilterProps & { label: string }) {
    return (
        <InstantField
            label={label}
            value={toInput(value)}
            onChange={(text) => onChange(fromInput(text) ?? "")}
        />
    )
}
