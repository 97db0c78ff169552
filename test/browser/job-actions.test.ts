import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser } from "../support/browser.ts"
import { aborted, define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

useBrowser()

/** The dialog that is open: its fields, and its button. */
async function confirm(page: Page, button: string, fields: Record<string, string> = {}): Promise<void> {
    const dialog = page.getByRole("dialog")
    for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label).fill(value)
    await dialog.getByRole("button", { name: button, exact: true }).click()
}

async function openJob(queue: Queue, jobID: number): Promise<Page> {
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`)
    await page.getByRole("heading", { name: `Job ${jobID}` }).waitFor()
    return page
}

test("a job that failed is replayed from its page, and its page then shows that it waits", async () => {
    const queue = await makeQueue()
    let isBroken = true
    const job = define(queue.config, () => {
        if (isBroken) throw new Error("broken")
    })
    const jobID = await job.defer({ payload: {} })
    const worker = queue.worker()
    await eventually(async () => (await queue.history()).length === 1)
    worker.stop()
    await worker.join()
    isBroken = false
    const page = await openJob(queue, jobID)
    await page.getByRole("button", { name: "Replay…" }).click()
    await confirm(page, "Replay")
    await page.getByText("1 job replayed.").waitFor()
    await page.locator("h1").getByText("ready").waitFor()
    queue.worker()
    await page.locator("h1").getByText("succeeded").waitFor()
})

test("a delayed job is given a priority and a due time, is made due, and is cancelled with a reason", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {})
    const jobID = await job.defer({ payload: {}, delayMs: 3_600_000 })
    const page = await openJob(queue, jobID)
    await page.getByRole("button", { name: "Priority…" }).click()
    await confirm(page, "Priority", { Priority: "-7" })
    await page.locator(".facts").getByText("-7").waitFor()
    await page.getByRole("button", { name: "Due time…" }).click()
    await confirm(page, "Due time", { "Due (local time)": "2099-01-02T03:04:05" })
    const inspector = new Inspector({ config: queue.config })
    await eventually(async () => (await inspector.job(jobID))?.dueAt.getUTCFullYear() === 2099)
    await page.getByRole("button", { name: "Run now…" }).click()
    await confirm(page, "Run now")
    await page.locator("h1").getByText("ready").waitFor()
    await page.getByRole("button", { name: "Cancel…" }).click()
    await confirm(page, "Cancel jobs", { "Reason, for those who ask": "not needed any more" })
    await page.locator("h1").getByText("failed").waitFor()
    await page.getByText("not needed any more").first().waitFor()
})

test("a job that runs is told to end", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, (_, { signal }) => aborted(signal))
    const jobID = await job.defer({ payload: {} })
    queue.worker()
    const page = await openJob(queue, jobID)
    await page.locator("h1").getByText("running").waitFor()
    await page.getByRole("button", { name: "Cancel…" }).click()
    await confirm(page, "Cancel jobs")
    await page.locator("h1").getByText("failed").waitFor()
})

test("a finalized job is deleted only by who says twice that they mean it", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {})
    const jobID = await job.defer({ payload: {} })
    queue.worker()
    await eventually(async () => (await queue.history()).length === 1)
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`, { mayFail: /404/ })
    await page.getByRole("button", { name: "Delete…" }).click()
    const dialog = page.getByRole("dialog")
    expect(await dialog.getByRole("button", { name: "Delete" }).isDisabled()).toBe(true)
    await dialog.getByLabel("Remove them for ever").check()
    await confirm(page, "Delete")
    await page.getByText("1 job deleted.").waitFor()
    expect(await queue.history()).toEqual([])
})

test("a job is added with its payload, delay and priority, and its page opens", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {}, { name: "greet" })
    await job.defer({ payload: {} })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(url)
    await page.getByRole("button", { name: "Add a job" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("Payload, as JSON").fill("{oops")
    await dialog.getByText(/^Not JSON/).waitFor()
    expect(await dialog.getByRole("button", { name: "Add", exact: true }).isDisabled()).toBe(true)
    await confirm(page, "Add", {
        "Payload, as JSON": '{"name": "Ada"}',
        "Delay in seconds": "60",
        Priority: "3",
    })
    await page.locator("h1").getByText("delayed").waitFor()
    await page.getByText('"Ada"').waitFor()
    expect((await queue.jobs()).at(-1)).toMatchObject({ payload: { name: "Ada" }, priority: 3 })
})
