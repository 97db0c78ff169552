import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser, violationsInBothThemes } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { makeGate } from "../support/gate.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

useBrowser()

const titleButtons = (page: Page) => page.locator("main .title").getByRole("button")

test("what a job logs and how far it is appear by themselves while it runs, and what it returned when it is over", async () => {
    const queue = await makeQueue()
    const gates = [makeGate(), makeGate()] as const
    const job = define(queue.config, async (_, context) => {
        context.log("line 1")
        context.setProgress(1)
        await gates[0].opened
        for (let line = 2; line <= 250; line++) context.log(`line ${line}`)
        context.setProgress(62.5)
        await gates[1].opened
        context.log("the last line")
        context.setProgress({ files: 7 })
        return { rows: 12 }
    })
    const jobID = await job.defer({ payload: {} })
    queue.worker()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`)
    const line = (text: string) => page.getByText(text, { exact: true })
    await line("line 1").waitFor()
    await page.getByText("1 %").waitFor()
    expect(await page.getByRole("progressbar", { name: "Progress" }).getAttribute("value")).toBe("1")
    gates[0].open()
    await line("line 250").waitFor()
    await page.getByText("62.5 %").waitFor()
    await page.getByText("250 lines", { exact: true }).waitFor()
    expect(await line("line 50").count()).toBe(0)
    await page.getByRole("button", { name: "50 earlier lines" }).click()
    await line("line 1").waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    gates[1].open()
    await line("the last line").waitFor()
    await page.getByText('"files"').waitFor()
    await page.getByText('"rows"').waitFor()
    await page.locator("h1").getByText("succeeded").waitFor()
})

test("of a job that logs on and on the last thousand lines are shown", async () => {
    const queue = await makeQueue()
    const gate = makeGate()
    const job = define(queue.config, async (_, context) => {
        for (let line = 1; line <= 1_000; line++) context.log(`line ${line}`)
        await gate.opened
        for (let line = 1_001; line <= 1_100; line++) context.log(`line ${line}`)
    })
    const jobID = await job.defer({ payload: {} })
    queue.worker()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`)
    await page.getByText("line 1000", { exact: true }).waitFor()
    gate.open()
    await page.getByText("line 1100", { exact: true }).waitFor()
    await page.getByRole("button", { name: "800 earlier lines" }).waitFor()
})

test("a job that is deleted while its page is open is told as gone, and offers nothing any more", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, (_, context) => {
        context.log("a line")
        throw new Error(Array.from({ length: 100 }, (_, line) => `broken in line ${line}`).join("\n"))
    })
    const jobID = await job.defer({ payload: { key: "kept on the page" } })
    queue.worker()
    await eventually(async () => (await queue.history()).length === 1)
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`, { mayFail: /status of 404/ })
    await page.getByText("a line", { exact: true }).waitFor()
    await page.getByRole("button", { name: "Replay…" }).click()
    await new Inspector({ config: queue.config }).change({ action: "delete" }, [jobID])
    await page.locator("h1").getByText("gone").waitFor()
    // The dialog that was open says so when it is sent.
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click()
    await page.getByRole("dialog").getByText("1 job not found.").waitFor()
    await page.keyboard.press("Escape")
    await page.getByText("This job is gone").waitFor()
    await page.getByText("kept on the page").waitFor()
    await page.getByText("a line", { exact: true }).waitFor()
    expect(await page.getByRole("alert").count()).toBe(0)
    expect(await titleButtons(page).count()).toBe(0)
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.reload()
    await page.getByRole("alert").getByText(`there is no job ${jobID}`).waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
})
