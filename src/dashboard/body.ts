import { badRequest, Refusal } from "./refusal.ts"

/** How large a body may be, in bytes. */
export const MAX_BODY_BYTES = 64 * 1024

/** A body that somebody has read before: a parsed value, or a text. */
export interface ReadBody {
    value: unknown
}

/**
 * Reads the body of a request: an object.
 *
 * @throws Refusal with 413 for one that is too large, 415 for what is not declared as JSON, 400 for what is none.
 */
export async function readBody(request: Request, readBefore: ReadBody | undefined): Promise<object> {
    if (!isJson(request.headers.get("content-type")))
        throw new Refusal({
            status: 415,
            code: "DASHBOARD_UNSUPPORTED_MEDIA_TYPE",
            message: "expected a body of the content type application/json",
        })
    if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge()
    const value = readBefore === undefined ? parsed(await textOf(request.body)) : valueIn(readBefore.value)
    if (typeof value !== "object" || value === null || Array.isArray(value))
        throw badRequest("expected the body to be a JSON object")
    return value
}

/**
 * The fields of an object of a body.
 *
 * @throws Refusal with 400 for what is no object, or has a field that is not known.
 */
export function fieldsOf(name: string, value: unknown, known: readonly string[]): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value))
        throw badRequest(`expected ${name} to be a JSON object`)
    for (const field of Object.keys(value)) {
        if (!known.includes(field))
            throw badRequest(
                `there is no field ${JSON.stringify(field.slice(0, 80))} in ${name}; ${known.length === 0 ? "it is empty" : `there are: ${known.join(", ")}`}`,
            )
    }
    return value as Record<string, unknown>
}

function isJson(contentType: string | null): boolean {
    return /^application\/json\s*(;|$)/i.test(contentType?.trim() ?? "")
}

/** Frameworks parse bodies, or leave text or bytes. */
function valueIn(value: unknown): unknown {
    if (value instanceof Uint8Array) return parsed(textOfBytes(value))
    if (typeof value !== "string") return value
    if (value.length > MAX_BODY_BYTES) throw tooLarge()
    return parsed(value)
}

async function textOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
    if (body === null) return ""
    const chunks: Uint8Array[] = []
    let numBytes = 0
    const reader = body.getReader()
    for (;;) {
        const { done, value } = await reader.read()
        if (done) return textOfBytes(Buffer.concat(chunks))
        numBytes += value.byteLength
        if (numBytes > MAX_BODY_BYTES) {
            await reader.cancel().catch(() => undefined)
            throw tooLarge()
        }
        chunks.push(value)
    }
}

function textOfBytes(bytes: Uint8Array): string {
    if (bytes.byteLength > MAX_BODY_BYTES) throw tooLarge()
    try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    } catch {
        throw badRequest("expected the body to be UTF-8")
    }
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text)
    } catch {
        throw badRequest("expected the body to be JSON")
    }
}

function tooLarge(): Refusal {
    return new Refusal({
        status: 413,
        code: "DASHBOARD_BODY_TOO_LARGE",
        message: `expected a body of at most ${MAX_BODY_BYTES} bytes`,
    })
}
