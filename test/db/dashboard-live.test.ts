import { get as httpGet, type IncomingMessage } from "node:http"
import { describe, expect, it } from "vitest"
import type { Access } from "../../src/dashboard.ts"
import type { Counts } from "../../src/index.ts"
import { shiftedClock } from "../support/clock.ts"
import { eventsOf, MOUNT, makeDashboard, serve } from "../support/dashboard.ts"
import { define } from "../support/define.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const LIVE = `${MOUNT}api/live`

describe("the live stream of a dashboard", () => {
    it("tells of what is live, again and again, to all who listen from one snapshot", async () => {
        const queue = await makeQueue()
        const { dashboard, get } = makeDashboard(queue)
        const streams = await Promise.all([1, 2, 3].map(() => dashboard.fetch(new Request(LIVE))))
        expect(streams.map(({ headers }) => headers.get("content-type"))).toEqual(
            Array(3).fill("text/event-stream; charset=utf-8"),
        )
        const readers = streams.map(eventsOf)
        const firsts = await Promise.all(readers.map((reader) => reader.next()))
        const [first] = firsts
        expect(first?.value).toMatchObject({
            event: "snapshot",
            data: { numListeners: 3, counts: { definitions: [] }, workers: [], operations: [] },
        })
        expect(new Set(firsts.map(({ value }) => JSON.stringify(value))).size).toBe(1)
        expect((await get("api/snapshot")).body).toMatchObject({ at: first?.value.data.at })
        await define(queue.config, () => undefined).defer({ payload: {} })
        const seconds = await Promise.all(readers.map((reader) => reader.next()))
        expect(seconds[0]?.value).toMatchObject({
            event: "snapshot",
            data: { counts: { total: { ready: { num: 1 } } } },
        })
        expect(new Set(seconds.map(({ value }) => JSON.stringify(value))).size).toBe(1)
        await Promise.all(readers.map((reader) => reader.return(undefined)))
        expect((await get("api/snapshot")).body).toMatchObject({ numListeners: 0 })
    })

    it("ends with the dashboard, with the request, and when nobody is let in any more", async () => {
        const queue = await makeQueue()
        const { dashboard } = makeDashboard(queue)
        const aborting = new AbortController()
        const aborted = eventsOf(await dashboard.fetch(new Request(LIVE, { signal: aborting.signal })))
        const closed = eventsOf(await dashboard.fetch(new Request(LIVE)))
        await aborted.next()
        await closed.next()
        aborting.abort()
        expect((await aborted.next()).done).toBe(true)
        await dashboard.close()
        expect((await closed.next()).done).toBe(true)
        expect((await dashboard.fetch(new Request(LIVE))).status).toBe(503)
    })

    it("asks once a minute what they who listen may see", async () => {
        const queue = await makeQueue()
        await define(queue.config, () => undefined, { name: "mail" }).defer({ payload: {} })
        const clock = shiftedClock()
        let access: Access = { user: "ada" }
        let numAsked = 0
        const { dashboard } = makeDashboard(queue, {
            authorize: () => {
                numAsked++
                return access
            },
        })
        const events = eventsOf(await dashboard.fetch(new Request(LIVE)))
        const next = async () => {
            const { value } = await events.next()
            const { counts } = (value as { data: { counts: Counts } }).data
            return [numAsked, counts.definitions.map(({ definition }) => definition)]
        }
        expect(await next()).toEqual([1, ["mail"]])
        access = { user: "ada", can: (_action, { definition }) => definition === undefined }
        // Not before the minute is over.
        expect(await next()).toEqual([1, ["mail"]])
        clock.shift(60_001)
        expect(await next()).toEqual([2, []])
        await events.return(undefined)
    })

    it("ends when they who listen may no longer, and nobody listens then", async () => {
        const queue = await makeQueue()
        const clock = shiftedClock()
        const told: unknown[] = []
        let isIn = true
        const refusals: (() => Access | Response | null)[] = [
            () => null,
            () => new Response(null, { status: 302 }),
            () => ({ user: "ada", can: () => false }),
            () => {
                throw new Error("the directory is down")
            },
        ]
        const streams = await Promise.all(
            refusals.map(async (refuse) => {
                const authorize = () => (isIn ? { user: "ada" } : refuse())
                const tested = makeDashboard(queue, { authorize, onError: (error) => told.push(error) })
                const events = eventsOf(await tested.dashboard.fetch(new Request(LIVE)))
                expect((await events.next()).value).toMatchObject({ event: "snapshot" })
                return { ...tested, events }
            }),
        )
        isIn = false
        clock.shift(60_001)
        for (const { events } of streams) expect((await events.next()).done).toBe(true)
        expect(told.map(String)).toEqual(["Error: the directory is down"])
        isIn = true
        for (const { get } of streams)
            expect((await get("api/snapshot")).body).toMatchObject({ numListeners: 0 })
    })

    it("keeps nothing for who does not read: what they read next is what is live then", async () => {
        const queue = await makeQueue()
        const { dashboard } = makeDashboard(queue)
        const slow = eventsOf(await dashboard.fetch(new Request(LIVE)))
        const fast = eventsOf(await dashboard.fetch(new Request(LIVE)))
        await slow.next()
        await fast.next()
        await fast.next()
        const { value: newest } = await fast.next()
        expect((await slow.next()).value).toEqual(newest)
        await Promise.all([slow.return(undefined), fast.return(undefined)])
    })

    it("has room for 200, and answers 503 to the next", async () => {
        const { dashboard } = makeDashboard(await makeQueue())
        const streams = await Promise.all(
            Array.from({ length: 201 }, () => dashboard.fetch(new Request(LIVE))),
        )
        const statuses = streams.map(({ status }) => status).sort()
        expect([statuses[199], statuses[200]]).toEqual([200, 503])
        await Promise.all(streams.map(({ body }) => body?.cancel()))
        expect((await dashboard.fetch(new Request(LIVE))).status).toBe(200)
    })

    it("goes on by itself where the database cannot be asked for a time, and says so", async () => {
        const queue = await makeQueue()
        const { dashboard } = makeDashboard(queue)
        const events = eventsOf(await dashboard.fetch(new Request(LIVE)))
        await events.next()
        const moved = `"moved ${queue.schemaName.slice(-20)}"`
        await queue.sql.query(`alter schema ${queue.schema} rename to ${moved}`)
        await eventually(async () => (await events.next()).value?.event === "gone")
        await queue.sql.query(`alter schema ${moved} rename to ${queue.schema}`)
        await eventually(async () => (await events.next()).value?.event === "snapshot")
        await events.return(undefined)
    })

    it("is left when a client of Node's handler is gone", async () => {
        const { dashboard, get } = makeDashboard(await makeQueue())
        const origin = await serve((req, res) => dashboard.node(req, res))
        const response = await new Promise<IncomingMessage>((resolve) =>
            httpGet(`${origin}/queues/api/live`, resolve),
        )
        expect(response.headers["cache-control"]).toBe("no-store, no-transform")
        const [chunk] = (await response.take(1).toArray()) as Buffer[]
        expect(String(chunk)).toMatch(/^retry: 3000\n/)
        response.destroy()
        await eventually(
            async () => ((await get("api/snapshot")).body as { numListeners: number }).numListeners === 0,
        )
    })
})
