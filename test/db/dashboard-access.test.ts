import { describe, expect, it } from "vitest"
import { createDashboard, type DashboardAction, type DashboardOptions } from "../../src/dashboard.ts"
import { InvalidOptionError } from "../../src/index.ts"
import { askRaw, eventsOf, MOUNT, makeDashboard, serve } from "../support/dashboard.ts"
import { define } from "../support/define.ts"
import { makeQueue } from "../support/with-schema.ts"

const JSON_TYPE = { "content-type": "application/json" }
const NOBODY = { authorize: () => null }

/** What the pages ask for, and the document and its files. */
const GETS = [
    "",
    "assets/icon.svg",
    "api/me",
    "api/live",
    "api/snapshot",
    "api/throughput",
    "api/jobs",
    "api/jobs/1",
    "api/jobs/1/logs",
    "api/jobs/1/graph",
    "api/definitions",
    "api/workers",
    "api/schedules",
    "api/schedules/preview",
    "api/pauses",
    "api/dead-letters",
    "api/operations",
    "api/operations/1",
    "api/doctor",
    "api/health",
    "api/metrics",
]
const POSTS = [
    "api/changes",
    "api/changes/preview",
    "api/operations",
    "api/operations/1/cancel",
    "api/pauses",
    "api/pauses/remove",
    "api/schedules/pause",
    "api/schedules/resume",
    "api/schedules/run",
    "api/schedules/remove",
    "api/jobs",
]

