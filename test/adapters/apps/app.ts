import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Dashboard } from "cuckmq/dashboard"

/** Where each app has the dashboard: two levels deep, by whatever nesting its framework has. */
export const MOUNT = "/admin/tools/queues"

/** An app that listens. */
export interface App {
    readonly origin: string
    stop(): Promise<void>
}

/** Makes an app of a framework, with a dashboard in it. */
export type StartApp = (dashboard: Dashboard) => Promise<App>

/** Has an app of Node listen on any port. */
export async function listen(handler: RequestListener): Promise<App> {
    const server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { origin: originOf(server), stop: () => stop(server) }
}

/** Where a server listens. */
export function originOf(server: Pick<Server, "address">): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Ends a server, with the connections that are kept for later. */
export function stop(server: Server): Promise<void> {
    return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
    })
}
