import { describe, expect, test } from "vitest"
import { openPage, useBrowser, violationsOn } from "../support/browser.ts"
import { type BusyQueue, makeBusyQueue } from "../support/busy-queue.ts"
import { serveForTest } from "../support/served-dashboard.ts"

useBrowser()

/** Every page, and what is on it once it is there. */
const PAGES: [name: string, hash: (busy: BusyQueue) => string, shown: RegExp][] = [
    ["overview", () => "#/", /Waiting for longest/],
    ["jobs", () => "#/jobs", /upload-archive/],
    ["job", ({ failedID }) => `#/jobs/${failedID}`, /insufficient funds/],
    ["blocked job", ({ blockedID }) => `#/jobs/${blockedID}`, /Waits for 2 jobs/],
    ["dead letters", () => "#/dead-letters", /declined/],
    ["definitions", () => "#/definitions", /charge-card/],
    ["definition", () => "#/definitions/charge-card", /2 at once per key/],
    ["schedules", () => "#/schedules", /weekly-digest/],
    ["limits", () => "#/limits", /the CRM is being moved/],
    ["workers", () => "#/workers", /media-1/],
    ["operations", () => "#/operations", /Operations/],
    ["doctor", () => "#/doctor", /checked/],
]

describe.each(["light", "dark"] as const)("in the %s theme", (colorScheme) => {
    test("every page shows what is there, and axe finds nothing wrong with any", async () => {
        const busy = await makeBusyQueue()
        const { url } = await serveForTest(busy.queue.config)
        const { page } = await openPage(url, { colorScheme })
        for (const [name, hash, shown] of PAGES) {
            await page.evaluate(`location.hash = ${JSON.stringify(hash(busy))}`)
            await page.locator("main").getByText(shown).first().waitFor()
            await page.locator(".loading").first().waitFor({ state: "hidden" })
            expect(await violationsOn(page), name).toEqual([])
        }
    })

    test("axe finds nothing wrong with dialogs and open tables", async () => {
        const busy = await makeBusyQueue()
        const { url } = await serveForTest(busy.queue.config)
        const { page } = await openPage(`${url}#/jobs?state=failed`, { colorScheme })
        await page.getByLabel("Select this row").first().click()
        for (const name of ["Replay…", "Delete…", "Add a job", "Keys and help"]) {
            await page.getByRole("button", { name }).click()
            await page.getByRole("dialog").waitFor()
            expect(await violationsOn(page), name).toEqual([])
            await page.keyboard.press("Escape")
            if (name.endsWith("…")) await page.getByLabel("Select this row").first().click()
        }
        await page.goto(`${url}#/`)
        await page.getByText("Table", { exact: true }).first().waitFor()
        for (const summary of await page.getByText("Table", { exact: true }).all()) await summary.click()
        await page.getByLabel("Throughput, as a table").waitFor()
        expect(await violationsOn(page), "tables").toEqual([])
    })
})
