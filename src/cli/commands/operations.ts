import { given } from "../arguments.ts"
import { BY_OPTION, byOf } from "../by.ts"
import type { Command, Context } from "../command.ts"
import { EXIT, UsageError } from "../exit.ts"
import { instant, orDash } from "../format.ts"
import {
    aboutText,
    followOperation,
    operationFields,
    operationState,
    progressText,
} from "../operation-view.ts"

const COLUMNS = [
    { title: "ID", isNumber: true },
    { title: "AT" },
    { title: "BY" },
    { title: "KIND" },
    { title: "STATE" },
    { title: "JOBS" },
    { title: "ABOUT" },
]

/** What was done to the queue. */
export const operations: Command = {
    name: "operations",
    summary: "show what was done to the queue, and by whom; follow or cancel what is being done",
    operands: "[ID]",
    numOperands: { min: 0, max: 1 },
    options: [
        { name: "running", help: "those that have not ended" },
        { name: "limit", value: "N", help: "how many at the most, 1 to 1000; default 50" },
        { name: "after", value: "PLACE", help: "go on where a page ended, at what it said" },
        { name: "watch", help: "with an id: wait for its end, and say how far it is" },
        { name: "cancel", help: "with an id: end it; what it has done stays done" },
        BY_OPTION,
        { name: "yes", help: "do not ask before --cancel" },
    ],
    details: [
        "The newest first; they are kept for 90 days. Ends with 1 when there is none of the id, when one that",
        "is to be cancelled has ended, and when one that was watched was cancelled or failed.",
    ],
    run: (context) => (context.args.operands.length === 0 ? list(context) : one(context)),
}

async function list({ args, out, queue }: Context): Promise<number> {
    for (const name of ["watch", "cancel"])
        if (args.has(name)) throw new UsageError(`--${name} needs the id of an operation`)
    const options = given({
        limit: args.number("limit"),
        after: args.text("after"),
        isRunning: args.has("running") || undefined,
    })
    const { inspector } = await queue()
    const page = await inspector.operations(options)
    out.show(page, (look) => [
        ...look.table(
            COLUMNS,
            page.operations.map((operation) => [
                operation.operationID,
                instant(operation.at),
                orDash(operation.by),
                operation.kind,
                operationState(operation),
                progressText(operation),
                aboutText(operation),
            ]),
        ),
        ...(page.next === null ? [] : [look.line("more: --after ", page.next)]),
    ])
    return EXIT.ok
}

async function one(context: Context): Promise<number> {
    const { args, out, queue, isConfirmed } = context
    const [id = 0] = args.ids()
    const { inspector } = await queue()
    const found = await inspector.operation(id)
    if (found === null) {
        out.show(null, () => [])
        out.note(`there is no operation ${id}`)
        return EXIT.problem
    }
    if (args.has("cancel")) {
        if (!(await isConfirmed(`This ends operation ${id}; what it has done stays done.`)))
            return EXIT.problem
        const isCancelled = await inspector.cancelOperation(id, byOf(context))
        out.show({ operationID: id, isCancelled }, (look) => [
            look.line("operation ", id, isCancelled ? " was cancelled" : " had ended already"),
        ])
        return isCancelled ? EXIT.ok : EXIT.problem
    }
    if (args.has("watch")) return followOperation(context, found)
    out.show(found, (look) => look.fields(operationFields(found)))
    return EXIT.ok
}
