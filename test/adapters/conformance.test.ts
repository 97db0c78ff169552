import { randomBytes } from "node:crypto"
import { Config, JobDefinition } from "cuckmq"
import { createDashboard } from "cuckmq/dashboard"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { type App, MOUNT, type StartApp } from "./apps/app.ts"
import { startExpress } from "./apps/express.ts"
import { startFastify } from "./apps/fastify.ts"
import { startHono } from "./apps/hono.ts"
import { startKoa } from "./apps/koa.ts"
import { startNest } from "./apps/nest.ts"
import { startNext } from "./apps/next.ts"

const ADA = { "x-user": "ada" }
const OWN = { ...ADA, "content-type": "application/json", "sec-fetch-site": "same-origin" }

const schema = `adapters_${randomBytes(6).toString("hex")}`
const pool = new pg.Pool({ connectionString: inject("connectionString"), max: 4 })
const config = new Config({ pool, schema })
new JobDefinition({ config, name: "resize", jobFunction: () => undefined }).register()

const dashboard = createDashboard({
    config,
    authorize: (request) => {
        const user = request.headers.get("x-user")
        return user === null ? null : { user }
    },
})

const inProcess = (start: StartApp) => () => start(dashboard)
const APPS: [name: string, start: () => Promise<App>][] = [
    ["Express", inProcess(startExpress)],
    ["Fastify", inProcess(startFastify)],
    ["Koa", inProcess(startKoa)],
    ["Hono", inProcess(startHono)],
    ["NestJS", inProcess(startNest)],
    ["Next", () => startNext({ DATABASE_URL: inject("connectionString"), CUCKMQ_SCHEMA: schema })],
]

beforeAll(async () => {
    await config.prepareSchema()
    const resize = new JobDefinition({ config, name: "resize-once", jobFunction: () => undefined })
    await resize.defer({ payload: {} })
})
afterAll(async () => {
    await dashboard.close()
    await pool.query(`drop schema ${schema} cascade`)
    await pool.end()
})

describe.each(APPS)("a dashboard in an app of %s", (_name, start) => {
    let app: App
    beforeAll(async () => {
        app = await start()
    })
    afterAll(() => app?.stop())

    const ask = (path: string, init: RequestInit = {}) =>
        fetch(`${app.origin}${MOUNT}${path}`, { redirect: "manual", headers: ADA, ...init })
    const post = (path: string, body: string, headers: Record<string, string> = OWN) =>
        ask(path, { method: "POST", body, headers })

    it("redirects to its document, which is there with its headers and its files", async () => {
        const redirect = await ask("?x=1")
        expect(redirect.status).toBe(302)
        const target = new URL(redirect.headers.get("location") ?? "", `${app.origin}${MOUNT}?x=1`)
        expect(target.href).toBe(`${app.origin}${MOUNT}/?x=1`)
        const document = await ask("/")
        expect([document.status, document.headers.get("content-type")]).toEqual([
            200,
            "text/html; charset=utf-8",
        ])
        expect(document.headers.get("content-security-policy")).toMatch(/^default-src 'self';/)
        const etag = document.headers.get("etag") ?? ""
        const [, file = ""] = /(?:src|href)="?\.\/(assets\/[^" >]+\.js)/.exec(await document.text()) ?? []
        const asset = await ask(`/${file}`)
        expect([asset.status, asset.headers.get("cache-control")]).toEqual([
            200,
            "private, max-age=31536000, immutable",
        ])
        expect((await asset.text()).length).toBeGreaterThan(0)
        expect((await ask("/", { headers: { ...ADA, "if-none-match": etag } })).status).toBe(304)
    })

    it("answers who may ask, and nobody else", async () => {
        expect(await (await ask("/api/me")).json()).toMatchObject({ user: "ada", schema })
        expect((await ask("/api/me", { headers: {} })).status).toBe(401)
        expect((await ask("/", { headers: {} })).status).toBe(401)
        expect((await ask("/api/nothing")).status).toBe(404)
    })

    it("takes JSON, and nothing else, and nothing from other sites", async () => {
        const body = JSON.stringify({ definition: "resize-once", payload: { to: "ä" } })
        const made = await post("/api/jobs", body)
        const { jobID } = (await made.json()) as { jobID: number }
        const found = await ask(`/api/jobs/${jobID}`)
        expect(await found.json()).toMatchObject({ job: { jobID, payload: { to: "ä" } } })
        const foreign = { ...OWN, "sec-fetch-site": "cross-site" }
        expect((await post("/api/jobs", body, foreign)).status).toBe(403)
        expect((await post("/api/jobs", body, { ...OWN, "content-type": "text/plain" })).status).toBe(415)
        const large = JSON.stringify({ definition: "resize-once", payload: { to: "x".repeat(70_000) } })
        expect((await post("/api/jobs", large)).status).toBe(413)
        expect((await post("/api/jobs", "{")).status).toBe(400)
        expect((await ask("/api/changes")).status).toBe(405)
    })

    it("streams what is live until nobody listens", async () => {
        const aborting = new AbortController()
        const live = await ask("/api/live", { signal: aborting.signal })
        expect(live.headers.get("content-type")).toMatch(/^text\/event-stream/)
        let text = ""
        for await (const chunk of live.body ?? []) {
            text += Buffer.from(chunk).toString()
            if (/\nevent: snapshot\ndata: .*\n\n/.test(text)) break
        }
        expect(text).toContain('"numListeners":1')
        aborting.abort()
        const numListeners = async () => {
            const snapshot = (await (await ask("/api/snapshot")).json()) as { numListeners: number }
            return snapshot.numListeners
        }
        await expect.poll(numListeners, { timeout: 10_000, interval: 100 }).toBe(0)
    })
})
