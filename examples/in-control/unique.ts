import { JobDefinition } from "cuckmq"
import { config, workUntil } from "./queue.ts"

type Page = { page: string; version: number }

/** One live job for each page; the options of a single job stand before those of the definition. */
const index = new JobDefinition({
    config,
    name: "index",
    unique: { key: (payload) => payload.page, while: "queued", onConflict: "replace" },
    jobFunction: async ({ page, version }: Page) => {
        console.log(`${page} as of version ${version}`)
    },
})

export async function showUniqueness(): Promise<void> {
    index.register()
    const page = "home"
    const outcomes = [
        await index.deferDetailed({ payload: { page, version: 1 } }),
        await index.deferDetailed({ payload: { page, version: 2 } }),
        // A debounce: due anew, but not for ever.
        await index.deferDetailed({
            payload: { page, version: 3 },
            delayMs: 50,
            unique: { onConflict: "postpone", maxWaitMs: 5_000 },
        }),
        await index.deferDetailed({ payload: { page, version: 4 }, unique: { onConflict: "keep" } }),
        // A throttle: one in a minute, whatever becomes of it.
        await index.deferDetailed({
            payload: { page: "news", version: 1 },
            unique: { while: { forMs: 60_000 } },
        }),
    ]
    await workUntil(2)
    console.log(outcomes.map(({ outcome }) => outcome).join(", "))
}
