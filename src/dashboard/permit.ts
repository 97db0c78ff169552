import type { DashboardAction } from "./api.ts"
import type { Access, ActionSubject, CheckedOptions } from "./dashboard-options.ts"
import { forbidden, Refusal } from "./refusal.ts"

/** All actions there are, in the order in which they are told. */
export const ACTIONS = [
    "view",
    "view-payload",
    "replay",
    "cancel",
    "run-now",
    "set-priority",
    "set-due-time",
    "delete",
    "pause",
    "resume",
    "schedule",
    "defer",
    "cancel-operation",
    "bulk",
] as const satisfies readonly DashboardAction[]

const VIEWING: readonly DashboardAction[] = ["view", "view-payload"]
const MAX_USER_LENGTH = 255

/** What one who asks may do. */
export class Permit {
    readonly user: string
    readonly #can: Access["can"]
    readonly #isReadOnly: boolean

    constructor({ access, isReadOnly }: { access: Access; isReadOnly: boolean }) {
        const { user, can } = access
        if (typeof user !== "string" || user.trim() === "" || user.length > MAX_USER_LENGTH)
            throw new TypeError(
                "`authorize` returned an access whose `user` is no text of 1 to 255 characters",
            )
        if (can !== undefined && typeof can !== "function")
            throw new TypeError("`authorize` returned an access whose `can` is no function")
        this.user = user
        this.#can = can === undefined ? undefined : (action, about) => can.call(access, action, about)
        this.#isReadOnly = isReadOnly
    }

    /** Whether they may do everything, or view everything where nothing may be changed, without being asked about. */
    get isUnrestricted(): boolean {
        return this.#can === undefined
    }

    /** Whether they may do something. */
    async may(action: DashboardAction, about: ActionSubject = {}): Promise<boolean> {
        if (this.#isReadOnly && !VIEWING.includes(action)) return false
        return this.#can === undefined || (await this.#can(action, about)) === true
    }

    /** @throws Refusal with 403 for what they may not do. */
    async demand(action: DashboardAction, about: ActionSubject = {}): Promise<void> {
        if (!(await this.may(action, about)))
            throw forbidden(`you may not do this: ${action}${subjectText(about)}`)
    }

    /** All that they may do. */
    async all(about: ActionSubject = {}): Promise<DashboardAction[]> {
        return this.filter(ACTIONS, (action) => this.may(action, about))
    }

    /** Those of a list that they may see. */
    async visible<Item>(items: readonly Item[], aboutOf: (item: Item) => ActionSubject): Promise<Item[]> {
        return this.isUnrestricted
            ? [...items]
            : this.filter(items, (item) => this.may("view", aboutOf(item)))
    }

    /** Those of a list of which something is true, all of which is asked at the same time. */
    async filter<Item>(items: readonly Item[], holds: (item: Item) => Promise<boolean>): Promise<Item[]> {
        const answers = await Promise.all(items.map(holds))
        return items.filter((_, index) => answers[index])
    }
}

/**
 * Asks who sends a request.
 *
 * @returns what to answer it with, where `authorize` says so.
 * @throws Refusal with 401 for nobody.
 */
export async function permitOf<Context>(params: {
    options: Pick<CheckedOptions<Context>, "authorize" | "isReadOnly">
    request: Request
    context: Context
}): Promise<Permit | Response> {
    const { options, request, context } = params
    const access = await options.authorize(request, context)
    if (access instanceof Response) return access
    if (!access)
        throw new Refusal({
            status: 401,
            code: "DASHBOARD_UNAUTHORIZED",
            message: "you have to sign in first",
        })
    return new Permit({ access, isReadOnly: options.isReadOnly })
}

function subjectText({ jobID, definition }: ActionSubject): string {
    if (jobID !== undefined) return `, to job ${jobID}`
    return definition === undefined ? "" : `, to jobs of ${JSON.stringify(definition)}`
}
