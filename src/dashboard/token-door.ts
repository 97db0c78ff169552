import { createHash, timingSafeEqual } from "node:crypto"
import type { Access } from "./dashboard-options.ts"

/** For how long a browser keeps its cookie, in seconds: a week. */
const MAX_AGE_S = 7 * 24 * 60 * 60

/** Lets in those who know a token. */
export class TokenDoor {
    readonly #token: Buffer
    /** What browsers have in the place of the token, which they could be made to show. */
    readonly #pass: string
    readonly #passDigest: Buffer

    constructor(token: string) {
        this.#token = digestOf(token)
        this.#pass = digestOf(`cuckmq dashboard: ${token}`).toString("base64url")
        this.#passDigest = digestOf(this.#pass)
    }

    /** Who sends a request; a redirect for one who has shown the token in the address, where it must not stay; null for nobody. */
    accessOf(request: Request): Access | Response | null {
        const [, bearer] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? []
        if (isSame(bearer, this.#token)) return { user: "token" }
        const url = new URL(request.url)
        if (request.method === "GET" && isSame(url.searchParams.get("token") ?? undefined, this.#token))
            return this.#letIn(url)
        return isSame(cookieIn(request, cookieName(url)), this.#passDigest) ? { user: "token" } : null
    }

    #letIn(url: URL): Response {
        const attributes = `HttpOnly; SameSite=Strict; Path=/; Max-Age=${MAX_AGE_S}`
        return new Response(null, {
            status: 303,
            headers: {
                location: "./",
                "cache-control": "no-store",
                "set-cookie": `${cookieName(url)}=${this.#pass}; ${attributes}`,
            },
        })
    }
}

/** Cookies are those of a host, whichever its port; so the name tells dashboards of one host apart. */
function cookieName({ port }: URL): string {
    return `cuckmq_dashboard_${port || "default"}`
}

function cookieIn(request: Request, name: string): string | undefined {
    const cookies = (request.headers.get("cookie") ?? "").split(";").map((one) => one.trim())
    return cookies.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
}

function digestOf(text: string): Buffer {
    return createHash("sha256").update(text).digest()
}

/** Takes the same time wherever the difference is. */
function isSame(text: string | undefined, digest: Buffer): boolean {
    return text !== undefined && timingSafeEqual(digestOf(text), digest)
}
