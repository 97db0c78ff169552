import { expect, test } from "vitest"
import { Inspector } from "../../src/index.ts"
import { openPage, useBrowser, violationsInBothThemes } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { serveForTest } from "../support/served-dashboard.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

useBrowser()

const SECRET = "4111-1111-1111-1111"

test("what `redact` hides is nowhere on any page, and nobody is offered to look for it", async () => {
    const queue = await makeQueue()
    const { config } = queue
    const pay = define(
        config,
        ({ isBroken, card }, context) => {
            context.log(`charges ${card}`)
            context.setProgress({ card })
            if (isBroken === true)
                throw new Error(`no funds on ${card}`, { cause: new Error(`${card} is empty`) })
            return { charged: card }
        },
        { name: "pay", numAttempts: 0 },
    )
    const paidID = await pay.defer({ payload: { card: SECRET } })
    const brokenID = await pay.defer({ payload: { card: SECRET, isBroken: true } })
    await config.schedules.upsert({
        name: "monthly",
        definition: pay,
        payload: { card: SECRET },
        intervalMs: 3_600_000,
    })
    queue.worker()
    await eventually(async () => (await queue.history()).length === 2)
    const inspector = new Inspector({ config })
    await inspector.changeAll({ action: "cancel" }, { payload: { card: SECRET } })
    await inspector.changeAll({ action: "replay" }, { errorText: SECRET })
    const { url } = await serveForTest(config, {
        redact: (value) => JSON.parse(JSON.stringify(value).replaceAll(SECRET, "•••")),
    })
    const { page } = await openPage(url)
    // Whatever an answer holds might be shown one day, so none of it may leave the server.
    const bodies: Promise<string>[] = []
    page.on("response", (response) => {
        if (response.url().includes("/api/") && !response.url().endsWith("/live"))
            bodies.push(response.text())
    })
    const pages: [hash: string, shown: RegExp, open?: string][] = [
        ["#/", /Waiting for longest/],
        ["#/jobs", /no funds on •••/],
        [`#/jobs/${paidID}`, /charges •••/],
        [`#/jobs/${brokenID}`, /no funds on •••/],
        ["#/dead-letters", /no funds on •••/],
        ["#/schedules", /monthly/, "Payload"],
        ["#/operations", /•••/],
        ["#/operations/1", /"payload"/, "Unfold 1 property"],
        ["#/operations/2", /•••/],
        ["#/definitions/pay", /Workers that run it/],
        ["#/doctor", /checked/],
    ]
    for (const [hash, shown, open] of pages) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
        await page.locator("main").getByText(shown).first().waitFor()
        await page.locator(".loading").first().waitFor({ state: "hidden" })
        if (open !== undefined) {
            const summary = page.locator("summary").getByText(open)
            await summary.or(page.getByRole("button", { name: open })).click()
            await page.getByText("•••").first().waitFor()
        }
        expect([hash, (await page.content()).includes(SECRET)]).toEqual([hash, false])
    }
    for (const body of await Promise.all(bodies)) expect(body).not.toContain(SECRET)
    await page.goto(`${url}#/jobs`)
    await page.getByText("More filters").click()
    await page.getByLabel("Channel").waitFor()
    expect(await page.getByLabel(/Payload contains|Text of the error/).count()).toBe(0)
    await page.goto(`${url}#/dead-letters`)
    await page.getByRole("button", { name: "By error" }).click()
    await page.getByRole("button", { name: "Select", exact: true }).waitFor()
    expect(await page.getByText("Only these").count()).toBe(0)
    expect(await violationsInBothThemes(page)).toEqual([])
})

test("an address that looks for what is hidden is refused, and told so", async () => {
    const queue = await makeQueue()
    const pay = define(queue.config, () => {}, { name: "pay" })
    await pay.defer({ payload: { card: SECRET }, delayMs: 3_600_000 })
    const { url } = await serveForTest(queue.config, { redact: () => "hidden" })
    const query = new URLSearchParams({ payload: JSON.stringify({ card: SECRET }) })
    const { page } = await openPage(`${url}#/jobs?${query}`, { mayFail: /status of 403/ })
    await page
        .getByRole("alert")
        .getByText(/cannot be looked for/)
        .waitFor()
    expect(await page.getByRole("table").count()).toBe(0)
})
