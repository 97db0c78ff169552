import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { openPage, useBrowser } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

useBrowser()

/** Has the page believe that nobody, or somebody, sees it. A browser without a screen never says so by itself. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
    await page.evaluate(
        `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`,
    )
}

async function numListeners(url: string): Promise<number> {
    const answer = await fetch(`${url}api/snapshot`)
    return ((await answer.json()) as { numListeners: number }).numListeners
}

test("numbers change by themselves", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {})
    await job.defer({ payload: {}, delayMs: 3_600_000 })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(url)
    await page.locator(".tile.delayed b").getByText("1", { exact: true }).waitFor()
    await job.defer({ payload: {}, delayMs: 3_600_000 })
    await page.locator(".tile.delayed b").getByText("2", { exact: true }).waitFor()
})

test("a page that is hidden closes its stream and asks for nothing, and goes on when it is seen", async () => {
    const queue = await makeQueue()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(url)
    await page.getByText("Live", { exact: true }).waitFor()
    expect(await numListeners(url)).toBe(1)
    await setHidden(page, true)
    await page.getByText("Paused", { exact: true }).first().waitFor()
    await eventually(async () => (await numListeners(url)) === 0)
    await setHidden(page, false)
    await page.getByText("Live", { exact: true }).waitFor()
    expect(await numListeners(url)).toBe(1)
})

test("a stream that fails again and again is given up for asking, once at a time", async () => {
    const queue = await makeQueue()
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage("about:blank", { mayFail: /Failed to load|asked elsewhere/ })
    let numAsking = 0
    let mostAsking = 0
    await page.route("**/api/live", (route) => route.abort())
    await page.route("**/api/snapshot", async (route) => {
        numAsking++
        mostAsking = Math.max(mostAsking, numAsking)
        await route.continue()
        numAsking--
    })
    await page.goto(url)
    await page.getByText(/^Polling/).waitFor({ timeout: 30_000 })
    expect(mostAsking).toBe(1)
    await page.unroute("**/api/live")
    await page.getByRole("button", { name: "Reconnect" }).click()
    await page.getByText("Live", { exact: true }).waitFor()
})

test("a server that is gone is told of", async () => {
    const queue = await makeQueue()
    const served = await serveForTest(queue.config)
    const { page } = await openPage(served.url, { mayFail: /Failed to load|ERR_/ })
    await page.getByText("Live", { exact: true }).waitFor()
    await served.stop()
    await page.getByText("Not connected").first().waitFor()
})
