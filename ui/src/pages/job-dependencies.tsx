import type { GraphAnswer, JobView } from "../answers.ts"
import { counted, number } from "../format.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Graph } from "../parts/graph.tsx"
import { Ready } from "../parts/loaded.tsx"
import { StateBadge } from "../parts/state.tsx"
import { DefinitionLink, JobLink } from "../parts/text.tsx"

/** The jobs that a job waits for, and those that wait for it: drawn, and as lists. */
export function Dependencies({ job }: { job: JobView }) {
    const { jobID, required, numRequired, dependents } = job
    const graph = useLoad({
        key: JSON.stringify([jobID, required, dependents]),
        ask: (signal) => get<GraphAnswer>(`jobs/${jobID}/graph`, {}, signal),
    })
    return (
        <>
            <Ready of={graph}>
                {(answer) => (
                    <>
                        <Graph graph={answer} jobID={jobID} />
                        {!answer.isWhole && (
                            <p class="muted">There are more than these {number(answer.nodes.length)} jobs.</p>
                        )}
                    </>
                )}
            </Ready>
            <div class="row">
                <References title={`Waits for ${counted(numRequired, "job")}`} jobs={required} />
                <References title={`${counted(dependents.length, "job")} waiting for it`} jobs={dependents} />
            </div>
        </>
    )
}

function References({ title, jobs }: { title: string; jobs: JobView["required"] }) {
    return (
        <section aria-label={title}>
            <h3>{title}</h3>
            <ul class="list">
                {jobs.map(({ jobID, definition, state }) => (
                    <li key={jobID}>
                        <JobLink jobID={jobID} /> <DefinitionLink name={definition} />{" "}
                        <StateBadge state={state} />
                    </li>
                ))}
            </ul>
        </section>
    )
}
