import type { JobContext } from "cuckmq"
import { Recorder } from "../recorder.ts"
import type { RunEndRecord } from "../records.ts"
import type { Plan } from "../workload.ts"

/** How the threads of a process know what they are to write down, and where: they have a copy of its environment. */
const VARIABLE = "CHAOS_THREADS"

/** Tells the threads that this process starts from now on. */
export function tellThreads(task: { recordsFile: string; process: string }): void {
    process.env[VARIABLE] = JSON.stringify(task)
}

let recorder: Recorder | undefined

/** Made at first use: the module is loaded outside of threads too. */
function recorderOfThread(): Recorder {
    if (recorder === undefined) {
        const task = JSON.parse(process.env[VARIABLE] ?? "") as Parameters<typeof tellThreads>[0]
        recorder = new Recorder(task.recordsFile, task.process)
    }
    return recorder
}

/** The handler of jobs that run in threads: never yields to its event loop, and writes down the same as the others. */
export default function runInThread(plan: Plan, context: JobContext): void {
    const { attempt, signal, token } = context
    const records = recorderOfThread()
    const about = { key: plan.key, jobID: String(context.jobID), attempt }
    records.write({ kind: "run-start", ...about, jobKind: plan.kind, token: String(token) })
    const end = (outcome: RunEndRecord["outcome"]) => records.write({ kind: "run-end", ...about, outcome })
    if (plan.kind === "thread-hang") for (;;);
    if (attempt <= (plan.failures ?? 0)) {
        end("threw")
        // Of the process, this ends no more than the thread.
        process.exit(1)
    }
    const untilMs = performance.now() + (plan.ms ?? 0)
    while (performance.now() < untilMs) {
        if (!signal.aborted) continue
        end("aborted")
        throw signal.reason
    }
    end("returned")
}
