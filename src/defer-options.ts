import type { SqlClient } from "./db/client.ts"
import type { NewJob } from "./enqueuer.ts"
import { InvalidOptionError } from "./errors.ts"
import { placeOf } from "./gate.ts"
import { durationMs, instant, jobID, jobPriority, knownOptions, listOf } from "./options.ts"
import { encodePayload } from "./payload.ts"
import type { RegisteredJob } from "./registry.ts"

/** What a job is deferred with. */
export interface DeferOptions<Payload extends object> {
    /** What the job function is called with. Whatever JSON carries faithfully, at most `maxPayloadBytes`. */
    payload: Payload
    /** The ids of jobs that must all have succeeded before this one may start. Default none. */
    dependencies?: readonly number[]
    /** Milliseconds from now, by the database's clock, before the job may start. Default 0. */
    delayMs?: number
    /** The instant from which the job may start. Not together with `delayMs`. */
    runAt?: Date
    /**
     * Which jobs of a channel are taken first: those with the smaller number. A whole number from -1,000 to 1,000. Default
     * that of the definition.
     */
    priority?: number
}

/** Whose transaction to defer in. */
export interface DeferClient {
    /**
     * A client that is inside a transaction: the job exists if and when the transaction commits. Anything with
     * `query(text, values)`, such as a `pg` client or a PGlite transaction. Workers find the job when they poll next.
     */
    client?: SqlClient
}

const OPTIONS = ["payload", "dependencies", "delayMs", "runAt", "priority"]

/** Checks what a job is deferred with; `others` are options that the caller sees to. */
export function toNewJob<Payload extends object>({
    owner,
    options,
    others = [],
    definition,
    maxPayloadBytes,
}: {
    owner: string
    options: DeferOptions<Payload>
    others?: readonly string[]
    definition: RegisteredJob
    maxPayloadBytes: number
}): NewJob {
    knownOptions(owner, options, [...OPTIONS, ...others])
    const { payload, dependencies = [], delayMs, runAt, priority } = options
    if (delayMs !== undefined && runAt !== undefined) {
        throw new InvalidOptionError({
            option: "runAt",
            message: "expected `delayMs` or `runAt`, got both",
        })
    }
    const { gate, name } = definition
    return {
        definition,
        payload: encodePayload({ payload, definition: name, maxBytes: maxPayloadBytes }),
        placing: gate === null ? null : placeOf({ definition: name, gate, payload }),
        delayMs: delayMs === undefined || durationMs("delayMs", delayMs) === 0 ? null : delayMs,
        runAtMs: runAt === undefined ? null : instant("runAt", runAt).getTime(),
        priority: priority === undefined ? null : jobPriority("priority", priority),
        dependencies: listOf({
            option: "dependencies",
            expected: "an array of job ids",
            value: dependencies,
            check: jobID,
        }),
    }
}
