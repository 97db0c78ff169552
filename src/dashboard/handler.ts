import { json, redirect, refused, secured } from "./answer.ts"
import { type ReadBody, readBody } from "./body.ts"
import type { CheckedOptions } from "./dashboard-options.ts"
import { type Permit, permitOf } from "./permit.ts"
import type { Place } from "./place.ts"
import { Query } from "./query.ts"
import { forbidden, isHidden, notFound, Refusal, toRefusal } from "./refusal.ts"
import type { Call, Parts, Route } from "./route.ts"
import { type Match, match, methodNotAllowed } from "./router.ts"
import { demandNoOtherSite, demandSameOrigin } from "./same-origin.ts"
import type { Turns } from "./turns.ts"
import { fileAnswer } from "./ui.ts"

/** How long an answer that changes nothing may take, with the time that it waits for its turn, in milliseconds. */
const DEADLINE_MS = 10_000

/** A request, and what is known of it. */
export interface Asked<Context> {
    request: Request
    context: Context
    place: Place
    /** Whether files may be sent gzipped. */
    mayGzip: boolean
    /** Its body, where a framework has read it. */
    readBefore?: ReadBody | undefined
}

/** What answers requests. */
export interface Handling<Context> {
    options: CheckedOptions<Context>
    parts: Parts
    routes: readonly Route[]
    turns: Turns
    /** Aborted when the dashboard is closed. */
    closing: AbortSignal
}

/** Answers a request. Never rejects. */
export async function handle<Context>(handling: Handling<Context>, asked: Asked<Context>): Promise<Response> {
    const { request, place } = asked
    try {
        return secured(await answerTo(handling, asked))
    } catch (error) {
        if (isHidden(error)) tell(handling.options.onError, error)
        // The rest of a body that is refused is not read; who sends more waits for nothing.
        const isApi = place.kind === "api"
        const response = secured(refused(toRefusal(error), { isApi }))
        return request.method === "HEAD" ? new Response(null, response) : response
    }
}

async function answerTo<Context>(handling: Handling<Context>, asked: Asked<Context>): Promise<Response> {
    const { request, context, place } = asked
    const { options, closing } = handling
    if (closing.aborted) throw closed()
    const permit = await permitOf({ options, request, context })
    if (permit instanceof Response) return permit
    if (place.kind === "api") return apiAnswer({ handling, asked, permit, paths: place.paths })
    if (place.kind === "nothing") throw notFound("there is no such page")
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed(["GET", "HEAD"])
    if (place.kind === "redirect") return redirect(`${place.to}${new URL(request.url).search}`)
    const path = place.kind === "document" ? "index.html" : `assets/${place.name}`
    return fileAnswer({ path, request, mayGzip: asked.mayGzip }) ?? refuseAsset()
}

function refuseAsset(): never {
    throw notFound("there is no such file")
}

async function apiAnswer<Context>(params: {
    handling: Handling<Context>
    asked: Asked<Context>
    permit: Permit
    paths: readonly string[][]
}): Promise<Response> {
    const { handling, asked, permit, paths } = params
    const { request } = asked
    const { options, routes, turns } = handling
    demandNoOtherSite(request)
    const found = match(routes, request.method, paths)
    if (found === undefined) throw notFound("there is nothing of that name")
    if (request.method === "POST") {
        demandSameOrigin(request, options.trustedOrigins)
        if (options.isReadOnly) throw forbidden("nothing may be changed: the dashboard is read-only")
    }
    const call = await callOf({ handling, asked, permit, found })
    await permit.demand("view")
    const answer = () => found.route.answer(call)
    // What lasts for as long as somebody listens has no turn and no deadline.
    if (found.route.isStream === true) return toResponse(await answer())
    const work = turns.take(answer)
    return toResponse(await (request.method === "POST" ? work : withinDeadline(work)))
}

async function callOf<Context>(params: {
    handling: Handling<Context>
    asked: Asked<Context>
    permit: Permit
    found: Match
}): Promise<Call> {
    const { handling, asked, permit, found } = params
    const { request, context, readBefore } = asked
    const { options, parts, closing } = handling
    const { route, id } = found
    const query = new Query(new URL(request.url).searchParams, route.query ?? [])
    const body = route.method === "POST" ? await readBody(request, readBefore) : {}
    return {
        ...{ parts, permit, id, query, body },
        signal: AbortSignal.any([request.signal, closing]),
        renewPermit: async () => {
            try {
                const renewed = await permitOf({ options, request, context })
                return renewed instanceof Response || !(await renewed.may("view")) ? undefined : renewed
            } catch (error) {
                if (isHidden(error)) tell(options.onError, error)
                return undefined
            }
        },
    }
}

function closed(): Refusal {
    return new Refusal({ status: 503, code: "DASHBOARD_CLOSED", message: "the dashboard is closed" })
}

function toResponse(answer: unknown): Response {
    return answer instanceof Response ? answer : json(answer)
}

async function withinDeadline<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            reject(
                new Refusal({
                    status: 503,
                    code: "DASHBOARD_TOO_LATE",
                    message: `there was no answer within ${DEADLINE_MS / 1_000} seconds`,
                }),
            )
        }, DEADLINE_MS)
    })
    try {
        return await Promise.race([work, late])
    } finally {
        clearTimeout(timer)
    }
}

/** What goes wrong there must not keep an answer back. */
function tell(onError: (error: unknown) => void, error: unknown): void {
    try {
        onError(error)
    } catch {}
}
