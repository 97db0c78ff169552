import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import type { Access } from "../../src/dashboard.ts"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser, violationsInBothThemes } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { makeQueue } from "../support/with-schema.ts"

useBrowser()

const HOUR_MS = 3_600_000

/** Somebody of the team of `billing`, who may look at everything but payloads, and do what they like with their own jobs. */
const MAY_BILL: Access = {
    user: "grace",
    can: (action, { definition }) => action === "view" || definition === "billing",
}

async function makeTeams() {
    const queue = await makeQueue()
    const { config } = queue
    const [billing, mailing] = ["billing", "mailing"].map((name) =>
        define(config, () => {}, { name, concurrencyLimit: { max: 2, key: ({ to }) => String(to) } }),
    )
    if (billing === undefined || mailing === undefined) throw new Error("there are two")
    const ownID = await billing.defer({ payload: { invoice: 1 }, delayMs: HOUR_MS })
    const otherID = await mailing.defer({ payload: { to: "ada" }, delayMs: HOUR_MS })
    for (const definition of [billing, mailing])
        await config.schedules.upsert({
            name: `nightly ${definition.name}`,
            definition,
            payload: { from: definition.name },
            intervalMs: HOUR_MS,
        })
    await config.pause({ definition: "mailing", key: "ada" })
    await config.pause({ definition: "billing", key: "ada" })
    const { url } = await serveForTest(config, { authorize: () => MAY_BILL })
    return { queue, ownID, otherID, url }
}

const actionsIn = (page: Page, row: string | RegExp) =>
    page.getByRole("row").filter({ hasText: row }).getByRole("button").allTextContents()

test("who may do something to some jobs is offered that, for these, and sees what they may not see as hidden", async () => {
    const { ownID, otherID, url } = await makeTeams()
    const { page } = await openPage(`${url}#/jobs/${otherID}`)
    await page.getByText("You may not see payloads").waitFor()
    expect(await page.locator("main .title").getByRole("button").allTextContents()).toEqual([])
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.goto(`${url}#/jobs/${ownID}`)
    await page.getByText('"invoice"').waitFor()
    expect(await page.locator("main .title").getByRole("button").allTextContents()).toEqual([
        "Run now…",
        "Cancel…",
        "Priority…",
        "Due time…",
    ])
    await page.goto(`${url}#/definitions`)
    await page.getByRole("row").filter({ hasText: "mailing" }).waitFor()
    expect(await actionsIn(page, "billing")).toEqual(["Pause"])
    expect(await actionsIn(page, "mailing")).toEqual([])
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.goto(`${url}#/definitions/mailing`)
    await page.getByText("Workers that run it").waitFor()
    expect(await page.locator("main .title").getByRole("button").count()).toBe(0)
    await page.goto(`${url}#/schedules`)
    await page.getByText("nightly mailing").waitFor()
    expect(await actionsIn(page, "nightly billing")).toEqual(["Run now", "Pause", "Remove…"])
    expect(await actionsIn(page, "nightly mailing")).toEqual([])
    await page.getByRole("row").filter({ hasText: "nightly mailing" }).getByText("hidden").waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.goto(`${url}#/limits`)
    await page.getByText("the key ada of the definition mailing").waitFor()
    expect(await actionsIn(page, "the key ada of the definition billing")).toEqual(["Resume"])
    expect(await actionsIn(page, "the key ada of the definition mailing")).toEqual([])
    await page.getByRole("button", { name: "Pause…" }).click()
    expect(await page.getByRole("dialog").getByLabel("What").locator("option").allTextContents()).toEqual([
        "A definition, or a key of it",
    ])
    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "Add a job" }).click()
    const definitions = page.getByRole("dialog").getByLabel("Definition").locator("option")
    await definitions.first().waitFor({ state: "attached" })
    expect(await definitions.allTextContents()).toEqual(["billing"])
})

