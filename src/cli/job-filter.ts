import { JOB_STATES, type JobFilter, type JobState } from "../index.ts"
import { type Arguments, given } from "./arguments.ts"
import type { OptionSpec } from "./option-spec.ts"

/** The options that choose jobs. */
export const FILTER_OPTIONS: readonly OptionSpec[] = [
    { name: "state", value: "STATE", help: "those in this state", choices: JOB_STATES },
    { name: "definition", value: "NAME", help: "those of this definition" },
    { name: "channel", value: "NAME", help: "those of definitions of this channel" },
    { name: "key", value: "KEY", help: "those with this key of their group or of a limit" },
    { name: "error-text", value: "TEXT", help: "those whose last error has this in its message" },
    { name: "payload", value: "JSON", help: "those whose payloads contain this object" },
]

/** Those that choose them by when they were deferred. */
export const CREATED_OPTIONS: readonly OptionSpec[] = [
    { name: "created-after", value: "WHEN", help: "those deferred then or later" },
    { name: "created-before", value: "WHEN", help: "those deferred before" },
]

/** Which jobs are chosen. What a value may be is for the library to say. */
export function filterOf(args: Arguments): JobFilter {
    return given({
        state: args.text("state") as JobState | undefined,
        definition: args.text("definition"),
        channel: args.text("channel"),
        key: args.text("key"),
        errorText: args.text("error-text"),
        payload: args.object("payload"),
    })
}
