import { fieldsOf } from "../body.ts"
import { given } from "../query.ts"
import { badRequest, notFound } from "../refusal.ts"
import type { Call, Route } from "../route.ts"

const NUM_TIMES = 5
const MAX_PREVIEWED = 100

/** Schedules. */
export const scheduleRoutes: readonly Route[] = [
    { method: "GET", path: "schedules", answer: listSchedules },
    {
        method: "GET",
        path: "schedules/preview",
        query: ["cron", "timeZone", "intervalMs", "count"],
        answer: async ({ parts, query }) => {
            const expression = query.text("cron")
            const timeZone = query.text("timeZone")
            const count = query.number("count") ?? NUM_TIMES
            if (count > MAX_PREVIEWED)
                throw badRequest(`expected \`count\` to be a number up to ${MAX_PREVIEWED}`)
            const cron = expression === undefined ? undefined : { expression, ...given({ timeZone }) }
            const rule = given({ cron, intervalMs: query.number("intervalMs") })
            return { times: parts.config.schedules.preview({ ...rule, count }) }
        },
    },
    {
        method: "POST",
        path: "schedules/pause",
        answer: async (call) => {
            const { name, by } = await scheduleIn(call)
            await call.parts.inspector.pauseSchedule(name, by)
            return {}
        },
    },
    {
        method: "POST",
        path: "schedules/resume",
        answer: async (call) => {
            const { name, by } = await scheduleIn(call)
            await call.parts.inspector.resumeSchedule(name, by)
            return {}
        },
    },
    {
        method: "POST",
        path: "schedules/remove",
        answer: async (call) => {
            const { name, by } = await scheduleIn(call)
            if (!(await call.parts.inspector.removeSchedule(name, by))) throw noSchedule(name)
            return {}
        },
    },
    {
        method: "POST",
        path: "schedules/run",
        answer: async (call) => {
            const { name, by } = await scheduleIn(call)
            return { jobID: await call.parts.inspector.runSchedule(name, by) }
        },
    },
]

async function listSchedules({ parts, permit }: Call): Promise<unknown> {
    const { inspector, redaction } = parts
    const schedules = await permit.visible(await inspector.schedules(), ({ definition }) => ({ definition }))
    return {
        schedules: await Promise.all(
            schedules.map(async (schedule) => {
                const { name, definition } = schedule
                const mayView = await permit.may("view-payload", { definition })
                const about = { jobID: null, definition, field: "payload" } as const
                return {
                    ...schedule,
                    payload: mayView ? redaction.value(schedule.payload, about) : null,
                    isPayloadHidden: !mayView,
                    isChangeable: await permit.may("schedule", { definition }),
                    nextTimes: await inspector.nextTimes(name, NUM_TIMES),
                }
            }),
        ),
    }
}

/** The schedule that a body names, which those who ask may change, and who they are. */
async function scheduleIn({ parts, permit, body }: Call): Promise<{ name: string; by: { by: string } }> {
    const { name } = fieldsOf("the body", body, ["name"])
    if (typeof name !== "string") throw badRequest("expected `name` to be a text")
    // Whoever may change all schedules need not be asked about the one.
    if (permit.isUnrestricted) await permit.demand("schedule")
    else {
        const { definition } = (await parts.config.schedules.get(name)) ?? {}
        await permit.demand("schedule", given({ definition }))
    }
    return { name, by: { by: permit.user } }
}

function noSchedule(name: string) {
    return notFound(`there is no schedule named ${JSON.stringify(name)}`)
}
