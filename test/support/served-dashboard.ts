import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { createDashboard, type DashboardOptions } from "../../src/dashboard.ts"
import type { Config } from "../../src/index.ts"

/** A dashboard under a path of a server, until the test ends. */
export interface ServedDashboard {
    /** Where its document is. */
    url: string
    /** Ends all connections, and answers no more. */
    stop: () => Promise<void>
}

/** Serves a dashboard below `/admin/queue/`, to a user who may do everything unless told otherwise. */
export async function serveForTest(
    config: Config,
    options: Partial<DashboardOptions> = {},
): Promise<ServedDashboard> {
    const dashboard = createDashboard({ config, authorize: () => ({ user: "alice" }), ...options })
    const server = createServer((req, res) => {
        if (req.url?.startsWith("/admin/queue")) dashboard.node(req, res)
        else res.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    let isStopped = false
    const stop = async () => {
        if (isStopped) return
        isStopped = true
        await dashboard.close()
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        await closed
    }
    onTestFinished(stop)
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/admin/queue/`, stop }
}
