import type { JobFilter, JobState, Json } from "./answers.ts"
import { allOf } from "./names.ts"

/** All states, in the order in which a job may pass through them. */
export const JOB_STATES = allOf<JobState>({
    ready: true,
    delayed: true,
    blocked: true,
    running: true,
    failing: true,
    succeeded: true,
    failed: true,
})

/** Those that the page of dead letters has fields for. */
type FilterOfLetters = "reason" | "finalizedAfter" | "finalizedBefore"

type FilterName = Exclude<keyof JobFilter, FilterOfLetters>

/** The filters of the page of jobs, as its address holds them: texts, and empty where there is none. */
export const FILTER_NAMES = allOf<FilterName>({
    state: true,
    definition: true,
    channel: true,
    key: true,
    createdAfter: true,
    createdBefore: true,
    errorText: true,
    payload: true,
})

export type FilterTexts = Record<FilterName, string>

/** Reads the filters of an address. */
export function filterTexts(query: URLSearchParams): FilterTexts {
    return Object.fromEntries(FILTER_NAMES.map((name) => [name, query.get(name) ?? ""])) as FilterTexts
}

/** What is wrong with what a payload is to contain; undefined when nothing is. */
export function payloadProblem(text: string): string | undefined {
    if (text.trim() === "") return undefined
    try {
        const value: unknown = JSON.parse(text)
        return typeof value === "object" && value !== null ? undefined : "A JSON object, please."
    } catch (error) {
        return `Not JSON: ${error instanceof Error ? error.message : error}`
    }
}

/** The same as an operation takes it. An address may hold anything; what is no state or no object is left out here. */
export function toJobFilter(texts: FilterTexts): Json<JobFilter> {
    const { state, payload, ...others } = texts
    const filter: Json<JobFilter> = Object.fromEntries(
        Object.entries(others).filter(([, text]) => text !== ""),
    )
    const known = JOB_STATES.find((one) => one === state)
    return {
        ...filter,
        ...(known === undefined ? {} : { state: known }),
        ...(payload === "" || payloadProblem(payload) !== undefined
            ? {}
            : { payload: JSON.parse(payload) as object }),
    }
}
