import { useState } from "preact/hooks"
import { FILTER_NAMES, type FilterTexts, JOB_STATES, payloadProblem } from "../job-filter.ts"
import { snapshot } from "../live.ts"
import { SelectField, TextField } from "../parts/field.tsx"
import { DefinitionFilter, ErrorTextFilter, FilterForm, InstantFilter } from "../parts/filter-form.tsx"
import { go, href } from "../route.ts"
import { me } from "../session.ts"
import { useStore } from "../store.ts"

const STATE_OPTIONS = [["", "any"], ...JOB_STATES.map((state) => [state, state] as const)] as const

/** What to list, kept in the address. */
export function JobFilters(props: { texts: FilterTexts; order: string; onApply: () => void }) {
    const { texts, order, onApply } = props
    const [draft, setDraft] = useState(texts)
    const set = (name: keyof FilterTexts) => (text: string) => setDraft({ ...draft, [name]: text })
    const problem = payloadProblem(draft.payload)
    const numMore = FILTER_NAMES.slice(2).filter((name) => texts[name] !== "").length
    const [isOpen, setIsOpen] = useState(numMore > 0)
    const apply = (next: FilterTexts, nextOrder: string) => {
        onApply()
        go(href(["jobs"], { ...next, order: nextOrder === "oldest" ? "oldest" : undefined }))
    }
    return (
        <FilterForm
            label="Which jobs"
            cleared="#/jobs"
            isDisabled={problem !== undefined}
            onApply={() => apply(draft, order)}
            more={
                <details class="more" open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
                    <summary>More filters{numMore > 0 && ` (${numMore})`}</summary>
                    <MoreFilters draft={draft} set={set} />
                </details>
            }
        >
            <SelectField
                label="State"
                value={draft.state}
                options={STATE_OPTIONS}
                onChange={(state) => apply({ ...draft, state }, order)}
            />
            <DefinitionFilter value={draft.definition} onChange={set("definition")} />
            <SelectField
                label="Order"
                value={order}
                options={[
                    ["newest", "newest first"],
                    ["oldest", "oldest first"],
                ]}
                onChange={(next) => apply(draft, next)}
            />
        </FilterForm>
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
            <ErrorTextFilter value={draft.errorText} onChange={set("errorText")} />
            {user?.canSearchPayloads === true && (
                <TextField
                    label="Payload contains, as JSON"
                    placeholder='{"userID": 17}'
                    value={draft.payload}
                    onChange={set("payload")}
                    problem={payloadProblem(draft.payload)}
                />
            )}
            <InstantFilter label="Deferred from" value={draft.createdAfter} onChange={set("createdAfter")} />
            <InstantFilter
                label="Deferred before"
                value={draft.createdBefore}
                onChange={set("createdBefore")}
            />
        </div>
    )
}
