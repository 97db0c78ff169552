import { createHash } from "node:crypto"
import { gunzipSync } from "node:zlib"
import type { UiFile } from "./ui-file.ts"
import { UI_FILES } from "./ui-files.ts"

/** A name that changes with what is in the file. */
const HASHED_NAME = /-[\w-]{8,}\.\w+$/

/** The files of the pages: nothing but what is in here can be asked for. */
const FILES: ReadonlyMap<string, UiFile> = new Map(UI_FILES.map((file) => [file.path, file]))

const etags = new Map<string, string>()

/**
 * Answers with a file of the pages; undefined where there is no such file. Servers of the web's handler compress by
 * themselves, some of them what is compressed already, so `mayGzip` is for Node's.
 */
export function fileAnswer(params: {
    path: string
    request: Request
    mayGzip: boolean
}): Response | undefined {
    const { path, request, mayGzip } = params
    const file = FILES.get(path)
    if (file === undefined) return undefined
    const etag = etagOf(file)
    const headers = new Headers({
        "content-type": file.type,
        etag,
        vary: "accept-encoding",
        // Not for caches that several share: who may see it is asked for each request.
        "cache-control": HASHED_NAME.test(path)
            ? "private, max-age=31536000, immutable"
            : "private, no-cache",
    })
    if (isKnown(etag, request.headers.get("if-none-match")))
        return new Response(null, { status: 304, headers })
    const gzipped = Buffer.from(file.gzip, "base64")
    const isGzipped = mayGzip && acceptsGzip(request.headers.get("accept-encoding"))
    if (isGzipped) headers.set("content-encoding", "gzip")
    const body = isGzipped ? gzipped : gunzipSync(gzipped)
    headers.set("content-length", String(body.byteLength))
    return new Response(request.method === "HEAD" ? null : new Uint8Array(body), { headers })
}

function etagOf({ path, gzip }: UiFile): string {
    const known =
        etags.get(path) ?? `W/"${createHash("sha256").update(gzip).digest("base64url").slice(0, 22)}"`
    etags.set(path, known)
    return known
}

function isKnown(etag: string, ifNoneMatch: string | null): boolean {
    const known = (ifNoneMatch ?? "").split(",").map((one) => one.trim())
    return known.includes(etag) || known.includes("*")
}

function acceptsGzip(acceptEncoding: string | null): boolean {
    const [, weight = "1"] = /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=([\d.]+))?\s*(?:,|$)/i.exec(
        acceptEncoding ?? "",
    ) ?? ["", "0"]
    return Number(weight) > 0
}
