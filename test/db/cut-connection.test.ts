import { createServer } from "node:net"
import pg from "pg"
import { describe, expect, it, onTestFinished } from "vitest"
import { pgDriver } from "../../src/db/pg-driver.ts"

function message(type: string, body: Buffer): Buffer {
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length + 4)
    return Buffer.concat([Buffer.from(type), length, body])
}

const AUTHENTICATED = message("R", Buffer.alloc(4))
const READY = message("Z", Buffer.from("I"))
const SHUTTING_DOWN = message("E", Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"))

/** A server that ends each session as soon as it is ready, and says both in one packet. Returns its port. */
async function makeCuttingServer(): Promise<number> {
    const server = createServer((socket) => {
        socket.on("error", () => undefined)
        socket.once("data", () => socket.end(Buffer.concat([AUTHENTICATED, READY, SHUTTING_DOWN])))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
}

describe("a connection that is cut", () => {
    it("in the moment in which it is ready fails its statement, and not the process", async () => {
        const pool = new pg.Pool({
            host: "127.0.0.1",
            port: await makeCuttingServer(),
            user: "someone",
            max: 1,
        })
        const { query } = pgDriver(pool, { preparedStatements: true })
        for (let tries = 0; tries < 3; tries++) {
            await expect(query({ text: "select 1", values: [], deadlineMs: 5_000 })).rejects.toThrow()
        }
        await pool.end()
    })
})
