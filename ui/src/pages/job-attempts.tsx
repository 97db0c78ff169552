import type { JobView } from "../answers.ts"
import { duration } from "../format.ts"
import { CopyButton } from "../parts/json.tsx"
import { ScrollBox } from "../parts/scroll-box.tsx"
import { Outside, Time } from "../parts/text.tsx"

/** Something that happened to a job, or will. */
interface Moment {
    at: string
    text: string
    tone: "calm" | "bad" | "good" | "active"
    detail?: string | null
}

/** What happened to a job, the earliest first, and what lies between. */
export function Timeline({ job }: { job: JobView }) {
    const moments = momentsOf(job)
    return (
        <ol class="timeline">
            {moments.map(({ at, text, tone, detail }, index) => {
                const before = moments[index - 1]
                const passedMs = before === undefined ? 0 : Date.parse(at) - Date.parse(before.at)
                return (
                    <li key={`${at} ${text}`} class={tone}>
                        <span>
                            {text} {passedMs > 0 && <span class="muted number">+{duration(passedMs)}</span>}
                        </span>
                        <span class="muted">
                            <Time at={at} />
                            {detail != null && (
                                <>
                                    {" · "}
                                    <Outside text={detail} />
                                </>
                            )}
                        </span>
                    </li>
                )
            })}
        </ol>
    )
}

function momentsOf(job: JobView): Moment[] {
    const { createdAt, firstDueAt, dueAt, claimedAt, finalizedAt, errors, state } = job
    const moments: Moment[] = [
        { at: createdAt, text: "deferred", tone: "calm" },
        ...(firstDueAt === createdAt ? [] : [{ at: firstDueAt, text: "due first", tone: "calm" } as const]),
        ...errors.map(
            ({ at, attempt, worker }): Moment => ({
                at,
                text: `attempt ${attempt} failed`,
                tone: "bad",
                detail: worker,
            }),
        ),
    ]
    if (claimedAt !== null)
        moments.push({ at: claimedAt, text: "taken from the queue", tone: "active", detail: job.worker })
    if (dueAt !== firstDueAt && (state === "ready" || state === "delayed"))
        moments.push({ at: dueAt, text: "due again", tone: "calm" })
    if (finalizedAt !== null)
        moments.push({
            at: finalizedAt,
            text: job.outcome ?? "finalized",
            tone: job.outcome === "succeeded" ? "good" : "bad",
            detail: job.reason,
        })
    return moments.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
}

/** What attempts threw, the last one first. */
export function Errors({ errors }: { errors: JobView["errors"] }) {
    return (
        <ul class="errors">
            {[...errors].reverse().map(({ attempt, at, name, message, stack, worker }, index) => (
                <li key={`${attempt} ${at}`}>
                    <header>
                        <b>
                            Attempt {attempt}: <Outside text={name} />
                        </b>
                        <span class="muted">
                            <Time at={at} /> {worker !== null && <Outside text={worker} isCut />}
                        </span>
                    </header>
                    <ScrollBox class="message" label={`Message of attempt ${attempt}`}>
                        <Outside text={message} />
                    </ScrollBox>
                    {stack !== null && (
                        <details open={index === 0}>
                            <summary>Stack</summary>
                            <CopyButton label={`Copy the stack of attempt ${attempt}`} text={() => stack} />
                            <ScrollBox class="stack" label={`Stack of attempt ${attempt}`}>
                                <pre>
                                    <Outside text={stack} />
                                </pre>
                            </ScrollBox>
                        </details>
                    )}
                </li>
            ))}
        </ul>
    )
}
