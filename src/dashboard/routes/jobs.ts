import type { FailureReason, JobDetails, JobState } from "../../index.ts"
import { fieldsOf } from "../body.ts"
import { demandSearch, FILTERS } from "../job-filter.ts"
import { given } from "../query.ts"
import { badRequest, notFound } from "../refusal.ts"
import type { Call, Route } from "../route.ts"

const ORDERS = ["newest", "oldest"] as const

/** How large a payload or a result may be that is shown, as text. */
const MAX_SHOWN_LENGTH = 1024 * 1024

const DEFER_FIELDS = ["definition", "payload", "delayMs", "priority", "keys"]

/** Jobs: lists of them, one of them, and new ones. */
export const jobRoutes: readonly Route[] = [
    { method: "GET", path: "jobs", query: [...FILTERS, "order", "limit", "after"], answer: listJobs },
    { method: "GET", path: "jobs/:id", answer: showJob },
    {
        method: "GET",
        path: "jobs/:id/logs",
        query: ["limit", "after"],
        answer: async (call) => {
            const { parts, permit, query, id } = call
            const { definition } = await visibleJob(call)
            await permit.demand("view-payload", {
                jobID: id,
                ...given({ definition: definition ?? undefined }),
            })
            const options = given({ limit: query.number("limit"), after: query.text("after") })
            const { logs, next, place } = await parts.inspector.logs(id, options)
            const about = { jobID: id, definition }
            return {
                logs: logs.map((log) => ({ ...log, message: parts.redaction.line(log.message, about) })),
                next,
                place,
            }
        },
    },
    {
        method: "GET",
        path: "jobs/:id/graph",
        answer: async (call) => {
            await visibleJob(call)
            const { nodes, edges, isWhole } = await call.parts.inspector.graph(call.id)
            const shown = await call.permit.visible(nodes, subjectOf)
            const ids = new Set(shown.map(({ jobID }) => jobID))
            return {
                nodes: shown,
                edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
                isWhole: isWhole && shown.length === nodes.length,
            }
        },
    },
    {
        method: "POST",
        path: "jobs",
        answer: async ({ parts, permit, body }) => {
            const { definition, payload, delayMs, priority, keys } = fieldsOf("the body", body, DEFER_FIELDS)
            if (typeof definition !== "string") throw badRequest("expected `definition` to be a text")
            await permit.demand("defer", { definition })
            const options = given({ delayMs, priority, keys }) as object
            const jobID = await parts.inspector.defer({
                definition,
                // What it has to be is for the inspector to check.
                payload: payload as object,
                ...options,
                by: permit.user,
            })
            return { jobID }
        },
    },
]

async function listJobs({ parts, permit, query }: Call): Promise<unknown> {
    const definition = query.text("definition")
    const filter = given({
        // What is none of the states, reasons and orders is for the inspector to refuse.
        state: query.text("state") as JobState | undefined,
        definition,
        channel: query.text("channel"),
        key: query.text("key"),
        createdAfter: query.instant("createdAfter"),
        createdBefore: query.instant("createdBefore"),
        errorText: query.text("errorText"),
        payload: query.object("payload"),
        reason: query.text("reason") as FailureReason | undefined,
        finalizedAfter: query.instant("finalizedAfter"),
        finalizedBefore: query.instant("finalizedBefore"),
    })
    await demandSearch(filter, { permit, redaction: parts.redaction })
    const { jobs, next } = await parts.inspector.jobs({
        ...filter,
        ...given({
            order: query.text("order") as (typeof ORDERS)[number] | undefined,
            limit: query.number("limit"),
            after: query.text("after"),
        }),
    })
    const shown = await permit.visible(jobs, subjectOf)
    return {
        jobs: shown.map((job) => ({
            ...job,
            errorMessage: parts.redaction.message(job.errorMessage, job),
        })),
        next,
    }
}

async function showJob(call: Call): Promise<unknown> {
    const { parts, permit, id } = call
    const { redaction } = parts
    const job = await visibleJob(call)
    const { definition } = job
    const mayView = await permit.may("view-payload", subjectOf(job))
    const shown = mayView ? job : { ...job, payload: null, result: null, progress: null, numLogs: 0 }
    const about = { jobID: id, definition }
    const payload = redaction.value(shown.payload, { ...about, field: "payload" })
    const result = redaction.value(shown.result, { ...about, field: "result" })
    const isTooLarge = isLarge(payload) || isLarge(result)
    return {
        job: {
            ...shown,
            payload: isLarge(payload) ? null : payload,
            result: isLarge(result) ? null : result,
            progress: redaction.value(shown.progress, { ...about, field: "progress" }),
            errors: job.errors.map((error) => redaction.error(error, about)),
            required: await permit.visible(job.required, subjectOf),
            dependents: await permit.visible(job.dependents, subjectOf),
            isPayloadHidden: !mayView,
            isTooLarge,
        },
        explanation: redaction.explanation(await parts.inspector.explain(id), definition),
        can: await permit.all(subjectOf(job)),
    }
}

/** A job that is there, and that they who ask may see. */
async function visibleJob({ parts, permit, id }: Call): Promise<JobDetails> {
    const job = await parts.inspector.job(id)
    if (job === null) throw notFound(`there is no job ${id}, or history holds it no more`)
    await permit.demand("view", subjectOf(job))
    return job
}

function subjectOf({ jobID, definition }: { jobID: number; definition: string | null }) {
    return { jobID, ...(definition === null ? {} : { definition }) }
}

function isLarge(value: unknown): boolean {
    return (JSON.stringify(value)?.length ?? 0) > MAX_SHOWN_LENGTH
}
