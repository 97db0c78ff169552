import { connect, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** A way to a server that can fall silent: connections stay open, and nothing passes any more, not even their end. */
export async function makeSilentProxy(url: string): Promise<{ url: string; fallSilent(): void }> {
    const { port, hostname } = new URL(url)
    const sockets = new Set<Socket>()
    let isSilent = false
    const pass = (from: Socket, to: Socket) => {
        sockets.add(from)
        from.on("error", () => undefined)
        from.on("data", (data) => void (isSilent || to.write(data)))
        from.on("end", () => void (isSilent || to.end()))
    }
    const proxy = createServer({ allowHalfOpen: true }, (client) => {
        const server = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
        pass(client, server)
        pass(server, client)
    })
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
    const cut = () => {
        for (const socket of sockets) socket.destroy()
    }
    onTestFinished(() => {
        proxy.close()
        cut()
    })
    const address = proxy.address()
    const proxied = new URL(url)
    proxied.hostname = "127.0.0.1"
    proxied.port = String(address !== null && typeof address === "object" ? address.port : "")
    return {
        url: proxied.href,
        fallSilent: () => {
            isSilent = true
            // Before the pools are ended, which would wait for an answer.
            onTestFinished(cut)
        },
    }
}
