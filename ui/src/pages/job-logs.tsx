import { useState } from "preact/hooks"
import type { LogsAnswer } from "../answers.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Button } from "../parts/button.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Outside, Time } from "../parts/text.tsx"

const STEP = 200

/** What a job has logged, the oldest first. It is asked for again when there is more. */
export function Logs({ jobID, numLogs }: { jobID: number; numLogs: number }) {
    const [numShown, setNumShown] = useState(STEP)
    const logs = useLoad({
        key: JSON.stringify([jobID, numShown]),
        ask: (signal) => linesOf(jobID, numShown, signal),
    })
    const numKnown = logs.value?.lines.length ?? 0
    const isBehind = logs.value !== undefined && !logs.value.isMore && numKnown < numLogs
    return (
        <Ready of={logs}>
            {({ lines, isMore }) => (
                <>
                    <ol class="logs">
                        {lines.map(({ at, attempt, message }, index) => (
                            <li key={index}>
                                <span class="muted">
                                    <Time at={at} /> #{attempt}
                                </span>
                                <Outside text={message} />
                            </li>
                        ))}
                    </ol>
                    {isMore && <Button onClick={() => setNumShown(numShown + STEP)}>More</Button>}
                    {isBehind && <Button onClick={logs.reload}>There are new lines</Button>}
                </>
            )}
        </Ready>
    )
}

async function linesOf(jobID: number, num: number, signal: AbortSignal) {
    const lines: LogsAnswer["logs"] = []
    let after: string | undefined
    for (;;) {
        const answer = await get<LogsAnswer>(`jobs/${jobID}/logs`, { limit: 100, after }, signal)
        lines.push(...answer.logs)
        if (answer.next === null || lines.length >= num) return { lines, isMore: answer.next !== null }
        after = answer.next
    }
}
