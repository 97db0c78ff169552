import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Config } from "../index.ts"
import { createDashboard } from "./dashboard.ts"
import { type DashboardOptions, knownNames, refuse } from "./dashboard-options.ts"
import { isLoopback, isLoopbackHost } from "./loopback.ts"
import { TokenDoor } from "./token-door.ts"

/** The options of a dashboard that is a server of its own. */
export interface ServeOptions extends Pick<DashboardOptions, "redact" | "title" | "isReadOnly" | "onError"> {
    /** The queue to show. */
    config: Config
    /** The port to listen on: 0 to 65,535, where 0 is any that is free. Default 4321. */
    port?: number
    /** The address to listen on. One that others can reach needs a `token`. Default `127.0.0.1`. */
    host?: string
    /**
     * What everybody has to know who wants to see the dashboard: a text of 16 to 1,000 visible ASCII characters. It is sent as
     * `Authorization: Bearer …`, or once as `?token=…` by a browser, which gets a cookie for it. Use TLS in front of it where
     * others could listen in. Default none: whoever can reach the port on this machine may do everything.
     */
    token?: string
}

/** A dashboard that is a server of its own. */
export interface DashboardServer {
    /** Where it is, such as `http://127.0.0.1:4321/`. */
    readonly url: string
    /** Stops listening, and ends what is open. */
    close(): Promise<void>
}

/** The defaults of `ServeOptions`. */
export const SERVE_DEFAULTS = Object.freeze({ port: 4321, host: "127.0.0.1" })

const NAMES = ["config", "port", "host", "token", "redact", "title", "isReadOnly", "onError"]
const MAX_PORT = 65_535

/**
 * Serves a dashboard, and nothing else. On an address of this machine alone it answers only requests that name it by such an
 * address too, so that no page elsewhere reaches it by a name that it has made to lead here. The queue and its pool
 * stay yours.
 *
 * @returns once it listens.
 * @throws InvalidOptionError for an option that is unknown or out of its range, or an address that needs a token.
 */
export async function serveDashboard(options: ServeOptions): Promise<DashboardServer> {
    const { port, host, token } = checked(options)
    const { config, redact, title, isReadOnly, onError } = options
    const door = token === undefined ? undefined : new TokenDoor(token)
    const dashboard = createDashboard({
        config,
        authorize: (request) => (door === undefined ? { user: "local" } : door.accessOf(request)),
        ...(redact === undefined ? {} : { redact }),
        ...(title === undefined ? {} : { title }),
        ...(isReadOnly === undefined ? {} : { isReadOnly }),
        ...(onError === undefined ? {} : { onError }),
    })
    const server = createServer((req, res) => {
        if (door === undefined && !isLoopbackHost(req.headers.host))
            res.writeHead(421, { "content-type": "text/plain; charset=utf-8" }).end(
                "expected to be asked for localhost\n",
            )
        else dashboard.node(req, res)
    })
    await listening(server, { port, host })
    return {
        url: urlOf(server.address() as AddressInfo),
        close: async () => {
            await dashboard.close()
            await closed(server)
        },
    }
}

function checked(options: ServeOptions): { port: number; host: string; token: string | undefined } {
    knownNames("serveDashboard", options, NAMES)
    const { port = SERVE_DEFAULTS.port, host = SERVE_DEFAULTS.host, token } = options
    if (!Number.isInteger(port) || port < 0 || port > MAX_PORT)
        refuse("port", `a whole number from 0 to ${MAX_PORT}`)
    if (typeof host !== "string" || host.trim() === "") refuse("host", "an address to listen on")
    if (token !== undefined && (typeof token !== "string" || !/^[\x21-\x7e]{16,1000}$/.test(token)))
        refuse("token", "a text of 16 to 1,000 visible ASCII characters")
    if (token === undefined && !isLoopback(host))
        refuse("token", `given, since others can reach the address ${JSON.stringify(host.slice(0, 80))}`)
    return { port, host, token }
}

function listening(server: Server, address: { port: number; host: string }): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once("error", reject)
        server.listen(address, () => {
            server.off("error", reject)
            resolve()
        })
    })
}

function urlOf({ address, port, family }: AddressInfo): string {
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}/`
}

/** Connections that are kept for later requests end too. */
function closed(server: Server): Promise<void> {
    return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
    })
}
