import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { HOSTILE_NAMES, HOSTILE_TEXTS } from "../support/hostile-texts.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

useBrowser()

const NUM_NAMED = 20

test("a hundred hostile texts in every field run no script, and break no page", async () => {
    expect(HOSTILE_TEXTS.length).toBeGreaterThan(100)
    const queue = await makeQueue()
    const jobIDs = await fill(queue)
    const user = HOSTILE_NAMES[2] ?? ""
    const { url } = await serveForTest(queue.config, {
        title: "<img src=x onerror=hacked()>",
        authorize: () => ({ user }),
    })
    // An address that asks for a state that there is not is refused, and told so.
    const { page } = await openPage(url, { mayFail: /status of 400/ })
    const hashes = ["#/", "#/jobs", "#/dead-letters", "#/definitions", "#/schedules", "#/limits", "#/workers"]
    const jobs = jobIDs.map((jobID) => `#/jobs/${jobID}`)
    const definitions = HOSTILE_NAMES.slice(0, NUM_NAMED).map(
        (name) => `#/definitions/${encodeURIComponent(name)}`,
    )
    const inAddress = HOSTILE_TEXTS.slice(0, 40).flatMap((text) => [
        `#/${text}`,
        `#/jobs?definition=${encodeURIComponent(text)}&state=${encodeURIComponent(text)}`,
    ])
    for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 })
        for (const hash of [...hashes, "#/operations", "#/doctor", ...jobs.slice(-12), ...definitions]) {
            await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
            await page.locator("main h1").waitFor()
            await page.locator(".loading").first().waitFor({ state: "hidden" })
            const widest = await page.evaluate("document.documentElement.scrollWidth")
            expect(widest, hash).toBeLessThanOrEqual(width)
        }
    }
    for (const hash of [...jobs, ...inAddress]) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
        await page.locator("main h1").waitFor()
    }
    // Each link leads somewhere on this page, whatever it was made of.
    const links = (await page.evaluate("[...document.links].map((link) => link.href)")) as string[]
    expect(links.filter((link) => !link.startsWith(url))).toEqual([])
}, 240_000)

/** Puts them wherever a text may come from. Returns the jobs. */
async function fill(queue: Queue): Promise<number[]> {
    const { config } = queue
    const inspector = new Inspector({ config })
    const names = HOSTILE_NAMES.slice(0, NUM_NAMED)
    const jobIDs: number[] = []
    const failing = define(
        config,
        ({ text }, context) => {
            context.log(String(text))
            context.setProgress({ [String(text)]: text })
            const error = new Error(String(text))
            error.name = String(text)
            error.stack = `${text}\n    at ${text}`
            throw error
        },
        { name: "failing", numAttempts: 0 },
    )
    for (const text of HOSTILE_TEXTS) jobIDs.push(await failing.defer({ payload: { text, [text]: [text] } }))
    for (const [index, name] of names.entries()) {
        const job = define(config, () => ({ [name]: name }), {
            name,
            channel: HOSTILE_NAMES[index + NUM_NAMED] ?? "x",
            concurrencyLimit: { max: 3, key: ({ key }) => String(key) },
        })
        jobIDs.push(await job.defer({ payload: { key: name } }))
        const text = HOSTILE_TEXTS[index] ?? ""
        const cron = { expression: "0 6 * * *", timeZone: "UTC" }
        await config.schedules.upsert({ name, definition: job, payload: { key: name, text }, cron })
        await config.pause({ definition: name, key: name }, { reason: name })
        await inspector.pause({ channel: name }, { reason: name, by: name })
    }
    const cancelled = jobIDs.at(-1) ?? 0
    await inspector.change({ action: "cancel", reason: names[5] ?? "" }, [cancelled], { by: names[6] ?? "" })
    queue.worker({ name: HOSTILE_NAMES[7] ?? "" })
    queue.orchestrator({ name: HOSTILE_NAMES[8] ?? "" })
    await eventually(async () => (await queue.history()).length >= HOSTILE_TEXTS.length)
    return jobIDs
}
