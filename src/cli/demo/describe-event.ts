import type { Event } from "../../index.ts"
import { type Cell, paint } from "../look.ts"

/** An event in a few words; undefined for those that would only scroll by. */
export function describeEvent(event: Event): Cell[] | undefined {
    switch (event.eventType) {
        case "worker-job-finalize-success": {
            const attempt = event.attempt > 1 ? ` at attempt ${event.attempt}` : ""
            return [paint("green", "✔"), ...about(event), ` succeeded${attempt}`]
        }
        case "worker-job-error": {
            const next =
                event.retryDelayMs === null
                    ? "no attempt left"
                    : `again in ${Math.round(event.retryDelayMs)} ms`
            const what = ` attempt ${event.attempt}: ${messageOf(event.error)} `
            return [paint("yellow", "↻"), ...about(event), what, paint("dim", `(${next})`)]
        }
        case "worker-job-finalize-failure": {
            const kept = paint("dim", "(kept in history with its errors)")
            return [paint("red", "✖"), ...about(event), " failed for good ", kept]
        }
        case "worker-job-return":
            return [paint("yellow", "←"), ...about(event), " handed back to the queue"]
        case "daemon-error":
            return [paint("red", "!"), ` ${event.activity}: ${messageOf(event.error)}`]
        default:
            return undefined
    }
}

function about({ jobName, jobID }: { jobName: string; jobID: number }): Cell[] {
    return [` ${jobName} `, paint("dim", `#${jobID}`)]
}

function messageOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    // Node's message about a missing file ends with its whole path.
    return message.split(", open")[0] ?? message
}
