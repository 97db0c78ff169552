import { once } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Readable } from "node:stream"
import type { ReadBody } from "./body.ts"
import { type Place, placeOf, placeWithin, withSlash } from "./place.ts"

/** How long somebody who reads nothing may keep an answer waiting, in milliseconds. */
const UNREAD_MS = 60_000

/** What a request of Node asks for. */
export interface NodeAsked {
    request: Request
    place: Place
    readBefore: ReadBody | undefined
}

/** What frameworks add to a request: the address before a prefix was taken off, and the body that they have read. */
interface KnownRequest extends IncomingMessage {
    originalUrl?: unknown
    body?: unknown
}

/** Answers a request of Node. Never throws, and leaves no promise that rejects. */
export function answerNode(params: {
    req: IncomingMessage
    res: ServerResponse
    next: ((error?: unknown) => void) | undefined
    answer: (asked: NodeAsked) => Promise<Response>
}): void {
    const { req, res, next, answer } = params
    let asked: NodeAsked
    try {
        asked = toAsked(req)
    } catch {
        // The address or a header cannot be what they are said to be.
        res.writeHead(400, { "content-type": "text/plain; charset=utf-8" }).end(
            "this request cannot be read\n",
        )
        return
    }
    if (asked.place.kind === "nothing" && next !== undefined) return next()
    answer(asked)
        .then((response) => send(response, res, req.method === "HEAD"))
        .catch(() => res.destroy())
}

function toAsked(req: KnownRequest): NodeAsked {
    const { originalUrl, url: path = "/" } = req
    const address = typeof originalUrl === "string" ? originalUrl : path
    const url = new URL(originOf(req) + pathIn(address))
    const headers = new Headers()
    for (const [name, value] of Object.entries(req.headers)) {
        if (name.startsWith(":") || value === undefined) continue
        for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one)
    }
    const method = req.method ?? "GET"
    const hasBody = method !== "GET" && method !== "HEAD"
    const readBefore = hasBody ? bodyReadBefore(req) : undefined
    const body = hasBody && readBefore === undefined ? (Readable.toWeb(req) as ReadableStream) : null
    // The web knows no requests with these: that there is another method says as much.
    const known = /^(CONNECT|TRACE|TRACK)$/i.test(method) ? "OPTIONS" : method
    return {
        request: new Request(url, { method: known, headers, body, duplex: "half" } as RequestInit),
        place: placeOfNode({ pathname: url.pathname, path: pathIn(path), address: pathIn(address) }),
        readBefore,
    }
}

/** Where a framework has taken the prefix off, what is left says exactly what is meant. */
function placeOfNode(params: { pathname: string; path: string; address: string }): Place {
    const { pathname, path, address } = params
    if (path === address) return placeOf(pathname)
    const { pathname: within } = new URL(`http://localhost${path}`)
    if (within !== "/" || pathname.endsWith("/")) return placeWithin(within)
    return { kind: "redirect", to: withSlash(pathname.split("/").at(-1) ?? "") }
}

/** A request may name the whole address. */
function pathIn(address: string): string {
    if (address.startsWith("/")) return address
    if (address.startsWith("?")) return `/${address}`
    const { pathname, search } = new URL(address)
    return pathname + search
}

function originOf(req: IncomingMessage): string {
    const isEncrypted = "encrypted" in req.socket && req.socket.encrypted === true
    const host = req.headers.host ?? req.headers[":authority"] ?? "localhost"
    const { origin, pathname, username } = new URL(`${isEncrypted ? "https" : "http"}://${host}`)
    if (pathname !== "/" || username !== "") throw new TypeError("no host")
    return origin
}

/** Undefined where the body is still to be read. */
function bodyReadBefore(req: KnownRequest): ReadBody | undefined {
    if (req.body !== undefined && req.body !== null) return { value: req.body }
    return req.readableEnded || req.readableDidRead ? { value: undefined } : undefined
}

async function send(response: Response, res: ServerResponse, isHead: boolean): Promise<void> {
    res.statusCode = response.status
    // What a server allows others to read of its own is not ours to be read.
    for (const name of res.getHeaderNames()) if (name.startsWith("access-control-")) res.removeHeader(name)
    for (const [name, value] of response.headers) if (name !== "set-cookie") res.setHeader(name, value)
    const cookies = response.headers.getSetCookie()
    if (cookies.length > 0) res.setHeader("set-cookie", cookies)
    if (response.body === null || isHead) {
        await response.body?.cancel()
        res.end()
        return
    }
    const reader = response.body.getReader()
    res.once("close", () => void reader.cancel().catch(() => undefined))
    res.on("error", () => undefined)
    for (;;) {
        const { done, value } = await reader.read()
        if (done || res.destroyed) break
        if (!res.write(value)) await drained(res)
    }
    res.end()
}

/** Resolves when more can be sent, or the connection is no more: we end it where nothing of it is read. */
async function drained(res: ServerResponse): Promise<void> {
    const over = new AbortController()
    const timer = setTimeout(() => res.destroy(), UNREAD_MS)
    timer.unref()
    const { signal } = over
    await Promise.race([once(res, "drain", { signal }), once(res, "close", { signal })])
        .catch(() => undefined)
        .finally(() => {
            clearTimeout(timer)
            over.abort()
        })
}
