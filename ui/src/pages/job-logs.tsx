import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { JobView, LogsAnswer } from "../answers.ts"
import { counted, exact } from "../format.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Button } from "../parts/button.tsx"
import { Ready } from "../parts/loaded.tsx"
import { ScrollBox } from "../parts/scroll-box.tsx"
import { Outside } from "../parts/text.tsx"
import { clock } from "../preferences.ts"
import { useStore } from "../store.ts"

const EVERY_MS = 3_000
/** So many lines are shown at first, and with each step more. */
const STEP = 200
const PAGE = 200
/** How many lines a job keeps. */
const MAX_LINES = 1_000
/** So near to the end is at the end. */
const AT_END_PX = 8

/** What is known of a log, and where it was read to. */
interface Log {
    lines: LogsAnswer["logs"]
    place: string | undefined
}

/** What a job has logged last, the oldest line first. What comes is read on from where the log was read to. */
export function Logs({ job, isFollowed }: { job: JobView; isFollowed: boolean }) {
    const { jobID, numLogs, outcome } = job
    const [numShown, setNumShown] = useState(STEP)
    const held = useRef<Log>({ lines: [], place: undefined })
    const log = useLoad({
        key: String(jobID),
        // How many lines there are says nothing of new ones where older ones make room for them.
        everyMs: isFollowed ? EVERY_MS : undefined,
        ask: async (signal) => {
            held.current = await readOn(jobID, held.current, signal)
            return held.current.lines
        },
    })
    useEffect(() => {
        if (log.value !== undefined) log.reload()
    }, [numLogs, outcome])
    return (
        <Ready of={log}>
            {(lines) => (
                <>
                    {lines.length > numShown && (
                        <Button onClick={() => setNumShown(numShown + STEP)}>
                            {counted(lines.length - numShown, "earlier line")}
                        </Button>
                    )}
                    <Lines lines={lines.slice(-numShown)} isFollowed={isFollowed} />
                </>
            )}
        </Ready>
    )
}

/** Lines in a box that scrolls. It stays at its end while lines come, unless somebody has scrolled away from there. */
function Lines({ lines, isFollowed }: { lines: LogsAnswer["logs"]; isFollowed: boolean }) {
    const box = useRef<HTMLElement>(null)
    const isAtEnd = useRef(isFollowed)
    useStore(clock)
    useLayoutEffect(() => {
        if (isAtEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight
    }, [lines])
    return (
        <ScrollBox
            box={box}
            class="logs"
            label="What it has logged"
            onScroll={({ scrollTop, clientHeight, scrollHeight }) => {
                isAtEnd.current = scrollTop + clientHeight >= scrollHeight - AT_END_PX
            }}
        >
            <ol>
                {lines.map(({ at, attempt, message }, index) => (
                    <li key={index}>
                        <span class="muted">
                            <time dateTime={at} title={exact(Date.parse(at))}>
                                {exact(Date.parse(at)).slice(11, 23)}
                            </time>{" "}
                            #{attempt}
                        </span>
                        <Outside text={message} />
                    </li>
                ))}
            </ol>
        </ScrollBox>
    )
}

async function readOn(jobID: number, log: Log, signal: AbortSignal): Promise<Log> {
    let { lines, place } = log
    for (;;) {
        const answer = await get<LogsAnswer>(`jobs/${jobID}/logs`, { limit: PAGE, after: place }, signal)
        lines = [...lines, ...answer.logs].slice(-MAX_LINES)
        place = answer.place ?? place
        if (answer.next === null) return { lines, place }
    }
}
