import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { join } from "node:path"
import type { App } from "./app.ts"

const FOLDER = join(import.meta.dirname, "../next-app")
const NEXT = createRequire(import.meta.url).resolve("next/dist/bin/next")

/** In a route of its own, built for production, in a process of its own. */
export async function startNext(env: { DATABASE_URL: string; CUCKMQ_SCHEMA: string }): Promise<App> {
    const all = { ...process.env, ...env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" }
    const built = spawnSync(process.execPath, [NEXT, "build"], { cwd: FOLDER, env: all, encoding: "utf8" })
    if (built.status !== 0) throw new Error(`next build failed: ${built.stdout}${built.stderr}`)
    const port = await freePort()
    const args = [NEXT, "start", "--hostname", "127.0.0.1", "--port", String(port)]
    const server = spawn(process.execPath, args, {
        cwd: FOLDER,
        env: all,
        stdio: ["ignore", "pipe", "inherit"],
    })
    const ended = once(server, "exit")
    for await (const chunk of server.stdout) if (String(chunk).includes("Ready")) break
    return {
        origin: `http://127.0.0.1:${port}`,
        stop: async () => {
            server.kill("SIGKILL")
            await ended
        },
    }
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    server.close()
    await once(server, "close")
    return typeof address === "object" && address !== null ? address.port : 0
}
