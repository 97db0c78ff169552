import type { JobAnswer, JobView } from "../answers.ts"
import { number } from "../format.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import type { PageParams } from "../page-params.ts"
import { Card, Facts } from "../parts/facts.tsx"
import { Json } from "../parts/json.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Badge, StateBadge } from "../parts/state.tsx"
import { DefinitionLink, None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"
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
    return (
        <>
            <Title actions={loaded.value !== undefined && <JobActions {...loaded.value} />}>
                Job <span class="number">{name}</span>{" "}
                {loaded.value !== undefined && <StateBadge state={loaded.value.job.state} />}
            </Title>
            <Ready of={loaded}>
                {(answer) => (
                    <>
                        <p class="explanation">
                            <Outside text={answer.explanation.sentence} />
                        </p>
                        <Details job={answer.job} />
                    </>
                )}
            </Ready>
        </>
    )
}

function Details({ job }: { job: JobView }) {
    const hidden = <p class="muted">You may not see payloads.</p>
    const { isPayloadHidden } = job
    return (
        <div class="cards">
            <div class="column">
                <FactsCard job={job} />
                <Card title="Payload">
                    {isPayloadHidden ? hidden : <Json value={job.payload} label="payload" />}
                </Card>
            </div>
            <div class="column">
                <Card title="Timeline">
                    <Timeline job={job} />
                </Card>
                {job.outcome === "succeeded" && (
                    <Card title="Result">
                        {isPayloadHidden ? hidden : <Json value={job.result} label="result" />}
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
                <Card title="Logs" isWide aside={<span class="muted">{number(job.numLogs)} lines</span>}>
                    {isPayloadHidden ? hidden : <Logs jobID={job.jobID} numLogs={job.numLogs} />}
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

/** What a job said of its progress: a part of 1 or of 100 as a bar, and whatever it said as it is. */
function Progress({ progress }: { progress: unknown }) {
    if (typeof progress !== "number") return <Json value={progress} label="progress" />
    const max = progress <= 1 ? 1 : 100
    return (
        <p class="share">
            <progress value={Math.min(progress, max)} max={max} aria-label="Progress" />
            <span class="number">{progress}</span>
        </p>
    )
}