describe("a dashboard", () => {
    it("is not made without somebody who says who may see it, nor with options that are wrong", async () => {
        const { config } = await makeQueue()
        const authorize = () => ({ user: "ada" })
        const wrong: [option: string, options: object][] = [
            ["authorize", { config }],
            ["authorize", { config, authorize: true }],
            ["config", { config: {}, authorize }],
            ["isReadOnly", { config, authorize, isReadOnly: "yes" }],
            ["redact", { config, authorize, redact: {} }],
            ["title", { config, authorize, title: " " }],
            ["trustedOrigins", { config, authorize, trustedOrigins: ["https://a.example/path"] }],
            ["trustedOrigins", { config, authorize, trustedOrigins: "https://a.example" }],
            ["trustedOrigins", { config, authorize, trustedOrigins: ["*"] }],
            ["onError", { config, authorize, onError: 1 }],
            ["basePath", { config, authorize, basePath: "/" }],
        ]
        for (const [option, options] of wrong) {
            const make = () => createDashboard(options as DashboardOptions)
            expect(make, option).toThrow(InvalidOptionError)
            expect(make).toThrow(expect.objectContaining({ option }))
        }
    })

    it("answers 401 to nobody, whatever they ask for, and tells them nothing", async () => {
        const { get, post } = makeDashboard(await makeQueue(), NOBODY)
        for (const path of GETS) expect([path, (await get(path)).status]).toEqual([path, 401])
        for (const path of POSTS) expect([path, (await post(path, {})).status]).toEqual([path, 401])
        const { text, headers } = await get("api/jobs/1")
        expect(JSON.parse(text)).toEqual({
            error: { code: "DASHBOARD_UNAUTHORIZED", message: "you have to sign in first" },
        })
        expect(headers.get("content-security-policy")).toContain("default-src 'self'")
    })

    it("answers with what `authorize` wants answered, such as a redirect to where one signs in", async () => {
        const authorize = () => new Response(null, { status: 302, headers: { location: "/login" } })
        const { status, headers } = await makeDashboard(await makeQueue(), { authorize }).get("")
        expect([status, headers.get("location")]).toEqual([302, "/login"])
        expect(headers.get("x-content-type-options")).toBe("nosniff")
    })

    it("gives `authorize` what the request came with", async () => {
        const queue = await makeQueue()
        const { dashboard } = makeDashboard(queue, {
            authorize: (request, context) => ({
                user: `${request.headers.get("x-user")} ${(context as { name: string } | undefined)?.name}`,
            }),
        })
        const request = new Request(`${MOUNT}api/me`, { headers: { "x-user": "ada" } })
        const answer = await dashboard.fetch(request, { name: "context" })
        expect(await answer.json()).toMatchObject({ user: "ada context" })
        const origin = await serve((req, res) => dashboard.node(Object.assign(req, { name: "req" }), res))
        const { text } = await askRaw(origin, "/api/me", { headers: { "x-user": "bob" } })
        expect(JSON.parse(text)).toMatchObject({ user: "bob req" })
    })

    it("asks `can` about every action, and refuses with 403 what is not allowed", async () => {
        const queue = await makeQueue()
        const resize = define(queue.config, () => undefined, { name: "resize" })
        const jobID = await resize.defer({ payload: {} })
        const asked: string[] = []
        const canOnly = (...allowed: DashboardAction[]) =>
            makeDashboard(queue, {
                authorize: () => ({
                    user: "ada",
                    can: (action, about) => {
                        asked.push(`${action} ${JSON.stringify(about)}`)
                        return allowed.includes(action)
                    },
                }),
            })
        const { get } = canOnly()
        for (const path of GETS.filter((path) => path.startsWith("api/")))
            expect([path, (await get(path)).status]).toEqual([path, 403])
        expect((await canOnly("view").get(`api/jobs/${jobID}`)).body).toMatchObject({
            job: { payload: null, isPayloadHidden: true },
            can: ["view"],
        })
        expect(asked).toContain(`view-payload ${JSON.stringify({ jobID, definition: "resize" })}`)
        const { post } = canOnly("view", "view-payload")
        const change = { action: "cancel" }
        const bodies: Record<string, object> = {
            "api/changes/preview": { change, filter: {} },
            "api/operations": { change, filter: {} },
            "api/operations/1/cancel": {},
            "api/pauses": { target: { definition: "resize" } },
            "api/pauses/remove": { target: { definition: "resize" } },
            "api/schedules/pause": { name: "nightly" },
            "api/schedules/resume": { name: "nightly" },
            "api/schedules/run": { name: "nightly" },
            "api/schedules/remove": { name: "nightly" },
            "api/jobs": { definition: "resize", payload: {} },
        }
        for (const [path, body] of Object.entries(bodies))
            expect([path, (await post(path, body)).status]).toEqual([path, 403])
        expect((await post("api/changes", { change, jobIDs: [jobID] })).body).toEqual({
            results: [{ jobID, result: "forbidden" }],
        })
        expect(asked).toContain(`cancel ${JSON.stringify({ jobID, definition: "resize" })}`)
        expect(asked).toContain(`pause ${JSON.stringify({ definition: "resize" })}`)
        expect(await queue.jobs()).toHaveLength(1)
    })

    it("leaves jobs and definitions out that one may not see, in whatever is asked for", async () => {
        const queue = await makeQueue()
        const open = define(queue.config, () => undefined, { name: "open" })
        const secret = define(queue.config, () => undefined, { name: "secret" })
        const openID = await open.defer({ payload: {} })
        const secretID = await secret.defer({ payload: {}, dependencies: [openID] })
        const { get, dashboard } = makeDashboard(queue, {
            authorize: () => ({ user: "ada", can: (_action, { definition }) => definition !== "secret" }),
        })
        expect((await get("api/jobs")).body).toMatchObject({ jobs: [{ jobID: openID }] })
        expect((await get(`api/jobs/${secretID}`)).status).toBe(403)
        expect((await get("api/jobs?definition=secret")).status).toBe(403)
        const live = await dashboard.fetch(new Request(`${MOUNT}api/live`))
        const { value } = await eventsOf(live).next()
        const paths = ["api/definitions", "api/snapshot", "api/workers", `api/jobs/${openID}`]
        const texts = await Promise.all(paths.map(async (path) => (await get(path)).text))
        for (const text of [...texts, JSON.stringify(value), (await get(`api/jobs/${openID}/graph`)).text]) {
            expect(text).not.toContain("secret")
        }
    })

    it("answers 500 to all for what `authorize`, `can` or `redact` throw, and tells it only to `onError`", async () => {
        const queue = await makeQueue()
        const resize = define(queue.config, () => undefined, { name: "resize" })
        const jobID = await resize.defer({ payload: {} })
        const throwing = () => {
            throw new Error("postgres://ada:secret@host/db")
        }
        const ways: Partial<DashboardOptions>[] = [
            { authorize: throwing },
            { authorize: async () => throwing() },
            { authorize: () => ({ user: "" }) },
            { authorize: () => ({ user: "ada", can: throwing }) },
            { redact: throwing },
        ]
        for (const options of ways) {
            const told: unknown[] = []
            const { get } = makeDashboard(queue, { ...options, onError: (error) => told.push(error) })
            const { status, text } = await get(`api/jobs/${jobID}`)
            expect({ status, hasTold: text.includes("secret"), numTold: told.length }).toEqual({
                status: 500,
                hasTold: false,
                numTold: 1,
            })
        }
    })

    it("changes nothing where it is read-only, and lets nobody believe otherwise", async () => {
        const queue = await makeQueue()
        const { get, post } = makeDashboard(queue, { isReadOnly: true })
        for (const path of POSTS) expect([path, (await post(path, {})).status]).toEqual([path, 403])
        expect((await get("api/me")).body).toMatchObject({ isReadOnly: true, can: ["view", "view-payload"] })
    })

    it("does not take requests that change something from other sites", async () => {
        const queue = await makeQueue()
        const { ask } = makeDashboard(queue, { trustedOrigins: ["https://trusted.example"] })
        const sites = [undefined, "same-origin", "same-site", "cross-site", "none"]
        const origins = [
            undefined,
            "http://queue.example",
            "https://queue.example",
            "https://trusted.example",
            "https://evil.example",
            "null",
        ]
        const outcomes: Record<string, number> = {}
        for (const site of sites) {
            for (const origin of origins) {
                const headers = {
                    ...JSON_TYPE,
                    ...(site === undefined ? {} : { "sec-fetch-site": site }),
                    ...(origin === undefined ? {} : { origin }),
                }
                const { status } = await ask("api/schedules/run", { method: "POST", headers, body: "{}" })
                // What is let through is found to lack a name.
                outcomes[`${site} ${origin}`] = status
                expect([400, 403]).toContain(status)
            }
        }
        const letThrough = Object.keys(outcomes).filter((way) => outcomes[way] === 400)
        expect(Object.keys(outcomes)).toHaveLength(30)
        expect(letThrough.sort()).toEqual(
            [
                "undefined undefined",
                "undefined http://queue.example",
                "undefined https://queue.example",
                "undefined https://trusted.example",
                ...origins.map((origin) => `same-origin ${origin}`),
            ].sort(),
        )
    })

    it("takes no body but JSON that says so, so that no form of another site can send one", async () => {
        const { ask } = makeDashboard(await makeQueue())
        const types = [
            undefined,
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain; application/json",
            "application/jsonp",
        ]
        for (const type of types) {
            const headers = type === undefined ? {} : { "content-type": type }
            const body = type === undefined ? new TextEncoder().encode("{}") : "{}"
            const { status } = await ask("api/schedules/run", { method: "POST", headers, body })
            expect([type, status]).toEqual([type, 415])
        }
    })

    it("allows no other site to read, and is not asked by one", async () => {
        const { get, ask } = makeDashboard(await makeQueue())
        const { status, headers } = await ask("api/me", {
            method: "OPTIONS",
            headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
        })
        expect([status, headers.get("allow")]).toEqual([405, "GET"])
        const { headers: allowed } = await get("api/me", { origin: "https://evil.example" })
        for (const found of [headers, allowed])
            expect([...found.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
        expect((await get("api/me", { "sec-fetch-site": "cross-site" })).status).toBe(403)
    })
})
