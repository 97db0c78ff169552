import { JobCancelledError, JobDefinition } from "cuckmq"
import { config, workUntil } from "./queue.ts"

const render = new JobDefinition({
    config,
    name: "render",
    group: { key: (payload: { film: string }) => payload.film },
    jobFunction: async ({ film }: { film: string }, { jobID, signal }) => {
        if (film === "short") return
        const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve))
        console.log(await config.jobs.cancel(jobID, { reason: "nobody will watch it" }))
        await aborted
        if (signal.reason instanceof JobCancelledError) console.log(`stopped: ${signal.reason.reason}`)
    },
})

/** In a thread: it blocks no event loop, and one that ignores its signal for a second is ended with its thread. */
const hash = new JobDefinition<{ password: string; salt: string }, string>({
    config,
    name: "hash-password",
    runIn: "thread",
    module: new URL("./hash-password.js", import.meta.url),
    attemptTimeoutMs: 30_000,
    forceAfterMs: 1_000,
})

export async function showStops(): Promise<void> {
    render.register()
    hash.register()
    await config.pause({ definition: "render", key: "short" }, { reason: "the disk is full" })
    const short = await render.defer({ payload: { film: "short" } })
    await render.defer({ payload: { film: "long" } })
    await workUntil(1)
    for (const { target, reason } of await config.pauses()) console.log(target, reason)
    await config.resume({ definition: "render", key: "short" })
    await workUntil(1)
    console.log(await config.jobs.cancel(short))

    await hash.defer({ payload: { password: "correct horse", salt: "a" } })
    await workUntil(1)
    console.log("hashed")
}
