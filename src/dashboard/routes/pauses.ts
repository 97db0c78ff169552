import type { Pause, PauseTarget } from "../../index.ts"
import { fieldsOf } from "../body.ts"
import type { ActionSubject } from "../dashboard-options.ts"
import { given } from "../query.ts"
import type { Route } from "../route.ts"

/** What is paused. */
export const pauseRoutes: readonly Route[] = [
    {
        method: "GET",
        path: "pauses",
        answer: async ({ parts, permit }) => {
            const all = await parts.inspector.pauses()
            const pauses = await permit.visible(all, ({ target }) => subjectOf(target))
            const viewOf = async (pause: Pause) => ({
                ...pause,
                isResumable: await permit.may("resume", subjectOf(pause.target)),
            })
            return { pauses: await Promise.all(pauses.map(viewOf)) }
        },
    },
    {
        method: "POST",
        path: "pauses",
        answer: async ({ parts, permit, body }) => {
            const { target, reason } = fieldsOf("the body", body, ["target", "reason"])
            const checked = targetIn(target)
            await permit.demand("pause", subjectOf(checked))
            // What a reason has to be is for the inspector to check.
            await parts.inspector.pause(checked, {
                ...given({ reason: reason as string | undefined }),
                by: permit.user,
            })
            return {}
        },
    },
    {
        method: "POST",
        path: "pauses/remove",
        answer: async ({ parts, permit, body }) => {
            const { target } = fieldsOf("the body", body, ["target"])
            const checked = targetIn(target)
            await permit.demand("resume", subjectOf(checked))
            return { wasPaused: await parts.inspector.resume(checked, { by: permit.user }) }
        },
    },
]

/** Its values are for the inspector to check, as all that has been given is kept. */
function targetIn(value: unknown): PauseTarget {
    return fieldsOf("`target`", value, [
        "definition",
        "channel",
        "everything",
        "key",
    ]) as unknown as PauseTarget
}

function subjectOf(target: PauseTarget): ActionSubject {
    return "definition" in target ? { definition: target.definition } : {}
}
