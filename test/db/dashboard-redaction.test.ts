import { expect, it } from "vitest"
import { Inspector } from "../../src/index.ts"
import { makeDashboard } from "../support/dashboard.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { makeQueue } from "../support/with-schema.ts"

const SECRET = "4111-1111"

it("a dashboard hides what `redact` hides, wherever it would be shown, and lets nobody look for it", async () => {
    const queue = await makeQueue()
    const { config } = queue
    const good = define(config, (_payload, context) => {
        context.log(`card ${SECRET}`)
        context.setProgress({ card: SECRET })
        return { card: SECRET }
    })
    const bad = define(
        config,
        () => {
            throw new Error(`no funds on ${SECRET}`)
        },
        { name: "bad" },
    )
    const goodID = await good.defer({ payload: { card: SECRET } })
    const badID = await bad.defer({ payload: { card: SECRET } })
    await config.schedules.upsert({
        name: "nightly",
        definition: good,
        payload: { card: SECRET },
        intervalMs: 60_000_000,
    })
    queue.worker()
    await finalizedJobs(queue, [goodID, badID])
    const inspector = new Inspector({ config })
    await inspector.changeAll({ action: "cancel" }, { payload: { card: SECRET } })

    const asked = new Set<string>()
    const { get, post } = makeDashboard(queue, {
        redact: (value, { jobID, definition, field }) => {
            asked.add(`${field} ${jobID} ${definition}`)
            return JSON.parse(JSON.stringify(value).replaceAll(SECRET, "***"))
        },
    })
    const paths = [
        "jobs",
        `jobs/${goodID}`,
        `jobs/${goodID}/logs`,
        `jobs/${badID}`,
        "dead-letters",
        "schedules",
        "operations",
        "operations/1",
        "snapshot",
    ]
    for (const path of paths) {
        const { status, text } = await get(`api/${path}`)
        expect([path, status, text.includes(SECRET)]).toEqual([path, 200, false])
    }
    expect((await get(`api/jobs/${goodID}/logs`)).text).toContain("card ***")
    expect((await get(`api/jobs/${badID}`)).body).toMatchObject({
        job: { errors: [{ name: "Error", message: "no funds on ***" }] },
        explanation: { sentence: expect.stringContaining("no funds on ***") },
    })
    expect([...asked].sort()).toEqual(
        [
            `payload ${goodID} job`,
            `result ${goodID} job`,
            `progress ${goodID} job`,
            `log ${goodID} job`,
            `payload ${badID} bad`,
            `error ${badID} bad`,
            "payload null job",
            "payload null null",
        ].sort(),
    )
    const search = encodeURIComponent(JSON.stringify({ card: SECRET }))
    for (const path of [
        `jobs?payload=${search}`,
        `jobs?errorText=${SECRET}`,
        `dead-letters?errorText=${SECRET}`,
    ])
        expect([path, (await get(`api/${path}`)).status]).toEqual([path, 403])
    const filter = { payload: { card: SECRET } }
    const body = { change: { action: "cancel" }, filter }
    expect((await post("api/changes/preview", body)).status).toBe(403)
    expect((await post("api/operations", body)).status).toBe(403)
    expect((await get("api/me")).body).toMatchObject({ canSearchPayloads: false, canSearchErrors: false })

    const hidden = makeDashboard(queue, {
        authorize: () => ({ user: "bob", can: (action) => action === "view" }),
    })
    const texts = paths.filter(
        (path) => path !== `jobs/${badID}` && path !== "jobs" && path !== "dead-letters",
    )
    for (const path of texts) expect((await hidden.get(`api/${path}`)).text).not.toContain(SECRET)
    expect((await hidden.get(`api/jobs?payload=${search}`)).status).toBe(403)

    // The audit log has the text of an error that somebody looked for.
    await inspector.changeAll({ action: "replay" }, { errorText: `funds on ${SECRET}` })
    const operation = await get("api/operations/2")
    expect(operation.body).toMatchObject({ target: { filter: { errorText: "funds on ***" } } })
    expect((await get("api/operations")).text).not.toContain(SECRET)
})
