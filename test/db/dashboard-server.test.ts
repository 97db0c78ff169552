import { describe, expect, it, onTestFinished } from "vitest"
import { type ServeOptions, serveDashboard } from "../../src/dashboard.ts"
import { InvalidOptionError } from "../../src/index.ts"
import { startCli } from "../support/cli.ts"
import { askRaw } from "../support/dashboard.ts"
import { eventually, hasServer, makeQueue, queueURL } from "../support/with-schema.ts"

const TOKEN = "a-token-of-some-length"

async function serveQueue(options: Partial<ServeOptions> = {}): Promise<string> {
    const { config } = await makeQueue()
    const server = await serveDashboard({ config, port: 0, ...options })
    onTestFinished(() => server.close())
    return server.url.replace(/\/$/, "")
}

describe("a dashboard that is a server of its own", () => {
    it("listens on this machine only unless there is a token, and refuses what it cannot do", async () => {
        const { config } = await makeQueue()
        const wrong: [option: string, options: object][] = [
            ["token", { host: "0.0.0.0" }],
            ["token", { host: "::" }],
            ["token", { host: "example.com" }],
            ["token", { token: "short" }],
            ["token", { token: "with a space in it, and long" }],
            ["port", { port: 65_536 }],
            ["port", { port: 1.5 }],
            ["host", { host: "" }],
            ["authorize", { authorize: () => null }],
        ]
        for (const [option, options] of wrong) {
            const error = await serveDashboard({ config, ...options }).catch((thrown: unknown) => thrown)
            expect(error).toBeInstanceOf(InvalidOptionError)
            expect(error).toMatchObject({ option })
        }
        const origin = await serveQueue()
        expect(new URL(origin).hostname).toBe("127.0.0.1")
        expect(JSON.parse((await askRaw(origin, "/api/me")).text)).toMatchObject({ user: "local" })
        const { port } = new URL(origin)
        await expect(serveDashboard({ config, port: Number(port) })).rejects.toThrow("EADDRINUSE")
    })

    it("without a token answers only to names of this machine, so that no page elsewhere reaches it by another", async () => {
        const origin = await serveQueue()
        const { port } = new URL(origin)
        const statusFor = async (host: string) =>
            (await askRaw(origin, "/api/me", { headers: { host } })).status
        for (const host of [`localhost:${port}`, "127.0.0.1", `[::1]:${port}`, "LOCALHOST"])
            expect([host, await statusFor(host)]).toEqual([host, 200])
        for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"])
            expect([host, await statusFor(host)]).toEqual([host, 421])
    })

    it("with a token lets in who has it, by a header or by a cookie for which the address was shown once", async () => {
        const origin = await serveQueue({ token: TOKEN })
        const ask = (path: string, headers: Record<string, string> = {}) => askRaw(origin, path, { headers })
        const others = [
            {},
            { authorization: `Bearer ${TOKEN}x` },
            { authorization: TOKEN },
            { cookie: "x=y" },
        ]
        for (const headers of others) {
            for (const path of ["/", "/api/me", "/assets/icon.svg"])
                expect((await ask(path, headers as Record<string, string>)).status).toBe(401)
        }
        for (const path of ["/?token=wrong", "/?token=", `/?token=${TOKEN}x`])
            expect((await ask(path)).status).toBe(401)
        expect((await ask("/api/me", { authorization: `Bearer ${TOKEN}` })).status).toBe(200)
        const { status, headers } = await ask(`/?token=${TOKEN}`)
        expect([status, headers.location]).toEqual([303, "./"])
        const [cookie = ""] = headers["set-cookie"] ?? []
        expect(cookie).toMatch(
            /^cuckmq_dashboard_\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/,
        )
        expect(cookie).not.toContain(TOKEN)
        const [pair = ""] = cookie.split(";")
        expect((await ask("/api/me", { cookie: `a=b; ${pair}; c=d` })).status).toBe(200)
        expect((await ask("/api/me", { cookie: pair.slice(0, -1) })).status).toBe(401)
        expect(
            (await ask("/api/me", { host: "queue.example", authorization: `Bearer ${TOKEN}` })).status,
        ).toBe(200)
    })

    it.skipIf(!hasServer())("is served by the command line until it is interrupted", async () => {
        const { schemaName } = await makeQueue()
        const env = { DATABASE_URL: queueURL(), CUCKMQ_SCHEMA: schemaName }
        const argv = ["dashboard", "--port", "0", "--read-only"]
        const run = startCli(argv, { env })
        await eventually(() => run.stdout().includes("\n"))
        const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(run.stdout()) ?? []
        const { text } = await askRaw(url, "/api/me")
        expect(JSON.parse(text)).toMatchObject({ user: "local", isReadOnly: true, schema: schemaName })
        run.interrupt()
        expect(await run.result).toMatchObject({ code: 130, stderr: "" })
        await expect(askRaw(url, "/api/me")).rejects.toThrow()
        const open = startCli(["dashboard", "--host", "0.0.0.0"], { env })
        expect(await open.result).toMatchObject({ code: 2, stderr: expect.stringContaining("`token`") })
        const nowhere = startCli(["dashboard"], { env: { ...env, CUCKMQ_SCHEMA: "nowhere" } })
        expect((await nowhere.result).code).toBe(3)
    })
})
