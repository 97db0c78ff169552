import type { PauseTarget } from "../index.ts"
import type { Arguments } from "./arguments.ts"
import { UsageError } from "./exit.ts"
import type { OptionSpec } from "./option-spec.ts"

/** The options that say what to pause or to resume. */
export const TARGET_OPTIONS: readonly OptionSpec[] = [
    { name: "definition", value: "NAME", help: "jobs of this definition" },
    {
        name: "key",
        value: "KEY",
        help: "with --definition: those with this key of their group or of a limit",
    },
    { name: "channel", value: "NAME", help: "jobs of all definitions of this channel" },
    { name: "everything", help: "all jobs of the queue" },
]

/** What to pause or to resume. */
export function targetOf(args: Arguments): PauseTarget {
    const [definition, channel, key] = [args.text("definition"), args.text("channel"), args.text("key")]
    const numGiven = [definition, channel, args.has("everything") || undefined].filter(
        (one) => one !== undefined,
    ).length
    if (numGiven !== 1) throw new UsageError("expected one of --definition, --channel and --everything")
    if (definition !== undefined) return key === undefined ? { definition } : { definition, key }
    if (key !== undefined) throw new UsageError("--key goes with --definition")
    return channel === undefined ? { everything: true } : { channel }
}
