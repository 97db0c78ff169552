import { forbidden } from "./refusal.ts"

/**
 * Refuses what another site has a browser send. Browsers say so by `Sec-Fetch-Site`, to https and to localhost, or at least
 * by `Origin`. What sends neither is no browser, and nothing that a browser could be tricked with: a form cannot have the content
 * type that bodies need here, and a script that asks for it first has to ask us whether it may, which nobody
 * answers. `Origin` counts by its host, as `Host` has it, since a proxy that ends TLS hides the scheme.
 *
 * @throws Refusal with 403.
 */
export function demandSameOrigin(request: Request, trustedOrigins: ReadonlySet<string>): void {
    const { headers } = request
    const site = headers.get("sec-fetch-site")
    const origin = headers.get("origin")
    if (site !== null && site !== "same-origin") throw refused()
    if (site === "same-origin" || origin === null) return
    if (trustedOrigins.has(origin) || isOwn(origin, request)) return
    throw refused()
}

/** Refuses to be asked by another site: its scripts could not read the answer, but time how long it took. */
export function demandNoOtherSite(request: Request): void {
    const site = request.headers.get("sec-fetch-site")
    if (site === "cross-site" || site === "same-site") throw refused()
}

function isOwn(origin: string, request: Request): boolean {
    if (!URL.canParse(origin)) return false
    const { host, protocol } = new URL(origin)
    if (!/^https?:$/.test(protocol)) return false
    return host === new URL(request.url).host || host === hostOf(request, protocol)
}

/** `Host`, without a port that goes without saying, as `Origin` has it. */
function hostOf(request: Request, protocol: string): string | undefined {
    const url = `${protocol}//${request.headers.get("host")}`
    return URL.canParse(url) ? new URL(url).host : undefined
}

function refused() {
    return forbidden("this request comes from another site")
}
