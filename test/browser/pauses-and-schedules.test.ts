import { expect, test } from "vitest"
import { openPage, useBrowser } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

useBrowser()

test("a definition is paused with a reason, and resumed", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {}, { name: "resize" })
    await job.defer({ payload: {} })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/definitions`)
    await page.getByRole("button", { name: "Pause the definition resize" }).click()
    await page.getByLabel("Reason, for those who ask").fill("the disk is full")
    await page.getByRole("dialog").getByRole("button", { name: "Pause the definition resize" }).click()
    await page.getByText("paused", { exact: true }).waitFor()
    expect(await queue.config.pauses()).toMatchObject([
        { target: { definition: "resize" }, reason: "the disk is full" },
    ])
    await page.goto(`${url}#/limits`)
    await page.getByText("the disk is full").waitFor()
    await page.getByRole("button", { name: "Resume the definition resize" }).click()
    await page.getByText("Nothing is paused.").waitFor()
})

test("a key, a channel and everything are paused from the page of limits", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {}, {
        name: "charge",
        concurrencyLimit: { max: 1, key: ({ customer }) => String(customer) },
    })
    await job.defer({ payload: { customer: "ada" } })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/limits`)
    const dialog = page.getByRole("dialog")
    const pause = async (what: string, fields: Record<string, string>) => {
        await page.getByRole("button", { name: "Pause…" }).click()
        await dialog.getByLabel("What").selectOption(what)
        for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label).fill(text)
        await dialog.getByRole("button", { name: "Pause", exact: true }).click()
        await dialog.waitFor({ state: "hidden" })
    }
    await pause("definition", { "Its name": "charge", Key: "ada" })
    await pause("channel", { "Its name": "reports" })
    await pause("everything", {})
    await page.getByText("the key ada of the definition charge").first().waitFor()
    expect((await queue.config.pauses()).map(({ target }) => target)).toEqual(
        expect.arrayContaining([
            { definition: "charge", key: "ada" },
            { channel: "reports" },
            { everything: true },
        ]),
    )
})

test("a schedule is run, paused, resumed and removed, and a rule is previewed", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {}, { name: "report" })
    const cron = { expression: "0 6 * * *", timeZone: "UTC" }
    await queue.config.schedules.upsert({ name: "nightly/../x", definition: job, payload: {}, cron })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/schedules`)
    await page.getByRole("button", { name: "Run now" }).click()
    await page.getByText(/^Added job \d+\.$/).waitFor()
    expect(await queue.jobs()).toHaveLength(1)
    await page.getByRole("button", { name: "Pause", exact: true }).click()
    await page.getByText("paused", { exact: true }).waitFor()
    await page.getByRole("button", { name: "Resume", exact: true }).click()
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor()
    await page.getByLabel("Expression").fill("0 12 1 1 *")
    await page.getByLabel("Time zone").fill("UTC")
    await page.getByRole("button", { name: "Preview" }).click()
    await eventually(
        async () => (await page.getByLabel("The next times").getByRole("listitem").count()) === 10,
    )
    await page.getByRole("button", { name: "Remove…" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click()
    await page.getByText("There is no schedule.").waitFor()
})

test("a rule that says nothing is told as wrong", async () => {
    const queue = await makeQueue()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/schedules`, { mayFail: /400/ })
    await page.getByLabel("Expression").fill("every day")
    await page.getByRole("button", { name: "Preview" }).click()
    await page
        .getByRole("alert")
        .getByText(/expression/)
        .waitFor()
})
