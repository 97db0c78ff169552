import { connect, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { proxied } from "./proxied.ts"

/** A way to one server that can be turned to another: what a failover does to those who connect by name. */
export async function makeSwitchingProxy(url: string): Promise<{ url: string; turnTo(url: string): void }> {
    const sockets = new Set<Socket>()
    let target = new URL(url)
    const proxy = createServer((client) => {
        const server = connect({ port: Number(target.port), host: target.hostname })
        for (const [from, to] of [
            [client, server],
            [server, client],
        ] as const) {
            sockets.add(from)
            from.pipe(to)
            from.on("error", () => to.destroy())
            from.on("close", () => {
                sockets.delete(from)
                to.destroy()
            })
        }
    })
    const through = await proxied(proxy, url)
    const cut = () => {
        for (const socket of sockets) socket.destroy()
    }
    onTestFinished(cut)
    return {
        url: through,
        turnTo: (other) => {
            target = new URL(other)
            cut()
        },
    }
}
