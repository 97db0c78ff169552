import type { DashboardAction, MeAnswer } from "./answers.ts"
import { createStore, useStore } from "./store.ts"

/** Who looks, and what they may do; null until the server has said. */
export const me = createStore<MeAnswer | null>(null)

/** What the user may do to all jobs. The server refuses what it does not allow, whatever is shown. */
export function useMay(): (action: DashboardAction) => boolean {
    const user = useStore(me)
    return (action) => user?.can.includes(action) ?? false
}

/** What the user may do to jobs of one definition or another: to which ones, the server says when it is done. */
export function useMaySomewhere(): (action: DashboardAction) => boolean {
    const user = useStore(me)
    return (action) => user?.canSomewhere.includes(action) ?? false
}
