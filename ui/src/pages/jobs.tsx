import { useState } from "preact/hooks"
import type { JobRow, JobsAnswer } from "../answers.ts"
import { get } from "../http.ts"
import { JOB_ACTION_NAMES, JOB_ACTIONS } from "../job-actions.ts"
import { type FilterTexts, filterTexts, JOB_STATES, payloadProblem, toJobFilter } from "../job-filter.ts"
import { reloadAll } from "../load.ts"
import type { PageParams } from "../page-params.ts"
import { usePaging } from "../paging.ts"
import { BulkBar } from "../parts/bulk-bar.tsx"
import { Button } from "../parts/button.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Pager } from "../parts/pager.tsx"
import { Badge, StateBadge } from "../parts/state.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { DefinitionLink, JobLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { useMaySomewhere } from "../session.ts"
import { JobFilters } from "./job-filters.tsx"

const LIMIT = 50
/** How many jobs one request looks through, as `Inspector#jobs` says. */
const NUM_LOOKS = 20_000
const NUM_PAYLOAD_LOOKS = 5_000

/** Jobs, live and finalized, by when they were deferred. */
export function JobsPage({ query }: PageParams) {
    const texts = filterTexts(query)
    const order = query.get("order") === "oldest" ? "oldest" : "newest"
    const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
    const isReadable = payloadProblem(texts.payload) === undefined
    const paging = usePaging<JobRow>({
        key: JSON.stringify([texts, order]),
        limit: LIMIT,
        ask: async ({ after, limit }, signal) => {
            const payload = isReadable ? texts.payload : ""
            const answer = await get<JobsAnswer>("jobs", { ...texts, payload, order, limit, after }, signal)
            return { rows: answer.jobs, next: answer.next }
        },
    })
    const clear = () => setSelected(new Set())
    const maySomewhere = useMaySomewhere()
    const actions = actionsOf(texts)
    return (
        <>
            <Title actions={<Button onClick={reloadAll}>Reload</Button>}>Jobs</Title>
            <JobFilters key={query.toString()} texts={texts} order={order} onApply={clear} />
            <BulkBar
                selected={selected}
                onClear={clear}
                actions={actions}
                filter={isReadable ? toJobFilter(texts) : null}
            />
            <Ready of={paging.page}>
                {({ rows }) => (
                    <Table
                        label="Jobs"
                        columns={COLUMNS}
                        rows={rows}
                        keyOf={({ jobID }) => String(jobID)}
                        empty={paging.goOn === null ? "No job fits." : "None of these fits."}
                        selection={
                            actions.some(maySomewhere) ? { keys: selected, set: setSelected } : undefined
                        }
                    />
                )}
            </Ready>
            <Pager
                paging={paging}
                isOldestFirst={order === "oldest"}
                numLooks={texts.payload === "" ? NUM_LOOKS : NUM_PAYLOAD_LOOKS}
            />
        </>
    )
}

/** What can be done to jobs of the state that is shown. */
function actionsOf({ state }: FilterTexts) {
    const known = JOB_STATES.find((one) => one === state)
    return JOB_ACTION_NAMES.filter((name) => known === undefined || JOB_ACTIONS[name].fits.includes(known))
}

const COLUMNS: Column<JobRow>[] = [
    { title: "Job", cell: ({ jobID }) => <JobLink jobID={jobID} /> },
    { title: "Definition", cell: ({ definition }) => <DefinitionLink name={definition} />, isWide: true },
    {
        title: "State",
        cell: ({ state, isCancelRequested }) => (
            <>
                <StateBadge state={state} />
                {isCancelRequested && <Badge tone="warn" text="being cancelled" />}
            </>
        ),
    },
    { title: "Deferred", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: "Due", cell: ({ dueAt }) => <Time at={dueAt} /> },
    { title: "Ended", cell: ({ finalizedAt }) => <Time at={finalizedAt} /> },
    { title: "Attempts", cell: ({ numAttemptsUsed }) => numAttemptsUsed, isNumber: true },
    { title: "Priority", cell: ({ priority }) => priority, isNumber: true },
    { title: "Worker", cell: ({ worker }) => (worker === null ? <None /> : <Outside text={worker} isCut />) },
    {
        title: "Error",
        isWide: true,
        cell: ({ errorMessage, reason }) => {
            const text = errorMessage ?? reason
            return text === null ? <None /> : <Outside text={text} isCut />
        },
    },
]
