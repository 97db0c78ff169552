import type { Server } from "node:http"
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { originOf, type StartApp, stop } from "./app.ts"

/** In an app of an app. */
export const startHono: StartApp = async (dashboard) => {
    const tools = new Hono()
    tools.all("/queues/*", (c) => dashboard.fetch(c.req.raw, c))
    const admin = new Hono().route("/tools", tools)
    const app = new Hono().route("/admin", admin)
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { origin: originOf(server), stop: () => stop(server) }
}
