import type { PauseView } from "../answers.ts"
import { PauseButton, targetInWords } from "../dialogs/pause-dialog.tsx"
import { Table } from "./table.tsx"
import { None, Outside, Time } from "./text.tsx"

/** What is paused, and why. */
export function PauseTable({ pauses, empty }: { pauses: readonly PauseView[]; empty: string }) {
    return (
        <Table
            label="Pauses"
            rows={pauses}
            keyOf={({ target }) => JSON.stringify(target)}
            empty={empty}
            columns={[
                {
                    title: "Paused",
                    cell: ({ target }) => <Outside text={targetInWords(target)} isCut />,
                    isWide: true,
                },
                {
                    title: "Reason",
                    cell: ({ reason }) => (reason === null ? <None /> : <Outside text={reason} />),
                },
                { title: "Since", cell: ({ pausedAt }) => <Time at={pausedAt} /> },
                {
                    title: "Actions",
                    cell: ({ target, isResumable }) => (
                        <PauseButton target={target} isPaused can={isResumable ? ["resume"] : []} />
                    ),
                },
            ]}
        />
    )
}
