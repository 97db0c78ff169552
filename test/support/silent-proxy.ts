import { connect, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { proxied } from "./proxied.ts"

/** A way to a server that can fall silent. */
export interface SilentProxy {
    readonly url: string
    /** Connections, those of now and new ones, stay open, and nothing passes any more, not even their end. */
    fallSilent(): void
    /** New connections pass again. Those that fell silent stay so. */
    speakAgain(): void
}

export async function makeSilentProxy(url: string): Promise<SilentProxy> {
    const { port, hostname } = new URL(url)
    const sockets = new Set<Socket>()
    const silenced = new Set<Socket>()
    let isSilent = false
    const pass = (from: Socket, to: Socket) => {
        sockets.add(from)
        if (isSilent) silenced.add(from)
        from.on("error", () => undefined)
        from.on("data", (data) => void (silenced.has(from) || to.write(data)))
        from.on("end", () => void (silenced.has(from) || to.end()))
    }
    const proxy = createServer({ allowHalfOpen: true }, (client) => {
        const server = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
        pass(client, server)
        pass(server, client)
    })
    const through = await proxied(proxy, url)
    const cut = () => {
        for (const socket of sockets) socket.destroy()
    }
    onTestFinished(cut)
    return {
        url: through,
        fallSilent: () => {
            isSilent = true
            for (const socket of sockets) silenced.add(socket)
            // Before the pools are ended, which would wait for an answer.
            onTestFinished(cut)
        },
        speakAgain: () => {
            isSilent = false
        },
    }
}
