import { setTimeout as pause } from "node:timers/promises"
import { aborted, define } from "./define.ts"
import { eventually, makeQueue, type Queue } from "./with-schema.ts"

/** A queue in which there is something of everything that a dashboard shows. */
export interface BusyQueue {
    queue: Queue
    /** A job that failed for good, with its stacks. */
    failedID: number
    /** A job that runs until it is cancelled. */
    runningID: number
    /** A job that waits for others, and that others wait for. */
    blockedID: number
    delayedID: number
    succeededID: number
}

const STACK = `
    at chargeCard (/app/src/billing/charge-card.ts:41:11)
    at async PaymentGateway.request (/app/src/billing/gateway.ts:118:9)
    at async chargeCustomer (/app/src/jobs/charge-card.ts:17:5)`

/** Makes one, and has workers and an orchestrator run. */
export async function makeBusyQueue(params: { schemaName?: string } = {}): Promise<BusyQueue> {
    const queue = await makeQueue(params)
    const { config } = queue
    const definitions = defineAll(queue)
    const { email, charge, resize, sync, fetchFeed, upload } = definitions
    await config.schedules.upsert({
        name: "weekly-digest",
        definition: email,
        payload: { to: "everyone@example.com", template: "digest" },
        cron: { expression: "30 9 * * MON", timeZone: "Europe/Berlin" },
    })
    await config.schedules.upsert({
        name: "refresh-feeds",
        definition: fetchFeed,
        payload: { source: "all" },
        intervalMs: 15 * 60_000,
        onOverlap: "skip",
    })
    await config.schedules.pause("refresh-feeds")
    const failedID = await charge.defer({ payload: { customer: "c-1042", cents: 4_990, currency: "EUR" } })
    const succeededID = await resize.defer({
        payload: { image: "beach.jpg", width: 1_280, formats: ["webp", "avif"], options: { quality: 80 } },
    })
    for (let num = 0; num < 24; num++)
        await resize.defer({ payload: { image: `photo-${num}.jpg`, width: 640 } })
    for (let num = 0; num < 3; num++)
        await charge.defer({ payload: { customer: `c-${num}`, cents: 100 * num, currency: "EUR" } })
    const runningID = await upload.defer({ payload: { file: "archive.tar", parts: 12 } })
    await upload.defer({ payload: { file: "backup.tar", parts: 4 } })
    const delayedID = await email.defer({
        payload: { to: "ada@example.com", template: "reminder" },
        delayMs: 3_600_000,
    })
    for (let num = 0; num < 12; num++)
        await sync.defer({ payload: { customer: `c-${num % 4}`, revision: num } })
    const first = await email.defer({ payload: { to: "first@example.com" }, delayMs: 7_200_000 })
    const second = await email.defer({ payload: { to: "second@example.com" }, delayMs: 7_200_000 })
    const blockedID = await fetchFeed.defer({ payload: { source: "news" }, dependencies: [first, second] })
    const middle = await resize.defer({ payload: { image: "news.png" }, dependencies: [blockedID] })
    await email.defer({ payload: { to: "editors@example.com" }, dependencies: [blockedID, middle] })
    await config.pause({ definition: "sync-customer" }, { reason: "the CRM is being moved" })
    await config.pause({ definition: "charge-card", key: "c-9" }, { reason: "disputed" })
    queue.worker({ name: "web-1", concurrency: 8 })
    queue.worker({ name: "media-1", channel: "media", concurrency: 4 })
    queue.orchestrator({ name: "clock" })
    await eventually(async () => (await queue.history()).length >= 29)
    return { queue, failedID, runningID, blockedID, delayedID, succeededID }
}

function defineAll({ config }: Queue) {
    return {
        email: define(config, () => {}, { name: "send-email", rateLimit: { max: 100, perMs: 60_000 } }),
        charge: define(
            config,
            ({ customer }) => {
                const error = new Error(`card of ${customer} was declined: insufficient funds`)
                error.name = "CardDeclinedError"
                // The same on every machine, for pictures.
                error.stack = `${error.name}: ${error.message}${STACK}`
                throw error
            },
            {
                name: "charge-card",
                numAttempts: 1,
                concurrencyLimit: { max: 2, key: ({ customer }) => String(customer) },
            },
        ),
        resize: define(
            config,
            async ({ image }, context) => {
                context.log(`read ${image}`)
                context.setProgress(0.5)
                await pause(5)
                return { image, bytes: 48_211 }
            },
            { name: "resize-image", channel: "media" },
        ),
        sync: define(config, () => {}, {
            name: "sync-customer",
            group: { key: ({ customer }) => String(customer), ordered: true },
        }),
        fetchFeed: define(config, () => {}, {
            name: "fetch-feed",
            concurrencyLimit: { max: 5 },
            repeatCron: { expression: "0 4 * * *", timeZone: "UTC" },
        }),
        upload: define(
            config,
            ({ file, parts }, context) => {
                context.log(`opened ${file}: 1.4 GB, in ${parts} parts`)
                for (let part = 1; part <= 5; part++) context.log(`part ${part} of ${parts}: uploaded`)
                context.log("part 6: the store answered 503, tries again in 2 s")
                context.setProgress(42)
                return aborted(context.signal)
            },
            { name: "upload-archive", channel: "media", concurrencyLimit: { max: 3 } },
        ),
    }
}
