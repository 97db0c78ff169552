import { connect, createServer } from "node:net"
import { proxied } from "./proxied.ts"

const DONE = Buffer.from("LISTEN\0")

/** What a server says to a session that it ends, as its wire has it. */
function farewell(): Buffer {
    const fields = ["SFATAL", "VFATAL", "C57P01", "Mterminating connection due to administrator command"]
    const body = Buffer.from(`${fields.join("\0")}\0\0`)
    const head = Buffer.alloc(5)
    head.write("E")
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
}

/**
 * A proxy that ends the first `numCuts` sessions that begin to listen, in the same breath as they are told that they do:
 * as when a server ends a session just then, and both arrive together.
 */
export async function makeCuttingProxy(url: string, numCuts: number): Promise<{ url: string }> {
    const { hostname, port } = new URL(url)
    let numLeft = numCuts
    const proxy = createServer((client) => {
        const server = connect(Number(port), hostname)
        const end = () => {
            client.destroy()
            server.destroy()
        }
        for (const socket of [client, server]) socket.on("error", end).on("close", end)
        client.on("data", (chunk) => server.write(chunk))
        server.on("data", (chunk: Buffer) => {
            if (numLeft === 0 || !chunk.includes(DONE)) return void client.write(chunk)
            numLeft--
            client.end(Buffer.concat([chunk, farewell()]))
        })
    })
    return { url: await proxied(proxy, url) }
}
