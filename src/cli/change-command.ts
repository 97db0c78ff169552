import type { ChangeResult, JobAction, JobChange, JobFilter } from "../index.ts"
import { given } from "./arguments.ts"
import { BY_OPTION, byOf } from "./by.ts"
import type { Command, Context } from "./command.ts"
import { EXIT, UsageError } from "./exit.ts"
import { CREATED_OPTIONS, FILTER_OPTIONS, filterOf } from "./job-filter.ts"
import { followOperation, noteOrchestrators, progressText } from "./operation-view.ts"
import type { OptionSpec } from "./option-spec.ts"

/** Changed by one call. */
const MAX_IDS = 1_000

/** The options of commands that change jobs: which, and how. */
const CHOOSING_OPTIONS: readonly OptionSpec[] = [
    ...FILTER_OPTIONS,
    ...CREATED_OPTIONS,
    { name: "all", help: "all that there are" },
    { name: "limit", value: "N", help: "without ids: how many at the most, the oldest first" },
]
const DOING_OPTIONS: readonly OptionSpec[] = [
    { name: "wait", help: "without ids: wait for the end, and say how far it is" },
    BY_OPTION,
    { name: "yes", help: "do not ask" },
]

const DETAILS = [
    "Without ids, orchestrators change all jobs that fit, 500 at a time: cuckmq operations tells how far",
    "they are. WHEN is as for cuckmq jobs.",
]

/** What differs between the commands that change jobs. */
export interface ChangeCommand {
    name: string
    summary: string
    action: JobAction
    /** What it does to jobs, such as `job 3` or `12 jobs`, as a sentence. */
    sentence(what: string): string
    /** What became of a job that was changed. */
    doneWords: string
    /** What became of one that the action is not for. */
    wrongWords: string
    /** Whether it asks, too, where ids are given. */
    isDestructive: boolean
    /** Options that say what to change to. */
    options?: readonly OptionSpec[]
    details: readonly string[]
    /** Options of the filter that mean nothing for it. */
    without?: readonly string[]
    /** Options that choose jobs, and mean something for it alone; and what they choose. */
    filterOptions?: readonly OptionSpec[]
    toFilter?(args: Context["args"]): JobFilter
    toChange(context: Context): JobChange
}

/** Makes a command that changes jobs by their ids, or all that fit. */
export function changeCommand(made: ChangeCommand): Command {
    const { name, summary, details, options = [], filterOptions = [], without = [] } = made
    return {
        name,
        summary,
        operands: "[ID…]",
        numOperands: { min: 0, max: 10_000 },
        options: [
            ...options,
            ...filterOptions,
            ...CHOOSING_OPTIONS.filter((option) => !without.includes(option.name)),
            ...DOING_OPTIONS,
        ],
        details: [...details, ...DETAILS],
        run: (context) =>
            context.args.operands.length > 0 ? changeIDs(made, context) : changeFound(made, context),
    }
}

/** Changes the jobs given. */
export async function changeIDs(made: ChangeCommand, context: Context): Promise<number> {
    const { args, out, queue, isConfirmed } = context
    const ids = args.ids()
    if (Object.keys(changeFilter(made, args)).length > 0 || args.has("all") || args.has("limit"))
        throw new UsageError(`${made.name} takes ids, or options that choose jobs, and not both`)
    const change = made.toChange(context)
    const what = ids.length === 1 ? `job ${ids[0]}` : `${ids.length} jobs`
    if (made.isDestructive && !(await isConfirmed(made.sentence(what)))) return EXIT.problem
    const { inspector } = await queue()
    const results: ChangeResult[] = []
    for (let start = 0; start < ids.length; start += MAX_IDS)
        results.push(...(await inspector.change(change, ids.slice(start, start + MAX_IDS), byOf(context))))
    out.show({ results }, (look) =>
        results.map(({ jobID, result }) => look.line("job ", jobID, " ", wordsOf(made, result))),
    )
    return results.every(({ result }) => result === "done" || result === "running") ? EXIT.ok : EXIT.problem
}

function wordsOf(made: ChangeCommand, result: ChangeResult["result"]): string {
    if (result === "done") return made.doneWords
    if (result === "running") return "runs, and its worker is being told to end it"
    return result === "not-found" ? "was not found" : made.wrongWords
}

/** Has orchestrators change all jobs that fit, once it was said how many they are. */
export async function changeFound(made: ChangeCommand, context: Context): Promise<number> {
    const { args, out, queue, isConfirmed } = context
    const filter = changeFilter(made, args)
    const bounds = given({ limit: args.number("limit") })
    if (Object.keys(filter).length === 0 && !args.has("all"))
        throw new UsageError(`${made.name} needs ids, options that choose jobs, or --all`)
    const change = made.toChange(context)
    const which = Object.keys(filter).length === 0 ? "" : ` with ${JSON.stringify(filter)}`
    const withCount = async () => {
        const { limit = Number.MAX_SAFE_INTEGER } = bounds
        const count = await (await queue()).inspector.preview(change, filter)
        const num = Math.min(count.num, limit)
        const isExact = count.isExact || count.num >= limit
        const jobs = num === 1 && isExact ? "job" : "jobs"
        return made.sentence(`${isExact ? num : `at least ${num}`} ${jobs}${which}`)
    }
    if (!(await isConfirmed(made.sentence(`all jobs${which}`), withCount))) return EXIT.problem
    const { inspector } = await queue()
    const operation = await inspector.changeAll(change, filter, { ...bounds, ...byOf(context) })
    await noteOrchestrators(context)
    if (args.has("wait")) return followOperation(context, operation)
    out.show(operation, (look) => [
        look.line("operation ", operation.operationID, " ", operation.state, ": ", progressText(operation)),
    ])
    return EXIT.ok
}

/** Which jobs are chosen. */
function changeFilter(made: ChangeCommand, args: Context["args"]): JobFilter {
    return {
        ...filterOf(args),
        ...made.toFilter?.(args),
        ...given({
            createdAfter: args.instant("created-after"),
            createdBefore: args.instant("created-before"),
        }),
    }
}
