import type { Explanation, JobDetails } from "../index.ts"
import type { Operation } from "./api.ts"
import type { DashboardOptions, RedactSubject } from "./dashboard-options.ts"

type About = Pick<RedactSubject, "jobID" | "definition">
type AttemptError = JobDetails["errors"][number]

/** Puts what may be shown in the place of what jobs carry. */
export class Redaction {
    readonly #redact: DashboardOptions["redact"]

    constructor(redact: DashboardOptions["redact"]) {
        this.#redact = redact
    }

    /** Whether anything may be hidden. */
    get isOn(): boolean {
        return this.#redact !== undefined
    }

    /** What to show of a value; null for none. */
    value(value: unknown, about: RedactSubject): unknown {
        if (this.#redact === undefined || value === null) return value
        return this.#redact(value, about) ?? null
    }

    /** What to show of a line of a log. */
    line(message: string, about: About): string {
        return textOf(this.value(message, { ...about, field: "log" }))
    }

    /** What to show of an error's message, where no more is known of it. */
    message(message: string | null, about: About): string | null {
        if (message === null) return null
        return this.#error({ name: null, message, stack: null }, about).message
    }

    /** What to show of what an attempt threw. */
    error(error: AttemptError, about: About): AttemptError {
        if (this.#redact === undefined) return error
        const { name, message, stack } = this.#error(error, about)
        return { ...error, name: name ?? "Error", message, stack }
    }

    /** What to show of an explanation, which may quote an error. */
    explanation(explanation: Explanation, definition: string | null): Explanation {
        if (this.#redact === undefined || !("error" in explanation) || explanation.error === null)
            return explanation
        const { error, sentence, jobID } = explanation
        const shown = this.#error({ ...error, stack: null }, { jobID, definition })
        const quote = ({ name, message }: { name: string | null; message: string }) =>
            `${name ?? "Error"}: ${JSON.stringify(message)}`
        return {
            ...explanation,
            error: { name: shown.name ?? "Error", message: shown.message },
            sentence: sentence.split(quote(error)).join(quote(shown)),
        }
    }

    /** What to show of an operation, whose filter may have a payload, or the text of an error. */
    operation(operation: Operation, { mayViewPayloads }: { mayViewPayloads: boolean }): Operation {
        const { filter } = operation.target
        if (typeof filter !== "object" || filter === null) return operation
        const shown: Record<string, unknown> = { ...filter }
        const definition = shown.definition === undefined ? null : textOf(shown.definition)
        const about = { jobID: null, definition }
        if (shown.payload !== undefined)
            shown.payload = mayViewPayloads ? this.value(shown.payload, { ...about, field: "payload" }) : null
        if (typeof shown.errorText === "string") shown.errorText = this.message(shown.errorText, about)
        return { ...operation, target: { ...operation.target, filter: shown } }
    }

    #error(error: { name: string | null; message: string; stack: string | null }, about: About) {
        const { name, message, stack } = error
        const shown = this.value({ name, message, stack }, { ...about, field: "error" })
        if (typeof shown !== "object" || shown === null)
            return { name: null, message: textOf(shown), stack: null }
        const { name: itsName, message: itsMessage, stack: itsStack } = shown as Record<string, unknown>
        return {
            name: typeof itsName === "string" ? itsName : null,
            message: textOf(itsMessage),
            stack: typeof itsStack === "string" ? itsStack : null,
        }
    }
}

/** The text that stands for a value. */
function textOf(value: unknown): string {
    if (typeof value === "string") return value
    return value === undefined || value === null ? "" : (JSON.stringify(value) ?? "")
}
