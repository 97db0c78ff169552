import type { Server } from "node:net"
import { onTestFinished } from "vitest"

/** Lets a proxy listen until the test ends. Returns how a server's clients reach it through the proxy. */
export async function proxied(proxy: Server, url: string): Promise<string> {
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void proxy.close())
    const address = proxy.address()
    const through = new URL(url)
    through.hostname = "127.0.0.1"
    through.port = String(address !== null && typeof address === "object" ? address.port : "")
    return through.href
}
