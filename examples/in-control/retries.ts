import { JobDefinition, Unretryable } from "cuckmq"
import { config, pool, workUntil } from "./queue.ts"

let isDown = true
let numLooks = 0

/** Attempts, how long one may take, and how long those that succeeded or failed are kept. */
const charge = new JobDefinition({
    config,
    name: "charge",
    numAttempts: 5,
    retryDelayMs: ({ attempt }) => 10 * attempt,
    attemptTimeoutMs: 10_000,
    timeoutIntervalMs: 60_000,
    keepSucceededMs: 0,
    keepFailedMs: 30 * 24 * 60 * 60 * 1_000,
    jobFunction: async (payload: { card: string }, context) => {
        if (payload.card === "new" && ++numLooks < 3) return context.snooze(10)
        if (payload.card === "stolen") throw new Unretryable("the card is blocked")
        if (payload.card === "foreign" && isDown) throw new Error("no answer")
        console.log(`charged the ${payload.card} card in attempt ${context.attempt}`)
    },
})

export async function showRetries(): Promise<void> {
    charge.register()
    await charge.defer({ payload: { card: "new" } })
    await workUntil(1)
    await charge.defer({ payload: { card: "stolen" } })
    // Limits of its own.
    await charge.defer({ payload: { card: "foreign" }, numAttempts: 1, attemptTimeoutMs: 1_000 })
    await workUntil(2)

    const { deadLetters } = await config.jobs.deadLetters({ definition: "charge" })
    for (const { payload, errors } of deadLetters.sort((a, b) => a.jobID - b.jobID))
        console.log(`${JSON.stringify(payload)}: ${errors.map(({ message }) => message).join(", ")}`)

    isDown = false
    const filter = { definition: "charge", errorText: "no answer" }
    console.log(`replayed ${await config.jobs.replayMany({ ...filter, ratePerSecond: 100 })}`)
    await workUntil(1)
    const { rows } = await pool.query(
        "select count(*) as num from _cuckmq.job_history join _cuckmq.job_definition on job_definition.id = definition_id where name = 'charge'",
    )
    console.log(`kept: ${rows[0].num}`)
}
