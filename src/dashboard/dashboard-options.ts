import { type Config, InvalidOptionError } from "../index.ts"
import type { DashboardAction } from "./api.ts"

/** What an action is about. Empty where it is about all jobs: about those of all definitions, and whatever is not there yet. */
export interface ActionSubject {
    /** The job; not given where it is about none, or about more than one. */
    jobID?: number
    /** The name of the definition; not given where it is about none, or about more than one. */
    definition?: string
}

/** Who looks, and what they may do. */
export interface Access {
    /** Who it is, as the audit log has it: a text of 1 to 255 characters. */
    user: string
    /**
     * Whether they may do something. Asked for each action, and for each job and definition that is shown, so it should not
     * ask far away; of a list that is once for each row of it, and of definitions for each action. What is not `true`, or resolves to something else, means
     * that they may not. Default: they may do everything.
     */
    can?: (action: DashboardAction, about: ActionSubject) => boolean | Promise<boolean>
}

/** What of a job is shown. */
export interface RedactSubject {
    /** The job's id; null for a payload of no job, such as that of a schedule. */
    jobID: number | null
    /** The name of its definition; null when that is gone. */
    definition: string | null
    /**
     * What of it. An error is `{ name, message, stack }` of one attempt; in lists, which know no more than its message, the
     * others are null. What is returned for it may be the same, or a text in the place of all.
     */
    field: "payload" | "result" | "error" | "progress" | "log"
}

/** The options of a dashboard. `Context` is what requests come with beside themselves: see `authorize`. */
export interface DashboardOptions<Context = unknown> {
    /** The queue to show. No definition need be registered. */
    config: Config
    /**
     * Says who asks, for each request, those for the pages' own files included, and once a minute for each page that is open.
     * Null refuses it with 401; a `Response` is what it is answered with, such as a redirect to where one logs in. `context` is
     * what the request came with: the first argument of `Dashboard#node`, where frameworks put what they know of the
     * user, or the second one of `Dashboard#fetch`. Its body is not in `request`. What it throws is answered with 500,
     * and given to `onError`.
     */
    authorize: (
        request: Request,
        context: Context,
    ) => Access | Response | null | Promise<Access | Response | null>
    /** Whether nothing may be changed, whoever asks. Default `false`. */
    isReadOnly?: boolean
    /**
     * What to show in the place of a payload, a result, an error, what a job said of its progress, or a line of its log.
     * Called for each of them before it leaves the process; takes a copy, and returns anything that JSON can carry. Where it is given,
     * jobs cannot be looked for by their payloads or by the text of their errors: it would tell by and by what was
     * hidden. Default: they are shown as they are.
     */
    redact?: (value: unknown, about: RedactSubject) => unknown
    /** What the pages call themselves: a text of 1 to 100 characters. Default `cuckmq`. */
    title?: string
    /**
     * Origins that requests which change something may come from, such as `https://admin.example.com`, besides that which
     * the request itself names: for browsers that say no more than `Origin`, behind a proxy that changes `Host`. Default none.
     */
    trustedOrigins?: readonly string[]
    /** Hears of what went wrong in here or in `authorize`, `can` and `redact`, since answers do not tell. Default none. */
    onError?: (error: unknown) => void
}

/** The defaults of `DashboardOptions`. */
export const DASHBOARD_DEFAULTS = Object.freeze({ isReadOnly: false, title: "cuckmq" })

/** Options, once they were checked. */
export interface CheckedOptions<Context> {
    config: Config
    authorize: DashboardOptions<Context>["authorize"]
    isReadOnly: boolean
    redact: DashboardOptions["redact"]
    title: string
    trustedOrigins: ReadonlySet<string>
    onError: (error: unknown) => void
}

const NAMES = ["config", "authorize", "isReadOnly", "redact", "title", "trustedOrigins", "onError"]
const MAX_TITLE_LENGTH = 100

/**
 * Checks the options of a dashboard, all but `config`, which an inspector does.
 *
 * @throws InvalidOptionError for what is unknown, missing or out of its range.
 */
export function checkedOptions<Context>(options: DashboardOptions<Context>): CheckedOptions<Context> {
    knownNames("createDashboard", options, NAMES)
    const { config, authorize, redact, onError = () => undefined } = options
    const { isReadOnly = DASHBOARD_DEFAULTS.isReadOnly, title = DASHBOARD_DEFAULTS.title } = options
    if (typeof authorize !== "function")
        refuse("authorize", "a function that says who asks, and null for who may not see the dashboard")
    if (redact !== undefined && typeof redact !== "function") refuse("redact", "a function")
    if (typeof onError !== "function") refuse("onError", "a function")
    if (typeof isReadOnly !== "boolean") refuse("isReadOnly", "true or false")
    if (typeof title !== "string" || title.trim() === "" || title.length > MAX_TITLE_LENGTH)
        refuse("title", `a text of 1 to ${MAX_TITLE_LENGTH} characters that is not blank`)
    const trustedOrigins = new Set(originsOf(options.trustedOrigins ?? []))
    return Object.freeze({ config, authorize, isReadOnly, redact, title, trustedOrigins, onError })
}

/** Refuses options that are no object, or that have an unknown name. */
export function knownNames(owner: string, options: unknown, known: readonly string[]): void {
    if (typeof options !== "object" || options === null || Array.isArray(options))
        refuse(owner, "called with one options object")
    for (const name of Object.keys(options)) {
        if (known.includes(name)) continue
        throw new InvalidOptionError({
            option: name,
            message: `${owner} has no option \`${name}\`; it has: ${known.join(", ")}`,
        })
    }
}

/** Throws what says that an option is not what it should be. */
export function refuse(option: string, expected: string): never {
    throw new InvalidOptionError({ option, message: `expected \`${option}\` to be ${expected}` })
}

function originsOf(value: unknown): string[] {
    const expected = "a list of origins, such as `https://admin.example.com`, without a path"
    if (!Array.isArray(value)) refuse("trustedOrigins", expected)
    return value.map((origin: unknown) => {
        const url = typeof origin === "string" && URL.canParse(origin) ? new URL(origin) : undefined
        if (url === undefined || !/^https?:$/.test(url.protocol) || `${url.origin}/` !== url.href)
            refuse("trustedOrigins", expected)
        return url.origin
    })
}
