import { useState } from "preact/hooks"
import { fromInput, toInput } from "../format.ts"
import { FILTER_NAMES, type FilterTexts, JOB_STATES, payloadProblem } from "../job-filter.ts"
import { snapshot } from "../live.ts"
import { Button } from "../parts/button.tsx"
import { InstantField, SelectField, TextField } from "../parts/field.tsx"
import { go, href } from "../route.ts"
import { me } from "../session.ts"
import { useStore } from "../store.ts"

const STATE_OPTIONS = [["", "any"], ...JOB_STATES.map((state) => [state, state] as const)] as const

/** What to list, kept in the address. */
export function JobFilters(props: { texts: FilterTexts; order: string; onApply: () => void }) {
    const { texts, order, onApply } = props
    const [draft, setDraft] = useState(texts)
    const counts = useStore(snapshot)?.counts
    const set = (name: keyof FilterTexts) => (text: string) => setDraft({ ...draft, [name]: text })
    const problem = payloadProblem(draft.payload)
    const numMore = FILTER_NAMES.slice(2).filter((name) => texts[name] !== "").length
    const [isOpen, setIsOpen] = useState(numMore > 0)
    const apply = (next: FilterTexts, nextOrder: string) => {
        onApply()
        go(href(["jobs"], { ...next, order: nextOrder === "oldest" ? "oldest" : undefined }))
    }
    return (
        <form
            class="filters"
            aria-label="Which jobs"
            onSubmit={(event) => {
                event.preventDefault()
                if (problem === undefined) apply(draft, order)
            }}
        >
            <SelectField
                label="State"
                value={draft.state}
                options={STATE_OPTIONS}
                onChange={(state) => apply({ ...draft, state }, order)}
            />
            <TextField
                label="Definition"
                value={draft.definition}
                onChange={set("definition")}
                suggestions={counts?.definitions.map(({ definition }) => definition) ?? []}
                isFilter
            />
            <SelectField
                label="Order"
                value={order}
                options={[
                    ["newest", "newest first"],
                    ["oldest", "oldest first"],
                ]}
                onChange={(next) => apply(draft, next)}
            />
            <div class="actions">
                <Button isSubmit kind="main" isDisabled={problem !== undefined}>
                    Apply
                </Button>
                <a class="button quiet" href="#/jobs">
                    Clear
                </a>
            </div>
            <details class="more" open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
                <summary>More filters{numMore > 0 && ` (${numMore})`}</summary>
                <MoreFilters draft={draft} set={set} />
            </details>
        </form>
    )
}

/** Those that are needed less often. */
function MoreFilters(props: {
    draft: FilterTexts
    set: (name: keyof FilterTexts) => (text: string) => void
}) {
    const { draft, set } = props
    const user = useStore(me)
    const counts = useStore(snapshot)?.counts
    return (
        <div class="filters">
            <TextField
                label="Channel"
                value={draft.channel}
                onChange={set("channel")}
                suggestions={counts?.channels.map(({ channel }) => channel) ?? []}
            />
            <TextField label="Key" value={draft.key} onChange={set("key")} />
            {user?.canSearchErrors === true && (
                <TextField label="Text of the error" value={draft.errorText} onChange={set("errorText")} />
            )}
            {user?.canSearchPayloads === true && (
                <TextField
                    label="Payload contains, as JSON"
                    placeholder='{"userID": 17}'
                    value={draft.payload}
                    onChange={set("payload")}
                    problem={payloadProblem(draft.payload)}
                />
            )}
            <InstantField
                label="Deferred from"
                value={toInput(draft.createdAfter)}
                onChange={(text) => set("createdAfter")(fromInput(text) ?? "")}
            />
            <InstantField
                label="Deferred before"
                value={toInput(draft.createdBefore)}
                onChange={(text) => set("createdBefore")(fromInput(text) ?? "")}
            />
        </div>
    )
}
