import type { ErrorAnswer } from "./api.ts"
import type { Refusal } from "./refusal.ts"

/** What every answer says: nothing of it runs or is shown elsewhere, and nothing from elsewhere runs in it. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
    "content-security-policy":
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

const NOT_KEPT = { "cache-control": "no-store" }

/** An answer, as JSON. */
export function json(value: unknown, status = 200): Response {
    return new Response(JSON.stringify(value), {
        status,
        headers: { ...NOT_KEPT, "content-type": "application/json; charset=utf-8" },
    })
}

/** An answer, as text. */
export function text(value: string, contentType = "text/plain; charset=utf-8"): Response {
    return new Response(value, { headers: { ...NOT_KEPT, "content-type": contentType } })
}

/** What tells of a refusal: JSON where the pages ask, and a line of text for who opened a page. */
export function refused(
    { status, code, message, headers }: Refusal,
    { isApi }: { isApi: boolean },
): Response {
    const body: ErrorAnswer = { error: { code, message } }
    const response = isApi ? json(body, status) : new Response(`${message}\n`, { status, headers: NOT_KEPT })
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
    return response
}

/** Sends elsewhere, by an address relative to that which was asked for. */
export function redirect(to: string): Response {
    return new Response(null, { status: 302, headers: { ...NOT_KEPT, location: to } })
}

/** The same answer with the headers that all have. */
export function secured(response: Response): Response {
    const headers = new Headers(response.headers)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value)
    const { status, statusText } = response
    return new Response(response.body, { status, statusText, headers })
}
