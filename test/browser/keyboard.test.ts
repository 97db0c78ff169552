import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser } from "../support/browser.ts"
import { makeBusyQueue } from "../support/busy-queue.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

useBrowser()

test("everything is reached and done by the keyboard", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {}, { name: "greet" })
    const jobID = await job.defer({ payload: {}, delayMs: 3_600_000 })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(url)
    const focused = () =>
        page.evaluate("document.activeElement.id || document.activeElement.textContent") as Promise<string>
    await page.getByText("Live", { exact: true }).waitFor()
    await page.getByRole("heading", { name: "Overview" }).waitFor()
    await page.keyboard.press("Tab")
    expect(await focused()).toContain("To the content")
    await page.keyboard.press("Enter")
    expect(await focused()).toBe("main")
    await page.keyboard.press("g")
    await page.keyboard.press("j")
    await page.getByRole("heading", { name: "Jobs" }).waitFor()
    expect(await focused()).toBe("Jobs")
    await page.keyboard.press("/")
    await page.keyboard.type("greet")
    await page.keyboard.press("Enter")
    await page.waitForURL(/definition=greet/)
    await page.getByRole("link", { name: String(jobID), exact: true }).focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: `Job ${jobID}` }).waitFor()
    await page.getByRole("button", { name: "Run now…" }).focus()
    await page.keyboard.press("Enter")
    await page.getByRole("dialog").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "hidden" })
    await eventually(async () => (await focused()) === "Run now…")
    await page.keyboard.press("?")
    await page.getByRole("dialog").getByText("Dead letters").waitFor()
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.getByRole("dialog").getByLabel("Payload, as JSON").waitFor()
})

/** Whatever can be used by a pointer: what of it the key of Tab does not come to. */
async function notReachedByTab(page: Page): Promise<string[]> {
    const num = (await page.evaluate(`(() => {
        const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
            .filter((one) => one.checkVisibility() && !one.disabled)
        globalThis.unreached = new Set(controls)
        addEventListener("focusin", ({ target }) => unreached.delete(target))
        document.activeElement.blur()
        return controls.length
    })()`)) as number
    // Boxes that scroll are come to as well.
    for (let pressed = 0; pressed < num + 20; pressed++) await page.keyboard.press("Tab")
    return (await page.evaluate("[...unreached].map((one) => one.outerHTML.slice(0, 200))")) as string[]
}

test("Tab comes to every control of every page", async () => {
    const busy = await makeBusyQueue()
    await new Inspector({ config: busy.queue.config }).pause({ channel: "reports" }, { by: "ada" })
    const { url } = await serveForTest(busy.queue.config)
    const { page } = await openPage(url)
    const jobs = [busy.failedID, busy.blockedID, busy.runningID].map((jobID) => `#/jobs/${jobID}`)
    const others = ["#/jobs?state=failed", "#/dead-letters", "#/definitions", "#/schedules", "#/limits"]
    for (const hash of ["#/", ...jobs, ...others, "#/operations", "#/operations/1"]) {
        await page.goto(`${url}${hash}`)
        await page.locator("main h1").waitFor()
        await page.locator(".loading").first().waitFor({ state: "hidden" })
        await page.locator("main a, main button").first().waitFor()
        expect([hash, await notReachedByTab(page)]).toEqual([hash, []])
    }
})

test("theme and clock are chosen, and stay chosen", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => {})
    const jobID = await job.defer({ payload: {} })
    const { url } = await serveForTest(queue.config)
    const { page } = await openPage(`${url}#/jobs/${jobID}`, { timezoneId: "Asia/Tokyo" })
    await page.getByLabel("Theme").selectOption("dark")
    await page.getByLabel("Times").selectOption("utc")
    await page.reload()
    expect(await page.getByLabel("Theme").inputValue()).toBe("dark")
    expect(await page.evaluate("getComputedStyle(document.body).colorScheme")).toBe("dark")
    const title = () => page.locator(".timeline time").first().getAttribute("title")
    expect(await title()).toMatch(/UTC$/)
    await page.getByLabel("Times").selectOption("local")
    expect(await title()).toMatch(/\+09:00$/)
})

test("nothing is wider than a narrow screen, and the navigation opens there", async () => {
    const busy = await makeBusyQueue()
    const { url } = await serveForTest(busy.queue.config)
    const { page } = await openPage(url, { viewport: { width: 360, height: 740 } })
    const hashes = ["#/", "#/jobs", `#/jobs/${busy.failedID}`, `#/jobs/${busy.blockedID}`, "#/dead-letters"]
    for (const hash of [...hashes, "#/definitions", "#/definitions/charge-card", "#/schedules", "#/limits"]) {
        await page.goto(`${url}${hash}`)
        await page.locator("main h1").waitFor()
        await page.locator(".loading").first().waitFor({ state: "hidden" })
        expect(await page.evaluate("document.documentElement.scrollWidth"), hash).toBeLessThanOrEqual(360)
    }
    await page.getByRole("button", { name: "Navigation" }).click()
    await page.getByRole("navigation", { name: "Pages" }).getByText("Workers").click()
    await page.getByRole("heading", { name: "Workers and orchestrators" }).waitFor()
    expect(await page.getByRole("navigation", { name: "Pages" }).isVisible()).toBe(false)
})
