import { given } from "../arguments.ts"
import { BY_OPTION, byOf } from "../by.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { targetText } from "../format.ts"
import { TARGET_OPTIONS, targetOf } from "../pause-target.ts"

/** Pauses a part of the queue, or all of it. */
export const pause: Command = {
    name: "pause",
    summary: "have no worker take jobs of a definition, a key, a channel, or any",
    options: [
        ...TARGET_OPTIONS,
        { name: "reason", value: "TEXT", help: "why, for those who ask what is paused" },
        BY_OPTION,
        { name: "yes", help: "do not ask before --everything" },
    ],
    details: ["What runs goes on to its end. cuckmq status shows what is paused."],
    run: async (context) => {
        const { args, out, queue, isConfirmed } = context
        const target = targetOf(args)
        if ("everything" in target && !(await isConfirmed("This pauses all jobs of the queue.")))
            return EXIT.problem
        const { inspector } = await queue()
        await inspector.pause(target, { ...given({ reason: args.text("reason") }), ...byOf(context) })
        out.show({ target }, (look) => [look.line("paused: ", targetText(target))])
        return EXIT.ok
    },
}
