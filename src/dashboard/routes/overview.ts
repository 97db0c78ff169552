import { type DefinitionInfo, VERSION } from "../../index.ts"
import type { DashboardAction } from "../api.ts"
import { liveAnswer } from "../live.ts"
import { ACTIONS, type Permit } from "../permit.ts"
import { given } from "../query.ts"
import type { Parts, Route } from "../route.ts"
import { snapshotView, withVisibleNames } from "../snapshot-view.ts"

/** Who looks, and what there is as a whole. */
export const overviewRoutes: readonly Route[] = [
    {
        method: "GET",
        path: "me",
        answer: async ({ parts, permit }) => {
            const { title, isReadOnly, redaction, config } = parts
            const can = await permit.all()
            return {
                user: permit.user,
                isReadOnly,
                title,
                version: VERSION,
                schema: config.schema,
                can,
                canSomewhere: await canSomewhere(parts, permit, can),
                canSearchPayloads: !redaction.isOn && (await permit.may("view-payload")),
                canSearchErrors: !redaction.isOn,
            }
        },
    },
    {
        method: "GET",
        path: "live",
        isStream: true,
        answer: async (call) => liveAnswer(call, call.signal),
    },
    {
        method: "GET",
        path: "snapshot",
        answer: async ({ parts, permit }) => {
            const { snapshots, redaction } = parts
            const snapshot = await snapshots.latest()
            return snapshotView({ snapshot, permit, redaction, numListeners: snapshots.numListeners })
        },
    },
    {
        method: "GET",
        path: "throughput",
        query: ["from", "until", "stepMs", "definition", "channel"],
        answer: async ({ parts, permit, query }) => {
            const { definition, channel } = {
                definition: query.text("definition"),
                channel: query.text("channel"),
            }
            if (definition !== undefined) await permit.demand("view", { definition })
            const points = await parts.inspector.throughput({
                from: query.required("from", query.instant("from")),
                until: query.required("until", query.instant("until")),
                stepMs: query.required("stepMs", query.number("stepMs")),
                ...given({ definition, channel }),
            })
            return { points }
        },
    },
    {
        method: "GET",
        path: "definitions",
        answer: async ({ parts, permit }) => {
            const all = await parts.inspector.definitions()
            const definitions = await permit.visible(all, ({ name }) => ({ definition: name }))
            const viewOf = async (definition: DefinitionInfo) => ({
                ...definition,
                can: await permit.all({ definition: definition.name }),
            })
            return { definitions: await Promise.all(definitions.map(viewOf)) }
        },
    },
    {
        method: "GET",
        path: "workers",
        answer: async ({ parts, permit }) => ({
            workers: await withVisibleNames(await parts.inspector.workers(), permit),
            orchestrators: await withVisibleNames(await parts.inspector.orchestrators(), permit),
        }),
    },
]

/**
 * What somebody may do to all jobs, or to those of a definition of the snapshot. Where the database cannot be asked nothing can
 * be done, and the page is to say so rather than not to open.
 */
async function canSomewhere(
    { snapshots }: Parts,
    permit: Permit,
    can: readonly DashboardAction[],
): Promise<DashboardAction[]> {
    if (permit.isUnrestricted) return [...can]
    const snapshot = await snapshots.latest().catch(() => undefined)
    const definitions = snapshot?.counts.definitions ?? []
    const lists = await Promise.all(definitions.map(({ definition }) => permit.all({ definition })))
    const found = new Set([...can, ...lists.flat()])
    return ACTIONS.filter((action) => found.has(action))
}
