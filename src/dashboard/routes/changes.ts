import { JOB_ACTIONS, type JobAction } from "../../index.ts"
import type { ChangesAnswer } from "../api.ts"
import { fieldsOf } from "../body.ts"
import { changeIn, demandSearch, filterIn, subjectOfFilter } from "../job-filter.ts"
import { given } from "../query.ts"
import { badRequest } from "../refusal.ts"
import type { Call, Route } from "../route.ts"

/** For how long to count jobs, while somebody waits for the answer. */
const COUNT_MS = 40

/** What is done to jobs. */
export const changeRoutes: readonly Route[] = [
    {
        method: "POST",
        path: "changes",
        answer: async (call): Promise<ChangesAnswer> => {
            const fields = fieldsOf("the body", call.body, ["change", "jobIDs"])
            const change = changeIn(fields.change)
            const jobIDs = idsIn(fields.jobIDs)
            const allowed = await allowedIDs(call, actionOf(change.action), jobIDs)
            const { inspector } = call.parts
            const by = { by: call.permit.user }
            const done = allowed.size === 0 ? [] : await inspector.change(change, [...allowed], by)
            const results = new Map(done.map((one) => [one.jobID, one.result]))
            return {
                results: jobIDs.map((jobID) => ({ jobID, result: results.get(jobID) ?? "forbidden" })),
            }
        },
    },
    {
        method: "POST",
        path: "changes/preview",
        answer: async (call) => {
            const { change, filter } = await bulkIn(call)
            return call.parts.inspector.preview(change, filter, { countMs: COUNT_MS })
        },
    },
    {
        method: "POST",
        path: "operations",
        answer: async (call) => {
            const { limit, ...body } = fieldsOf("the body", call.body, ["change", "filter", "limit"])
            const { change, filter } = await bulkIn({ ...call, body })
            const { inspector, redaction } = call.parts
            const options = { by: call.permit.user, countMs: COUNT_MS, ...given({ limit: numberIn(limit) }) }
            const operation = await inspector.changeAll(change, filter, options)
            return redaction.operation(operation, { mayViewPayloads: true })
        },
    },
]

/** A change of all jobs that fit, which those who ask may make. */
async function bulkIn({ body, permit, parts }: Call) {
    const fields = fieldsOf("the body", body, ["change", "filter"])
    const change = changeIn(fields.change)
    const filter = filterIn(fields.filter)
    await permit.demand("bulk", subjectOfFilter(filter))
    await permit.demand(actionOf(change.action), subjectOfFilter(filter))
    await demandSearch(filter, { permit, redaction: parts.redaction })
    return { change, filter }
}

/** Those of some jobs that may be changed so. Jobs that are not there are among them: it makes no difference. */
async function allowedIDs(call: Call, action: JobAction, jobIDs: readonly number[]): Promise<Set<number>> {
    const { permit, parts } = call
    if (permit.isUnrestricted) {
        await permit.demand(action)
        return new Set(jobIDs)
    }
    const known = await parts.inspector.references(jobIDs)
    const definitionOf = new Map(known.map(({ jobID, definition }) => [jobID, definition]))
    return new Set(
        await permit.filter([...new Set(jobIDs)], (jobID) => {
            const definition = definitionOf.get(jobID)
            return permit.may(action, { jobID, ...(typeof definition === "string" ? { definition } : {}) })
        }),
    )
}

function idsIn(value: unknown): number[] {
    if (!Array.isArray(value) || value.length === 0 || value.length > 1_000)
        throw badRequest("expected `jobIDs` to be a list of 1 to 1,000 ids")
    const ids = value.filter((id): id is number => Number.isSafeInteger(id) && id > 0)
    if (ids.length < value.length) throw badRequest("expected `jobIDs` to be ids of jobs")
    return ids
}

function numberIn(limit: unknown): number | undefined {
    if (limit === undefined || typeof limit === "number") return limit
    throw badRequest("expected `limit` to be a number")
}

function actionOf(value: unknown): JobAction {
    const found = JOB_ACTIONS.find((action) => action === value)
    if (found === undefined) throw badRequest(`expected \`action\` to be one of ${JOB_ACTIONS.join(", ")}`)
    return found
}
