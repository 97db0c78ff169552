import { describe, expect, it } from "vitest"
import { Inspector } from "../../src/index.ts"
import { askRaw, MOUNT, makeDashboard, serve, toAnswer } from "../support/dashboard.ts"
import { define } from "../support/define.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"

/** Serves a dashboard as Node does, under any path. */
async function serveNode(queue: Queue): Promise<string> {
    const { dashboard } = makeDashboard(queue)
    return serve((req, res) => dashboard.node(req, res))
}

const PAGE_HEADERS = {
    "content-security-policy":
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

describe("a dashboard, over the wire,", () => {
    it("has its document, its files and its API under whatever path it is mounted", async () => {
        const origin = await serveNode(await makeQueue())
        for (const prefix of ["/", "/queues/", "/api/v1/queues/", "/a/assets/b/"]) {
            const document = await askRaw(origin, prefix)
            expect([document.status, document.headers["content-type"]]).toEqual([
                200,
                "text/html; charset=utf-8",
            ])
            const [, file = ""] = /(?:src|href)="?\.\/(assets\/[^" >]+)/.exec(document.text) ?? []
            expect((await askRaw(origin, prefix + file)).status).toBe(200)
            expect(JSON.parse((await askRaw(origin, `${prefix}api/me`)).text)).toMatchObject({ user: "ada" })
        }
        const { status, headers } = await askRaw(origin, "/admin/queues?x=1")
        expect([status, headers.location]).toEqual([302, "./queues/?x=1"])
    })

    it("says in every answer that nothing may embed it or run in it, and that what it tells is not kept", async () => {
        const origin = await serveNode(await makeQueue())
        for (const path of [
            "/",
            "/api/me",
            "/api/jobs/99",
            "/assets/nothing.js",
            "/queues",
            "/api/nothing",
        ]) {
            const { headers } = await askRaw(origin, path)
            expect(headers).toMatchObject(PAGE_HEADERS)
        }
        for (const path of ["/api/me", "/api/jobs", "/api/jobs/99", "/queues"])
            expect((await askRaw(origin, path)).headers["cache-control"]).toBe("no-store")
    })

    it("sends files gzipped to who can read that, and not again to who has them", async () => {
        const { ask } = makeDashboard(await makeQueue())
        const origin = await serveNode(await makeQueue())
        const encodingFor = async (accepted: string) =>
            (await askRaw(origin, "/", { headers: { "accept-encoding": accepted } })).headers[
                "content-encoding"
            ]
        expect(await encodingFor("br, gzip;q=0.5")).toBe("gzip")
        expect(await encodingFor("gzip;q=0")).toBeUndefined()
        // The web's servers compress by themselves, and one of them what is compressed already.
        const plain = await ask("", { headers: { "accept-encoding": "gzip" } })
        expect(plain.headers.has("content-encoding")).toBe(false)
        expect(await (await fetch(`${origin}/`)).text()).toBe(plain.text)
        expect(Number(plain.headers.get("content-length"))).toBe(Buffer.byteLength(plain.text))
        const etag = plain.headers.get("etag") ?? ""
        const again = await ask("", { headers: { "if-none-match": `"other", ${etag}` } })
        expect([again.status, again.text]).toEqual([304, ""])
        expect(plain.headers.get("cache-control")).toBe("private, no-cache")
        const [, file = ""] = /(assets\/[\w-]+\.js)/.exec(plain.text) ?? []
        expect((await ask(file)).headers.get("cache-control")).toBe("private, max-age=31536000, immutable")
        expect((await ask("assets/icon.svg")).headers.get("cache-control")).toBe("private, no-cache")
        const head = await ask("", { method: "HEAD" })
        expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", etag])
    })

    it("gives out no file but those of its pages, however it is asked", async () => {
        const origin = await serveNode(await makeQueue())
        const paths = [
            "/assets/../package.json",
            "/assets/../../../../etc/passwd",
            "/assets/..%2f..%2f..%2fetc%2fpasswd",
            "/assets/%2e%2e/%2e%2e/etc/passwd",
            "/assets/..\\..\\etc\\passwd",
            "/assets/....//etc/passwd",
            "/assets/icon.svg%00.js",
            "/assets/__proto__",
            "/assets/constructor",
            "/assets/index.html",
            "/assets//etc/passwd",
            "//etc/passwd.txt",
            "/assets/icon.svg/..%2f",
        ]
        for (const path of paths) {
            const { status, text } = await askRaw(origin, path)
            expect([path, [302, 400, 404].includes(status)]).toEqual([path, true])
            expect(text).not.toMatch(/root:|"name"|devDependencies/)
        }
    })

    it("redirects to nowhere else", async () => {
        const origin = await serveNode(await makeQueue())
        const paths = [
            "//evil",
            "/\\evil",
            "/javascript:alert",
            "///evil/x",
            "/%0d%0aset-cookie:x=y",
            "/@evil",
        ]
        for (const path of paths) {
            const { status, headers } = await askRaw(origin, path)
            expect([path, status]).toEqual([path, 302])
            const target = new URL(headers.location ?? "", new URL(`${origin}${path}`))
            expect([path, target.origin]).toEqual([path, origin])
            expect(headers["set-cookie"]).toBeUndefined()
        }
    })

    it("has each of its addresses for exact methods, and names them", async () => {
        const origin = await serveNode(await makeQueue())
        const allowed: [path: string, allow: string][] = [
            ["/", "GET, HEAD"],
            ["/assets/icon.svg", "GET, HEAD"],
            ["/api/me", "GET"],
            ["/api/live", "GET"],
            ["/api/jobs", "GET, POST"],
            ["/api/jobs/1", "GET"],
            ["/api/changes", "POST"],
            ["/api/operations", "GET, POST"],
            ["/api/operations/1/cancel", "POST"],
            ["/api/schedules/pause", "POST"],
        ]
        for (const [path, allow] of allowed) {
            for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"]) {
                const { status, headers } = await askRaw(origin, path, { method })
                expect([path, method, status, headers.allow]).toEqual([path, method, 405, allow])
            }
        }
        for (const [path, allow] of allowed.filter(([, allow]) => allow === "POST"))
            expect((await askRaw(origin, path)).headers.allow).toBe(allow)
        for (const path of ["/api/nothing", "/api/jobs/x", "/api/jobs/1/x", "/api/__proto__", "/api/jobs/-1"])
            expect([path, (await askRaw(origin, path)).status]).toEqual([path, 404])
        expect((await askRaw(origin, "/api/jobs/99999999999999999999")).status).toBe(404)
    })

    it("says what is wrong with a query, and asks the database for nothing", async () => {
        const { get } = makeDashboard(await makeQueue())
        const wrong: [query: string, message: RegExp][] = [
            ["jobs?sort=asc", /no parameter "sort"/],
            ["jobs?state=ready&state=failed", /`state` is given twice/],
            ["jobs?state=dead", /`state`/],
            ["jobs?order=random", /`order`/],
            ["jobs?limit=1000000", /`limit`/],
            ["jobs?limit=NaN", /`limit` to be a number/],
            ["jobs?limit=1e9", /`limit` to be a number/],
            ["jobs?after=';drop table job", /`after`/],
            ["jobs?createdAfter=yesterday", /`createdAfter` to be an instant/],
            ["jobs?createdAfter=2026-02-31T25:00:00Z", /`createdAfter`/],
            ["jobs?payload=[", /`payload` to be a JSON object/],
            ["jobs?payload=1", /`payload` to be a JSON object/],
            ["jobs?definition=%00", /`definition`/],
            ["jobs?errorText=", /`errorText`/],
            ["me?x", /there is none/],
            ["throughput?from=2026-01-01&until=2026-01-02", /`stepMs` is missing/],
            ["throughput?from=2026-01-02&until=2026-01-01&stepMs=60000", /`until`/],
            ["schedules/preview?cron=*", /expression/],
            ["schedules/preview?intervalMs=1000&count=101", /`count`/],
            ["schedules/preview?cron=* * * * *&timeZone=Nowhere", /`timeZone`/],
            ["dead-letters?reason=bad", /`reason`/],
            ["dead-letters?limit=101", /`limit`/],
            ["operations?isRunning=1", /`isRunning` to be true or false/],
        ]
        for (const [query, message] of wrong) {
            const { status, body } = await get(`api/${query}`)
            expect([query, status]).toEqual([query, 400])
            expect((body as { error: { message: string } }).error.message).toMatch(message)
        }
    })

    it("refuses bodies that are too large, no JSON, or have what nobody knows", async () => {
        const queue = await makeQueue()
        const origin = await serveNode(queue)
        const { post } = makeDashboard(queue)
        const headers = { "content-type": "application/json" }
        const send = (body: string, more: Record<string, string> = {}) =>
            askRaw(origin, "/api/jobs", { method: "POST", headers: { ...headers, ...more }, body })
        const large = JSON.stringify({ payload: "x".repeat(70_000) })
        expect((await send(large)).status).toBe(413)
        expect((await send(large, { "transfer-encoding": "chunked" })).status).toBe(413)
        for (const body of ["", "{", "[]", "null", '"x"', "1", "{}{}"])
            expect([body, (await send(body)).status]).toEqual([body, 400])
        const change = { action: "cancel" }
        const wrong: [path: string, body: object][] = [
            ["changes", {}],
            ["changes", { change, jobIDs: [] }],
            ["changes", { change, jobIDs: ["1"] }],
            ["changes", { change, jobIDs: Array.from({ length: 1_001 }, (_, n) => n + 1) }],
            ["changes", { change: { action: "explode" }, jobIDs: [1] }],
            ["changes", { change: { ...change, force: true }, jobIDs: [1] }],
            ["changes", { change, jobIDs: [1], all: true }],
            ["changes", { change: { action: "set-due-time", dueAt: "soon" }, jobIDs: [1] }],
            ["operations", { change }],
            ["operations", { change, filter: { sql: "1=1" } }],
            ["operations", { change, filter: { createdAfter: 5 } }],
            ["pauses", { target: "everything" }],
            ["schedules/run", { name: ["x"] }],
            ["jobs", { definition: 1, payload: {} }],
            ["jobs", { definition: "x", payload: {}, runIn: "thread" }],
        ]
        for (const [path, body] of wrong)
            expect([path, body, (await post(`api/${path}`, body)).status]).toEqual([path, body, 400])
        const { status } = await askRaw(origin, "/api/changes", {
            method: "POST",
            headers,
            body: '{"__proto__": {"isReadOnly": false}, "change": {}}',
        })
        expect(status).toBe(400)
        expect(await queue.jobs()).toEqual([])
    })

    it("carries names and texts that look like markup, SQL or paths as they are, as data", async () => {
        const queue = await makeQueue()
        const { get } = makeDashboard(queue)
        const hostile = [
            "</script><script>alert(1)</script>",
            "'; drop table job; --",
            "../../etc/passwd",
            "..",
            "\u202e\u2028\u2029 \ud83d\ude00",
            "a b\tc&d=e?f#g%00%2f",
            "__proto__",
        ]
        for (const name of hostile) {
            const definition = define(queue.config, () => undefined, { name, channel: name })
            const jobID = await definition.defer({ payload: { [name]: name } })
            const found = await get(`api/jobs?definition=${encodeURIComponent(name)}`)
            expect(found.body).toMatchObject({ jobs: [{ jobID, definition: name, channel: name }] })
            const payload = encodeURIComponent(`{${JSON.stringify(name)}: ${JSON.stringify(name)}}`)
            const searched = await get(`api/jobs?payload=${payload}`)
            expect(searched.body).toMatchObject({ jobs: [{ jobID }] })
            const { text, headers } = await get(`api/jobs/${jobID}`)
            expect(JSON.parse(text).job).toMatchObject({ jobID, definition: name })
            expect(headers.get("content-type")).toBe("application/json; charset=utf-8")
        }
    })

    it("answers 400 where the address or the host of a request cannot be what they are said to be", async () => {
        const origin = await serveNode(await makeQueue())
        for (const host of ["a b", "x/y", "user@x", "x:y:z"])
            expect([host, (await askRaw(origin, "/api/me", { headers: { host } })).status]).toEqual([
                host,
                400,
            ])
        expect((await askRaw(origin, "http://other.example/api/me")).status).toBe(200)
    })

    it("takes what a framework has made of address and body, and lets it go on where nothing is", async () => {
        const queue = await makeQueue()
        const { dashboard } = makeDashboard(queue)
        const mounted = (prefix: string, body?: unknown) =>
            serve((req, res) => {
                const { url = "" } = req
                const within = url.slice(prefix.length)
                Object.assign(req, {
                    originalUrl: url,
                    url: within.startsWith("/") ? within : `/${within}`,
                    body,
                })
                dashboard.node(req, res, () => res.writeHead(418).end())
            })
        const origin = await mounted("/api/queues")
        const statuses = async (...paths: string[]) =>
            Promise.all(paths.map(async (path) => (await askRaw(origin, path)).status))
        expect(await statuses("/api/queues/", "/api/queues/api/me", "/api/queues/assets/icon.svg")).toEqual([
            200, 200, 200,
        ])
        expect(await statuses("/api/queues/x", "/api/queues/x/", "/api/queues/x/api/me")).toEqual([
            418, 418, 418,
        ])
        const { status, headers } = await askRaw(origin, "/api/queues?a=b")
        expect([status, headers.location]).toEqual([302, "./queues/?a=b"])
        const bodies = [{ name: 1 }, '{"name": 1}', Buffer.from('{"name": 1}')]
        for (const body of bodies) {
            const parsing = await mounted("/x", body)
            const answer = await askRaw(parsing, "/x/api/schedules/run", {
                method: "POST",
                headers: { "content-type": "application/json" },
            })
            expect([answer.status, answer.text]).toEqual([
                400,
                expect.stringContaining("`name` to be a text"),
            ])
        }
    })

    it("answers 503 when it is closed, and tells no more of a database that is gone than that it is", async () => {
        const queue = await makeQueue()
        const { dashboard, get } = makeDashboard(queue)
        await queue.sql.query(
            `alter schema ${queue.schema} rename to "gone ${queue.schemaName.slice(0, 30)}"`,
        )
        const answer = await get("api/jobs")
        await queue.sql.query(
            `alter schema "gone ${queue.schemaName.slice(0, 30)}" rename to ${queue.schema}`,
        )
        expect([answer.status, answer.body]).toEqual([
            503,
            { error: { code: "CUCKMQ_SCHEMA_NOT_PREPARED", message: "the queue's schema is not prepared" } },
        ])
        await dashboard.close()
        const closed = await toAnswer(await dashboard.fetch(new Request(`${MOUNT}api/me`)))
        expect(closed).toMatchObject({ status: 503, body: { error: { code: "DASHBOARD_CLOSED" } } })
        expect(await new Inspector({ config: queue.config }).workers()).toEqual([])
    })
})
