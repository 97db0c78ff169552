import type { ChangesAnswer, JobAction, JobChange, JobFilter, JobState, Json } from "./answers.ts"
import { counted } from "./format.ts"
import { post } from "./http.ts"
import { reloadAll } from "./load.ts"

/** What can be done to jobs, and how it is put. */
interface ActionWords {
    /** What the button says. */
    button: string
    /** What was done to a job. */
    done: string
    /** Which jobs it can be done to. */
    fits: readonly JobState[]
    /** What it does, for who is about to do it. */
    explanation: string
    isDanger?: boolean
}

const NOT_FINALIZED: readonly JobState[] = ["ready", "delayed", "blocked", "running"]

export const JOB_ACTIONS: Record<JobAction, ActionWords> = {
    replay: {
        button: "Replay",
        done: "replayed",
        fits: ["failed"],
        explanation: "A job that failed for good begins again, with all its attempts.",
    },
    "run-now": {
        button: "Run now",
        done: "made due",
        fits: ["delayed"],
        explanation: "A job that is delayed, or waits for its next attempt, becomes due now.",
    },
    cancel: {
        button: "Cancel",
        done: "cancelled",
        fits: NOT_FINALIZED,
        explanation: "A job that waits never runs; one that runs is told to end. What depends on it fails.",
        isDanger: true,
    },
    "set-priority": {
        button: "Priority",
        done: "given the priority",
        fits: NOT_FINALIZED,
        explanation: "Jobs with the smaller number are taken first.",
    },
    "set-due-time": {
        button: "Due time",
        done: "given the due time",
        fits: ["ready", "delayed"],
        explanation: "The jobs wait until then.",
    },
    delete: {
        button: "Delete",
        done: "deleted",
        fits: ["succeeded", "failed"],
        explanation:
            "A finalized job is removed from history with its payload, result and errors. It cannot be had back.",
        isDanger: true,
    },
}

export const JOB_ACTION_NAMES = Object.keys(JOB_ACTIONS) as JobAction[]

/** Which jobs to change: some of them, or all that fit. */
export type ChangeTarget = { jobIDs: readonly number[] } | { filter: Json<JobFilter> }

const MAX_IDS = 1_000

const RESULT_WORDS = {
    done: "done",
    running: "being told to end",
    "wrong-state": "left alone, for their state does not admit of it",
    "not-found": "not found",
    forbidden: "not allowed",
} as const

/** Changes jobs, and returns what became of each. */
export async function changeJobs(
    change: Json<JobChange>,
    jobIDs: readonly number[],
): Promise<ChangesAnswer["results"]> {
    const results: ChangesAnswer["results"] = []
    for (let at = 0; at < jobIDs.length; at += MAX_IDS) {
        const answer = await post<ChangesAnswer>("changes", {
            change,
            jobIDs: jobIDs.slice(at, at + MAX_IDS),
        })
        results.push(...answer.results)
    }
    reloadAll()
    return results
}

/** How many jobs were changed, and what became of the others. */
export function resultsInWords(action: JobAction, results: ChangesAnswer["results"]): string {
    const kinds = Object.keys(RESULT_WORDS) as (keyof typeof RESULT_WORDS)[]
    const parts = kinds.flatMap((kind) => {
        const num = results.filter(({ result }) => result === kind).length
        const words = kind === "done" ? JOB_ACTIONS[action].done : RESULT_WORDS[kind]
        return num === 0 ? [] : [`${counted(num, "job")} ${words}`]
    })
    return `${parts.join("; ")}.`
}