test("of jobs that are selected those are changed that may be, and all that match only where all may be", async () => {
    const { queue, url } = await makeTeams()
    const { page } = await openPage(`${url}#/jobs?state=delayed`)
    await page.getByLabel("Select all rows that are shown").check()
    await page.getByText("2 jobs selected").waitFor()
    expect(await page.getByRole("button", { name: "All that match" }).count()).toBe(0)
    await page.getByRole("button", { name: "Cancel…" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Cancel jobs" }).click()
    await page.getByRole("dialog").getByText("1 job cancelled; 1 job not allowed.").waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.keyboard.press("Escape")
    await page.goto(`${url}#/jobs?state=delayed&definition=billing`)
    await page.getByRole("button", { name: "All that match" }).waitFor()
    await page.goto(`${url}#/jobs?state=delayed&definition=mailing`)
    await page.getByText("1 row", { exact: true }).waitFor()
    await page.getByRole("button", { name: "All that match" }).waitFor({ state: "hidden" })
    expect(await queue.jobs()).toMatchObject([{ payload: { to: "ada" } }])
})

test("requests that no page would send are refused, and change nothing", async () => {
    const { queue, otherID, url } = await makeTeams()
    const { page } = await openPage(url, { mayFail: /status of 403/ })
    await page.getByText("Live", { exact: true }).waitFor()
    const send = (path: string, body: object) =>
        page.evaluate(
            `fetch("api/${path}", {
                method: "POST",
                headers: { "content-type": "application/json" },
                body: ${JSON.stringify(JSON.stringify(body))},
            }).then(async (response) => [response.status, await response.json()])`,
        ) as Promise<[status: number, body: unknown]>
    const change = { action: "cancel" }
    const forged: [path: string, body: object][] = [
        ["pauses", { target: { definition: "mailing" } }],
        ["pauses", { target: { everything: true } }],
        ["pauses", { target: { channel: "default" } }],
        ["pauses/remove", { target: { definition: "mailing", key: "ada" } }],
        ["operations", { change, filter: {} }],
        ["operations", { change, filter: { definition: "mailing" } }],
        ["changes/preview", { change, filter: { definition: "mailing" } }],
        ["schedules/remove", { name: "nightly mailing" }],
        ["schedules/run", { name: "nightly mailing" }],
        ["jobs", { definition: "mailing", payload: {} }],
        ["operations/1/cancel", {}],
    ]
    for (const [path, body] of forged)
        expect([path, body, ...(await send(path, body))]).toEqual([
            path,
            body,
            403,
            {
                error: {
                    code: "DASHBOARD_FORBIDDEN",
                    message: expect.stringMatching(/^you may not do this/),
                },
            },
        ])
    expect(await send("changes", { change, jobIDs: [otherID] })).toEqual([
        200,
        { results: [{ jobID: otherID, result: "forbidden" }] },
    ])
    expect(await queue.jobs()).toHaveLength(2)
    expect(await queue.config.pauses()).toHaveLength(2)
    expect(await queue.config.schedules.list()).toHaveLength(2)
})

test("who may only look is offered nothing but to look, and told so", async () => {
    const queue = await makeQueue()
    const { config } = queue
    const job = define(config, () => {}, { name: "resize", concurrencyLimit: { max: 2 } })
    const jobID = await job.defer({ payload: {}, delayMs: HOUR_MS })
    const failedID = await job.defer({ payload: {} })
    await config.schedules.upsert({ name: "nightly", definition: job, payload: {}, intervalMs: HOUR_MS })
    const inspector = new Inspector({ config })
    await inspector.change({ action: "cancel" }, [failedID])
    await inspector.pause({ definition: "resize" })
    // It waits for an orchestrator, so that it could be cancelled.
    await inspector.changeAll({ action: "run-now" }, {})
    const { url } = await serveForTest(config, { isReadOnly: true })
    const { page } = await openPage(url)
    await page.getByText("Read-only").waitFor()
    const pages: [hash: string, shown: string][] = [
        ["#/jobs", "resize"],
        [`#/jobs/${jobID}`, "Timeline"],
        [`#/jobs/${failedID}`, "Timeline"],
        ["#/dead-letters", "resize"],
        ["#/definitions", "resize"],
        ["#/definitions/resize", "Workers that run it"],
        ["#/schedules", "nightly"],
        ["#/limits", "the definition resize"],
        ["#/operations", "waiting"],
        ["#/operations/3", "waiting"],
    ]
    const offered =
        /pause|resume|cancel|add|delete|remove…|replay|priority|due time|run now|all that match|^select/i
    for (const [hash, shown] of pages) {
        await page.goto(`${url}${hash}`)
        await page.locator("main").getByText(shown).first().waitFor()
        const names = await page.getByRole("button").allTextContents()
        expect([hash, names.filter((name) => offered.test(name))]).toEqual([hash, []])
        expect([hash, await page.getByRole("checkbox").count()]).toEqual([hash, 0])
        expect([hash, await violationsInBothThemes(page)]).toEqual([hash, []])
    }
    await page.goto(`${url}#/dead-letters`)
    await page.getByRole("button", { name: "By reason" }).click()
    await page.getByText("Only these").waitFor()
    expect(await page.getByRole("button", { name: "Select", exact: true }).count()).toBe(0)
    await page.keyboard.press("n")
    expect(await page.getByRole("dialog").count()).toBe(0)
})
