import type { Event } from "cuckmq"
import { dim, green, red, yellow } from "./paint.ts"

/** An event in a few words; undefined for those that would only scroll by. */
export function describeEvent(event: Event): string | undefined {
    switch (event.eventType) {
        case "worker-job-finalize-success":
            return `${green("✔")} ${about(event)} succeeded${event.attempt > 1 ? ` at attempt ${event.attempt}` : ""}`
        case "worker-job-error": {
            const next =
                event.retryDelayMs === null
                    ? "no attempt left"
                    : `again in ${Math.round(event.retryDelayMs)} ms`
            return `${yellow("↻")} ${about(event)} attempt ${event.attempt}: ${messageOf(event.error)} ${dim(`(${next})`)}`
        }
        case "worker-job-finalize-failure":
            return `${red("✖")} ${about(event)} failed for good ${dim("(kept in history with its errors)")}`
        case "worker-job-return":
            return `${yellow("←")} ${about(event)} handed back to the queue`
        case "daemon-error":
            return `${red("!")} ${event.activity}: ${messageOf(event.error)}`
        default:
            return undefined
    }
}

function about({ jobName, jobID }: { jobName: string; jobID: number }): string {
    return `${jobName} ${dim(`#${jobID}`)}`
}

function messageOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    // Node's message about a missing file ends with its whole path.
    return message.split(", open")[0] ?? message
}
