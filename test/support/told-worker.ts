import { fileURLToPath } from "node:url"
import type { Event } from "../../src/index.ts"
import { type Program, startProgram } from "./program.ts"
import { type Queue, queueURL } from "./with-schema.ts"

const PROGRAM = fileURLToPath(new URL("programs/told-worker.ts", import.meta.url))

/** A worker in another process that does what is written to it; see the program for what that may be. */
export interface ToldWorker extends Program {
    /** The events that it has told of. */
    events(): Event[]
}

/** Starts a process with a worker for the definition `job` of a queue. */
export function startToldWorker(queue: Queue, options: { lockIntervalMs: number }): ToldWorker {
    const program = startProgram(process.execPath, [
        "--import",
        "tsx",
        PROGRAM,
        queueURL(),
        queue.schemaName,
        String(options.lockIntervalMs),
    ])
    const events = () =>
        program
            .output()
            .split("\n")
            .filter((line) => line.startsWith('{"eventType"'))
            // The last line may be there in part.
            .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Event] : []))
    return { ...program, events }
}
