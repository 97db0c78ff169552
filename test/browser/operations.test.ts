import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser, violationsInBothThemes } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { makeQueue } from "../support/with-schema.ts"

useBrowser()

const HOUR_MS = 3_600_000

test("the audit log says who did what, to what and when, and the page of an operation says all of it", async () => {
    const queue = await makeQueue()
    const { config } = queue
    const mail = define(config, () => {}, { name: "mail" })
    const jobID = await mail.defer({ payload: {}, delayMs: HOUR_MS })
    const inspector = new Inspector({ config })
    await inspector.pause({ definition: "mail" }, { reason: "the relay is down", by: "ada" })
    await inspector.change({ action: "set-priority", priority: -5 }, [jobID], { by: "grace" })
    await inspector.change({ action: "cancel", reason: "sent by hand" }, [jobID])
    const { url } = await serveForTest(config)
    const { page } = await openPage(`${url}#/operations`)
    await page.getByText("set-priority").waitFor()
    const rows = await page.getByRole("row").allInnerTexts()
    expect(rows.slice(1).map((row) => row.split(/\s+/).slice(0, 3).join(" "))).toEqual([
        expect.stringMatching(/^3 cancel/),
        "2 set-priority grace",
        "1 pause ada",
    ])
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.getByRole("link", { name: "1", exact: true }).click()
    await page.getByRole("heading", { name: "Operation 1" }).waitFor()
    await page.getByText("the relay is down").waitFor()
    await page.locator(".facts").getByText("ada").waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.goto(`${url}#/operations/3`)
    await page.getByText("sent by hand").waitFor()
    await page.locator("main").getByText(String(jobID), { exact: true }).first().waitFor()
})

test("an operation is followed on its page to its end, or cancelled there, which names who did", async () => {
    const queue = await makeQueue()
    const { config } = queue
    const mail = define(config, () => {}, { name: "mail" })
    await mail.deferMany(Array.from({ length: 30 }, () => ({ payload: {}, delayMs: HOUR_MS })))
    const inspector = new Inspector({ config })
    const { url } = await serveForTest(config)
    const { operationID } = await inspector.changeAll(
        { action: "run-now" },
        { definition: "mail" },
        { by: "ada" },
    )
    const { page } = await openPage(`${url}#/operations/${operationID}`)
    await page.locator("main").getByText("waiting", { exact: true }).waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.getByRole("button", { name: `Cancel operation ${operationID}` }).click()
    await page.locator("main").getByText("cancelled", { exact: true }).waitFor()
    await page.locator(".facts").getByText("alice").waitFor()
    expect(await page.getByRole("button", { name: /^Cancel operation/ }).count()).toBe(0)
    const next = await inspector.changeAll({ action: "cancel" }, { definition: "mail" }, { by: "ada" })
    await page.goto(`${url}#/operations/${next.operationID}`)
    await page.locator("main").getByText("waiting", { exact: true }).waitFor()
    queue.orchestrator()
    await page.locator("main").getByText("30 done").waitFor()
    await page.locator("main").getByText("done", { exact: true }).waitFor()
})

test("an operation that is not there is told as missing", async () => {
    const queue = await makeQueue()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/operations/17`, { mayFail: /status of 404/ })
    await page.getByRole("alert").getByText("there is no operation 17").waitFor()
    await page.goto(`${url}#/operations/x`)
    await page.getByText("The id of an operation is a whole number.").waitFor()
})
