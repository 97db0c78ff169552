import { useState } from "preact/hooks"
import type {
    DeadLettersAnswer,
    DeadLettersQuery,
    DeadLetterView,
    FailureReason,
    JobFilter,
    Json,
} from "../answers.ts"
import { number } from "../format.ts"
import { get } from "../http.ts"
import { reloadAll } from "../load.ts"
import { allOf } from "../names.ts"
import type { PageParams } from "../page-params.ts"
import { usePaging } from "../paging.ts"
import { BulkBar } from "../parts/bulk-bar.tsx"
import { Button, Choice } from "../parts/button.tsx"
import { SelectField } from "../parts/field.tsx"
import { DefinitionFilter, ErrorTextFilter, FilterForm, InstantFilter } from "../parts/filter-form.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Pager } from "../parts/pager.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, JobLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { go, href } from "../route.ts"
import { me, useMaySomewhere } from "../session.ts"
import { useStore } from "../store.ts"

const LIMIT = 50
const NUM_LOOKS = 20_000

const REASONS = allOf<FailureReason>({
    error: true,
    timeout: true,
    "no-attempts-remaining": true,
    orphaned: true,
    "unmet-dependencies": true,
    cancelled: true,
})

type Name = Exclude<keyof DeadLettersQuery, "limit" | "after">
type Texts = Record<Name, string>

const NAMES = allOf<Name>({
    definition: true,
    reason: true,
    errorText: true,
    failedAfter: true,
    failedBefore: true,
})

/** What can be done to them. */
const ACTIONS = ["replay", "delete"] as const

const GROUPINGS = [
    ["none", "One by one"],
    ["reason", "By reason"],
    ["definition", "By definition"],
    ["error", "By error"],
] as const
type Grouping = (typeof GROUPINGS)[number][0]

/** Jobs that failed for good, the newest first. */
export function DeadLettersPage({ query }: PageParams) {
    const texts = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as Texts
    const [grouping, setGrouping] = useState<Grouping>("none")
    const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
    const clear = () => setSelected(new Set())
    const maySelect = ACTIONS.some(useMaySomewhere())
    const paging = usePaging<DeadLetterView>({
        key: JSON.stringify(texts),
        limit: LIMIT,
        ask: async ({ after, limit }, signal) => {
            const answer = await get<DeadLettersAnswer>("dead-letters", { ...texts, limit, after }, signal)
            return { rows: answer.deadLetters, next: answer.next }
        },
    })
    return (
        <>
            <Title actions={<Button onClick={reloadAll}>Reload</Button>}>Dead letters</Title>
            <Filters key={query.toString()} texts={texts} onApply={clear} />
            <div class="bar">
                <Choice
                    label="How they are listed"
                    value={grouping}
                    options={GROUPINGS}
                    onChange={setGrouping}
                />
            </div>
            <BulkBar selected={selected} onClear={clear} actions={ACTIONS} filter={toFilter(texts)} />
            <Ready of={paging.page}>
                {({ rows }) =>
                    grouping === "none" ? (
                        <Table
                            label="Dead letters"
                            columns={COLUMNS}
                            rows={rows}
                            keyOf={({ jobID }) => String(jobID)}
                            empty={paging.goOn === null ? "No dead letter fits." : "None of these fits."}
                            selection={maySelect ? { keys: selected, set: setSelected } : undefined}
                        />
                    ) : (
                        <Groups
                            letters={rows}
                            grouping={grouping}
                            texts={texts}
                            onSelect={
                                maySelect
                                    ? (letters) => {
                                          setSelected(new Set(letters.map(({ jobID }) => String(jobID))))
                                          setGrouping("none")
                                      }
                                    : null
                            }
                        />
                    )
                }
            </Ready>
            <Pager paging={paging} numLooks={NUM_LOOKS} />
        </>
    )
}

/** The filter of an operation that takes all that match. */
function toFilter({ definition, reason, errorText, failedAfter, failedBefore }: Texts): Json<JobFilter> {
    return {
        state: "failed",
        ...(definition === "" ? {} : { definition }),
        ...(reason === "" ? {} : { reason: reason as FailureReason }),
        ...(errorText === "" ? {} : { errorText }),
        ...(failedAfter === "" ? {} : { finalizedAfter: failedAfter }),
        ...(failedBefore === "" ? {} : { finalizedBefore: failedBefore }),
    }
}

