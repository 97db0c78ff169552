import { useEffect, useState } from "preact/hooks"
import type { CancelOperationAnswer, OperationView } from "../answers.ts"
import { number } from "../format.ts"
import { get, post } from "../http.ts"
import { reloadAll, useAction, useLoad } from "../load.ts"
import { tell } from "../notices.ts"
import { useMay } from "../session.ts"
import { Button } from "./button.tsx"
import { ErrorNote } from "./loaded.tsx"
import { OperationBadge } from "./state.tsx"
import { None, Outside } from "./text.tsx"

const POLL_MS = 1_000

/** Whether an operation has come to its end. */
export function hasEnded({ state }: OperationView): boolean {
    return state !== "waiting" && state !== "running"
}

/** How far an operation is, until it ends. */
export function OperationProgress({ operation }: { operation: OperationView }) {
    const { operationID } = operation
    const [isPolled, setIsPolled] = useState(!hasEnded(operation))
    const loaded = useLoad({
        key: `operation ${operationID}`,
        ask: (signal) => get<OperationView>(`operations/${operationID}`, {}, signal),
        everyMs: isPolled ? POLL_MS : undefined,
    })
    const latest = loaded.value ?? operation
    const isOver = hasEnded(latest)
    // What it did is to be seen on the page behind.
    useEffect(() => {
        setIsPolled(!isOver)
        if (isOver && !hasEnded(operation)) reloadAll()
    }, [isOver])
    return (
        <div class="progress" role="status" aria-live="polite">
            <p>
                <OperationBadge state={latest.state} /> <ProgressWords operation={latest} />
            </p>
            <ProgressBar operation={latest} />
            {latest.error !== null && (
                <p class="problem">
                    <Outside text={latest.error} />
                </p>
            )}
            <ErrorNote error={loaded.error} />
            <CancelOperation operation={latest} />
        </div>
    )
}

export function ProgressBar({ operation }: { operation: OperationView }) {
    const { numDone, numSkipped, numExpected } = operation.progress
    const isOver = operation.state === "done"
    if (numExpected === null && !isOver)
        return hasEnded(operation) ? null : <progress aria-label="Under way" />
    const of = isOver ? 1 : Math.max(numExpected ?? 1, numDone + numSkipped, 1)
    return <progress aria-label="Progress" value={isOver ? 1 : numDone + numSkipped} max={of} />
}

export function ProgressWords({ operation }: { operation: OperationView }) {
    const { numDone, numSkipped, numLookedAt, numExpected } = operation.progress
    if (operation.state === "done" && numDone + numSkipped === 0 && numExpected === null) return <None />
    const expected = numExpected === null || hasEnded(operation) ? "" : ` of about ${number(numExpected)}`
    const parts = [
        `${number(numDone)}${expected} done`,
        ...(numSkipped > 0 ? [`${number(numSkipped)} left alone`] : []),
        ...(numLookedAt > numDone + numSkipped ? [`${number(numLookedAt)} looked at`] : []),
    ]
    return <span class="number">{parts.join(", ")}</span>
}

/** Ends an operation that has not ended. */
export function CancelOperation({ operation }: { operation: OperationView }) {
    const may = useMay()
    const { isBusy, error, run } = useAction()
    if (hasEnded(operation) || !may("cancel-operation")) return null
    const cancel = () =>
        run(async () => {
            const path = `operations/${operation.operationID}/cancel`
            const { isCancelled } = await post<CancelOperationAnswer>(path, {})
            tell(isCancelled ? "The operation was cancelled." : "The operation had ended.")
            reloadAll()
        })
    return (
        <>
            <Button isDisabled={isBusy} onClick={cancel} label={`Cancel operation ${operation.operationID}`}>
                Cancel
            </Button>
            <ErrorNote error={error} />
        </>
    )
}
