import type { JobAnswer, JobView } from "../answers.ts"
import { counted, decimal, number, withExactTimes } from "../format.ts"
import { get, isGone } from "../http.ts"
import { useLoad } from "../load.ts"
import type { PageParams } from "../page-params.ts"
import { Card, Facts } from "../parts/facts.tsx"
import { Json } from "../parts/json.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Badge, StateBadge } from "../parts/state.tsx"
import { DefinitionLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
import { clock } from "../preferences.ts"
import { useStore } from "../store.ts"
import { JobActions } from "./job-actions.tsx"
import { Errors, Timeline } from "./job-attempts.tsx"
import { Dependencies } from "./job-dependencies.tsx"
import { Logs } from "./job-logs.tsx"

const EVERY_MS = 3_000

/** One job. */
export function JobPage({ name }: PageParams) {
    const isID = /^\d{1,16}$/.test(name)
    const loaded = useLoad({
        key: isID ? name : null,
        ask: (signal) => get<JobAnswer>(`jobs/${name}`, {}, signal),
        everyMs: EVERY_MS,
    })
    if (!isID)
        return (
            <>
                <Title>Job</Title>
                <p>The id of a job is a whole number.</p>
            </>
        )
    const { value, error } = loaded
    const wasDeleted = isGone(error)
    return (
        <>
            <Title actions={value !== undefined && <JobActions {...value} isGone={wasDeleted} />}>
                Job <span class="number">{name}</span>{" "}
                {wasDeleted ? (
                    <Badge tone="calm" text="gone" />
                ) : (
                    value !== undefined && <StateBadge state={value.job.state} />
                )}
            </Title>
            <Ready of={loaded}>
                {({ job, explanation }) => (
                    <>
                        {wasDeleted ? (
                            <p class="note" role="status">
                                This job is gone: it was deleted, or history holds it no more. Below is what
                                it was when it was seen last.
                            </p>
                        ) : (
                            <Sentence text={explanation.sentence} />
                        )}
                        <Details job={job} isGone={wasDeleted} />
                    </>
                )}
            </Ready>
        </>
    )
}

/** What a job waits for, or what became of it. */
function Sentence({ text }: { text: string }) {
    useStore(clock)
    return (
        <p class="explanation">
            <Outside text={withExactTimes(text)} />
        </p>
    )
}

function Details({ job, isGone }: { job: JobView; isGone: boolean }) {
    return (
        <div class="cards">
            <div class="column">
                <FactsCard job={job} />
                <Card title="Payload">
                    <Carried job={job} value={job.payload} label="payload" />
                </Card>
            </div>
            <div class="column">
                <Card title="Timeline">
                    <Timeline job={job} />
                </Card>
                {job.outcome === "succeeded" && (
                    <Card title="Result">
                        <Carried job={job} value={job.result} label="result" />
                    </Card>
                )}
                {job.progress != null && (
                    <Card title="Progress">
                        <Progress progress={job.progress} />
                    </Card>
                )}
            </div>
            {job.errors.length > 0 && (
                <Card title="Errors" isWide>
                    <Errors errors={job.errors} />
                </Card>
            )}
            {job.numLogs > 0 && (
                <Card title="Logs" isWide aside={<span class="muted">{counted(job.numLogs, "line")}</span>}>
                    <Logs job={job} isFollowed={job.outcome === null && !isGone} />
                </Card>
            )}
            {(job.required.length > 0 || job.dependents.length > 0) && (
                <Card title="Dependencies" isWide>
                    <Dependencies job={job} />
                </Card>
            )}
        </div>
    )
}

/** The payload or the result of a job, or why it is not shown. */
function Carried({ job, value, label }: { job: JobView; value: unknown; label: string }) {
    if (job.isPayloadHidden)
        return <p class="muted">You may not see payloads, results, progress and logs of this job.</p>
    if (job.isTooLarge && value === null)
        return <p class="muted">It has more than 1 MiB, which is too much to show.</p>
    return <Json value={value} label={label} />
}

function FactsCard({ job }: { job: JobView }) {
    const { keys, cancelRequest } = job
    const text = (value: string | null) => (value === null ? <None /> : <Outside text={value} />)
    const allowed = job.numAttemptsAllowed
    return (
        <Card title="Facts">
            <Facts
                facts={[
                    ["definition", <DefinitionLink key="definition" name={job.definition} />],
                    ["channel", text(job.channel)],
                    ["priority", number(job.priority)],
                    [
                        "attempts",
                        allowed === null ? job.numAttemptsUsed : `${job.numAttemptsUsed} of ${allowed}`,
                    ],
                    ["worker", text(job.worker)],
                    ...(job.reason === null ? [] : [["failed because of", job.reason] as const]),
                    ...Object.entries(keys).flatMap(([name, key]) =>
                        key === null ? [] : [[`key of ${name}`, <Outside key={name} text={key} />] as const],
                    ),
                    ...(job.leaseUntil === null
                        ? []
                        : [["lease until", <Time key="lease" at={job.leaseUntil} />] as const]),
                    ...(job.expiresAt === null
                        ? []
                        : [["times out", <Time key="expires" at={job.expiresAt} />] as const]),
                ]}
            />
            {cancelRequest !== null && (
                <p>
                    <Badge tone="warn" text="being cancelled" /> <Time at={cancelRequest.requestedAt} />{" "}
                    {cancelRequest.reason !== null && <Outside text={cancelRequest.reason} />}
                </p>
            )}
        </Card>
    )
}

/** What a job said of its progress: a number of 100 as a bar, and anything else as it is. */
function Progress({ progress }: { progress: unknown }) {
    if (typeof progress !== "number") return <Json value={progress} label="progress" />
    return (
        <p class="share wide">
            <progress value={progress} max={100} aria-label="Progress" />
            <span class="number">{decimal(progress)} %</span>
        </p>
    )
}
