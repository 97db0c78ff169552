import { VERSION } from "../../index.ts"
import { liveAnswer } from "../live.ts"
import { given } from "../query.ts"
import type { Route } from "../route.ts"
import { snapshotView, withVisibleNames } from "../snapshot-view.ts"

/** Who looks, and what there is as a whole. */
export const overviewRoutes: readonly Route[] = [
    {
        method: "GET",
        path: "me",
        answer: async ({ parts, permit }) => {
            const { title, isReadOnly, redaction, config } = parts
            return {
                user: permit.user,
                isReadOnly,
                title,
                version: VERSION,
                schema: config.schema,
                can: await permit.all(),
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
        answer: async ({ parts, permit }) => ({
            definitions: await permit.visible(await parts.inspector.definitions(), ({ name }) => ({
                definition: name,
            })),
        }),
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
