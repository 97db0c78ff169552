import { BY_OPTION, byOf } from "../by.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { targetText } from "../format.ts"
import { TARGET_OPTIONS, targetOf } from "../pause-target.ts"

/** Ends a pause. */
export const resume: Command = {
    name: "resume",
    summary: "end a pause",
    options: [...TARGET_OPTIONS, BY_OPTION],
    details: [
        "Each target is a pause of its own: --everything does not end that of a channel. Ends with 1 when",
        "the target was not paused.",
    ],
    run: async (context) => {
        const { args, out, queue } = context
        const target = targetOf(args)
        const { inspector } = await queue()
        const wasPaused = await inspector.resume(target, byOf(context))
        out.show({ target, wasPaused }, (look) => [
            look.line(wasPaused ? "resumed: " : "not paused: ", targetText(target)),
        ])
        return wasPaused ? EXIT.ok : EXIT.problem
    },
}
