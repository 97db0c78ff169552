import type { JobDetails, JobLogLine, JobReference } from "../../index.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { instant, keysText, orDash, stateCell } from "../format.ts"
import { type Cell, type Look, paint } from "../look.ts"

/** How many lines of its log are shown. */
const NUM_LINES = 10

/** Everything about one job. */
export const job: Command = {
    name: "job",
    summary: "show everything about one job: payload, attempts, errors, times",
    operands: "ID",
    numOperands: { min: 1, max: 1 },
    details: ["Ends with 1 when there is no such job, or history holds it no more."],
    run: async ({ args, out, queue }) => {
        const [id = 0] = args.ids()
        const { inspector } = await queue()
        const found = await inspector.job(id)
        if (found === null) {
            out.show(null, () => [])
            out.note(`there is no job ${id}`)
            return EXIT.problem
        }
        const { logs } = await inspector.logs(id, { order: "newest", limit: NUM_LINES })
        const shown = logs.reverse()
        out.show({ ...found, logs: shown }, (look) => [
            ...detailLines(found, look),
            ...logLines(shown, found.numLogs, look),
        ])
        return EXIT.ok
    },
}

function detailLines(found: JobDetails, look: Look): string[] {
    const allowed = found.numAttemptsAllowed === null ? "" : ` of ${found.numAttemptsAllowed}`
    const fields: (readonly [string, Cell | null])[] = [
        ["job", found.jobID],
        ["definition", orDash(found.definition)],
        ["channel", orDash(found.channel)],
        ["state", stateCell(found.state)],
        ["reason", found.reason],
        ["priority", found.priority],
        ["keys", keysText(found.keys)],
        ["attempts", `${found.numAttemptsUsed}${allowed}`],
        ["created", instant(found.createdAt)],
        ["due", instant(found.dueAt)],
        ["claimed", instant(found.claimedAt)],
        ["expires", instant(found.expiresAt)],
        ["finalized", instant(found.finalizedAt)],
        ["worker", orDash(found.worker)],
        ["lease until", found.leaseUntil === null ? null : instant(found.leaseUntil)],
        [
            "cancelled",
            found.cancelRequest === null ? null : (found.cancelRequest.reason ?? "being cancelled"),
        ],
        ["progress", found.progress === null ? null : JSON.stringify(found.progress)],
        ["waits for", found.numRequired === 0 ? null : referencesText(found.required)],
        ["dependents", found.dependents.length === 0 ? null : referencesText(found.dependents)],
    ]
    return [
        ...look.fields(fields.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))),
        look.line(paint("dim", "payload:")),
        ...look.block(JSON.stringify(found.payload, null, 2), "  "),
        ...(found.result === null
            ? []
            : [
                  look.line(paint("dim", "result:")),
                  ...look.block(JSON.stringify(found.result, null, 2), "  "),
              ]),
        ...found.errors.flatMap(({ attempt, stack, name, message }) => [
            look.line(paint("red", `error of attempt ${attempt}:`)),
            ...look.block(stack ?? `${name}: ${message}`, "  "),
        ]),
    ]
}

function logLines(logs: readonly JobLogLine[], numLogs: number, look: Look): string[] {
    if (logs.length === 0) return []
    const title = logs.length < numLogs ? `log, the last ${logs.length} of ${numLogs} lines:` : "log:"
    return [look.line(paint("dim", title)), ...logs.map((one) => `  ${logLine(one, look)}`)]
}

/** A line of a job's log, as one line. */
export function logLine({ at, attempt, message }: JobLogLine, look: Look): string {
    return look.line(paint("dim", `${at.toISOString()} ${attempt}`), ` ${message}`)
}

function referencesText(references: readonly JobReference[]): string {
    return references
        .map(({ jobID, definition, state }) => `${jobID} (${definition ?? "definition gone"}, ${state})`)
        .join(", ")
}