function Filters({ texts, onApply }: { texts: Texts; onApply: () => void }) {
    const [draft, setDraft] = useState(texts)
    const set = (name: keyof Texts) => (text: string) => setDraft({ ...draft, [name]: text })
    const apply = (next: Texts) => {
        onApply()
        go(href(["dead-letters"], next))
    }
    return (
        <FilterForm label="Which dead letters" cleared="#/dead-letters" onApply={() => apply(draft)}>
            <DefinitionFilter value={draft.definition} onChange={set("definition")} />
            <SelectField
                label="Reason"
                value={draft.reason}
                options={[["", "any"], ...REASONS.map((reason) => [reason, reason] as const)]}
                onChange={(reason) => apply({ ...draft, reason })}
            />
            <ErrorTextFilter value={draft.errorText} onChange={set("errorText")} />
            <InstantFilter label="Failed from" value={draft.failedAfter} onChange={set("failedAfter")} />
            <InstantFilter label="Failed before" value={draft.failedBefore} onChange={set("failedBefore")} />
        </FilterForm>
    )
}

function messageOf({ errors }: DeadLetterView): string | null {
    return errors.at(-1)?.message ?? null
}

const COLUMNS: Column<DeadLetterView>[] = [
    { title: "Job", cell: ({ jobID }) => <JobLink jobID={jobID} /> },
    { title: "Definition", cell: ({ name }) => <DefinitionLink name={name} />, isWide: true },
    { title: "Reason", cell: ({ reason }) => reason },
    { title: "Failed", cell: ({ failedAt }) => <Time at={failedAt} /> },
    { title: "Deferred", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Attempts", cell: ({ numAttempts }) => numAttempts, isNumber: true },
    {
        title: "Last error",
        isWide: true,
        cell: (letter) => {
            const message = messageOf(letter)
            return message === null ? <None /> : <Outside text={message} isCut />
        },
    },
]

/** The dead letters of this page that have something in common. */
function Groups(props: {
    letters: readonly DeadLetterView[]
    grouping: Exclude<Grouping, "none">
    texts: Texts
    /** Null where nothing can be done to them. */
    onSelect: ((letters: DeadLetterView[]) => void) | null
}) {
    const { letters, grouping, texts, onSelect } = props
    const canNarrow = useStore(me)?.canSearchErrors === true || grouping !== "error"
    const keyOf = (letter: DeadLetterView) =>
        grouping === "reason"
            ? letter.reason
            : grouping === "definition"
              ? letter.name
              : (messageOf(letter) ?? "")
    const groups = new Map<string, DeadLetterView[]>()
    for (const letter of letters) groups.set(keyOf(letter), [...(groups.get(keyOf(letter)) ?? []), letter])
    const rows = [...groups].sort(([, one], [, other]) => other.length - one.length)
    const name = grouping === "error" ? "errorText" : grouping
    return (
        <Table
            label="Groups of dead letters"
            rows={rows}
            keyOf={([key]) => key}
            empty="No dead letter fits."
            columns={[
                {
                    title: grouping,
                    isWide: true,
                    cell: ([key]) => (key === "" ? <None /> : <Outside text={key} isCut />),
                },
                { title: "On this page", cell: ([, some]) => number(some.length), isNumber: true },
                { title: "Newest", cell: ([, some]) => <Time at={some[0]?.failedAt ?? null} /> },
                {
                    title: "Actions",
                    cell: ([key, some]) => (
                        <span class="names">
                            {onSelect !== null && <Button onClick={() => onSelect(some)}>Select</Button>}
                            {key !== "" && canNarrow && (
                                <a
                                    class="button plain"
                                    href={href(["dead-letters"], { ...texts, [name]: key.slice(0, 200) })}
                                >
                                    Only these
                                </a>
                            )}
                        </span>
                    ),
                },
            ]}
        />
    )
}
