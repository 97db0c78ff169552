import { given } from "../arguments.ts"
import { BY_OPTION, byOf } from "../by.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"

/** Defers a job. */
export const defer: Command = {
    name: "defer",
    summary: "defer a job of a definition that the database knows",
    operands: "DEFINITION",
    numOperands: { min: 1, max: 1 },
    options: [
        { name: "payload", value: "JSON", help: "what its job function is called with; default {}" },
        {
            name: "due",
            value: "TIME",
            help: "an instant, or in how long, such as 15m, 2h or 1d; default: now",
        },
        { name: "priority", value: "N", help: "-1000 to 1000: the smaller, the sooner; as --priority=-5" },
        { name: "group-key", value: "KEY", help: "the key of its group, where the definition has groups" },
        {
            name: "concurrency-key",
            value: "KEY",
            help: "that of its concurrency limit, where that is by key",
        },
        { name: "rate-key", value: "KEY", help: "that of its rate limit, where that is by key" },
        { name: "no-unique-key", help: "defer it although jobs of the definition have unique keys" },
        BY_OPTION,
    ],
    details: [
        "Nobody checks the payload but the job function. Keys are what the code of the definition makes of it.",
    ],
    run: async (context) => {
        const { args, out, queue } = context
        const [definition = ""] = args.operands
        const keys = given({
            group: args.text("group-key"),
            concurrency: args.text("concurrency-key"),
            rate: args.text("rate-key"),
            unique: args.has("no-unique-key") ? null : undefined,
        })
        const options = given({ dueAt: args.timeToCome("due"), priority: args.number("priority") })
        const payload = args.object("payload") ?? {}
        const { inspector } = await queue()
        const jobID = await inspector.defer({ definition, payload, keys, ...options, ...byOf(context) })
        out.show({ jobID }, (look) => [look.line("job ", jobID, " was deferred")])
        return EXIT.ok
    },
}
