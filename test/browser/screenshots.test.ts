import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser } from "../support/browser.ts"
import { type BusyQueue, makeBusyQueue } from "../support/busy-queue.ts"
import { writePastThroughput } from "../support/past-throughput.ts"
import { serveForTest } from "../support/served-dashboard.ts"

useBrowser()

/** Where pictures go: `CUCKMQ_SCREENSHOTS=docs/dashboard` makes those of the documentation anew. */
const FOLDER = process.env.CUCKMQ_SCREENSHOTS

const PAGES: [name: string, hash: (busy: BusyQueue) => string, shown: string][] = [
    ["overview", () => "#/", "Waiting for longest"],
    ["jobs", () => "#/jobs", "upload-archive"],
    ["job-failed", ({ failedID }) => `#/jobs/${failedID}`, "insufficient funds"],
    ["job-running", ({ runningID }) => `#/jobs/${runningID}`, "the store answered 503"],
    ["job-blocked", ({ blockedID }) => `#/jobs/${blockedID}`, "Waits for 2 jobs"],
    ["dead-letters", () => "#/dead-letters", "declined"],
    ["definitions", () => "#/definitions", "charge-card"],
    ["definition", () => "#/definitions/resize-image", "Workers that run it"],
    ["schedules", () => "#/schedules", "weekly-digest"],
    ["limits", () => "#/limits", "the CRM is being moved"],
    ["workers", () => "#/workers", "media-1"],
    ["operations", () => "#/operations", "pause"],
    ["operation", () => "#/operations/3", "sync-customer"],
    ["doctor", () => "#/doctor", "checked"],
]

describe.skipIf(FOLDER === undefined)("pictures", () => {
    test.each(["light", "dark"] as const)("of every page in the %s theme", async (colorScheme) => {
        const folder = join(process.cwd(), FOLDER ?? "")
        mkdirSync(folder, { recursive: true })
        const busy = await makeBusyQueue({ schemaName: "cuckmq" })
        await writePastThroughput(busy.queue, "resize-image")
        await act(busy)
        const { url } = await serveForTest(busy.queue.config, { title: "Acme jobs" })
        const { page } = await openPage(url, { colorScheme, timezoneId: "Europe/Berlin" })
        // For the charts of what the page has seen itself.
        await page.waitForTimeout(9_000)
        for (const [name, hash, shown] of PAGES) {
            // Lists look the same below; what is left out keeps the repository small.
            await page.setViewportSize({ width: 1_280, height: /^(overview|job-)/.test(name) ? 800 : 640 })
            await page.evaluate(`location.hash = ${JSON.stringify(hash(busy))}`)
            await page.locator("main").getByText(shown).first().waitFor()
            await page.waitForTimeout(1_000)
            if (name === "jobs") await page.getByLabel("Select this row").nth(1).click()
            await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) })
        }
        await page.setViewportSize({ width: 360, height: 740 })
        for (const [name, hash] of PAGES.filter(([one]) => isNarrowTaken(one, colorScheme))) {
            await page.evaluate(`location.hash = ${JSON.stringify(hash(busy))}`)
            await page.waitForTimeout(1_000)
            await page.screenshot({ path: join(folder, `narrow-${name}-${colorScheme}.png`) })
        }
    })
})

/** The documentation shows few narrow screens; all are taken for who wants to look at them in a folder elsewhere. */
function isNarrowTaken(name: string, colorScheme: string): boolean {
    const isShown = ["overview", "jobs"].includes(name) && colorScheme === "light"
    return isShown || FOLDER !== "docs/dashboard"
}

/** What somebody has done, for the audit log. */
async function act({ queue, delayedID }: BusyQueue): Promise<void> {
    const inspector = new Inspector({ config: queue.config })
    await inspector.change({ action: "set-priority", priority: -5 }, [delayedID], { by: "grace" })
    await inspector.pause({ channel: "reports" }, { by: "ada" })
    await inspector.changeAll({ action: "cancel" }, { definition: "sync-customer" }, { by: "ada" })
}
