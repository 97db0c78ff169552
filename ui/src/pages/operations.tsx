import { useState } from "preact/hooks"
import type { OperationsAnswer, OperationView } from "../answers.ts"
import { get } from "../http.ts"
import { usePaging } from "../paging.ts"
import { Choice } from "../parts/button.tsx"
import { FilterWords } from "../parts/filter-words.tsx"
import { Ready } from "../parts/loaded.tsx"
import { CancelOperation, ProgressBar, ProgressWords } from "../parts/operation-progress.tsx"
import { Pager } from "../parts/pager.tsx"
import { OperationBadge } from "../parts/state.tsx"
import { type Column, Table } from "../parts/table.tsx"
import { None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { href } from "../route.ts"

const LIMIT = 50

/** Who did what, and when: the audit log, the newest first. */
export function OperationsPage() {
    const [which, setWhich] = useState<"all" | "running">("all")
    const paging = usePaging<OperationView>({
        key: which,
        limit: LIMIT,
        everyMs: 3_000,
        ask: async ({ after, limit }, signal) => {
            const isRunning = which === "running" ? true : undefined
            const answer = await get<OperationsAnswer>("operations", { limit, after, isRunning }, signal)
            return { rows: answer.operations, next: answer.next }
        },
    })
    return (
        <>
            <Title
                actions={
                    <Choice
                        label="Which operations"
                        value={which}
                        options={[
                            ["all", "All"],
                            ["running", "Under way"],
                        ]}
                        onChange={setWhich}
                    />
                }
            >
                Operations
            </Title>
            <Ready of={paging.page}>
                {({ rows }) => (
                    <Table
                        label="Operations"
                        columns={COLUMNS}
                        rows={rows}
                        keyOf={({ operationID }) => String(operationID)}
                        empty={which === "all" ? "Nobody has done anything yet." : "None is under way."}
                    />
                )}
            </Ready>
            <Pager paging={paging} />
        </>
    )
}

const COLUMNS: Column<OperationView>[] = [
    {
        title: "Operation",
        cell: ({ operationID }) => (
            <a class="number" href={href(["operations", operationID])}>
                {operationID}
            </a>
        ),
    },
    { title: "What", cell: ({ kind }) => kind },
    { title: "Who", cell: ({ by }) => (by === null ? <None /> : <Outside text={by} isCut />) },
    { title: "When", cell: ({ at }) => <Time at={at} /> },
    { title: "Of what", cell: ({ target }) => <FilterWords filter={target} />, isWide: true },
    { title: "State", cell: ({ state }) => <OperationBadge state={state} /> },
    {
        title: "Progress",
        cell: (operation) => (
            <>
                <ProgressWords operation={operation} />
                {operation.state === "running" && <ProgressBar operation={operation} />}
            </>
        ),
    },
    { title: "Actions", cell: (operation) => <CancelOperation operation={operation} /> },
]
