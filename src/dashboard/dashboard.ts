import type { IncomingMessage, ServerResponse } from "node:http"
import { Inspector } from "../index.ts"
import { checkedOptions, type DashboardOptions } from "./dashboard-options.ts"
import { type Asked, type Handling, handle } from "./handler.ts"
import { Kept } from "./kept.ts"
import { answerNode } from "./node-handler.ts"
import { placeOf } from "./place.ts"
import { Redaction } from "./redaction.ts"
import { toRefusal } from "./refusal.ts"
import type { Parts } from "./route.ts"
import { ROUTES } from "./routes/all.ts"
import { Snapshots } from "./snapshots.ts"
import { Turns } from "./turns.ts"

/** How many requests ask the database at the same time, so that the pool is left to those whose it is; and how many wait. */
const MAX_ASKING = 4
const MAX_WAITING = 200

/** For how long the doctor says the same again: to whoever asks without end, and to the pages of many. */
const DIAGNOSIS_KEPT_MS = 1_000

/** A dashboard: what answers requests for its pages, and for what they ask. */
export interface Dashboard<Context = unknown> {
    /**
     * Answers a request, for servers that speak as the web does: Hono, Next, Bun, Deno. Never rejects. `context` is what
     * `authorize` gets besides.
     */
    fetch(request: Request, context?: Context): Promise<Response>
    /**
     * Answers a request of Node, also as a middleware of Express, Connect or NestJS, and behind a parser of bodies whose result is
     * in `req.body`. Where there is nothing under an address and `next` is given, calls that. Never throws.
     */
    node(req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void): void
    /** Ends all streams, and answers with 503 from now on. The queue and its pool stay yours. */
    close(): Promise<void>
}

/**
 * Makes a dashboard of a queue, to be mounted under any path of a server. What it asks of the database is bounded: four
 * requests at a time, each of which gives up after seconds, and one snapshot every two seconds while any page is open.
 *
 * @throws InvalidOptionError for an option that is unknown, missing or out of its range.
 */
export function createDashboard<Context = unknown>(options: DashboardOptions<Context>): Dashboard<Context> {
    const checked = checkedOptions(options)
    const closing = new AbortController()
    const handling: Handling<Context> = {
        options: checked,
        parts: partsOf(checked),
        routes: ROUTES,
        turns: new Turns({ max: MAX_ASKING, maxWaiting: MAX_WAITING }),
        closing: closing.signal,
    }
    const answer = (asked: Asked<Context>) => handle(handling, asked)
    return {
        fetch: (request, context) =>
            answer({
                request,
                context: context as Context,
                place: placeOf(new URL(request.url).pathname),
                mayGzip: false,
            }),
        node: (req, res, next) =>
            answerNode({
                req,
                res,
                next,
                answer: (asked) => answer({ ...asked, context: req as Context, mayGzip: true }),
            }),
        close: async () => closing.abort(),
    }
}

function partsOf(options: Handling<never>["options"]): Parts {
    const { config, title, isReadOnly, redact } = options
    const inspector = new Inspector({ config })
    const daemonsAndOperations = async () => ({
        workers: await inspector.workers(),
        orchestrators: await inspector.orchestrators(),
        operations: (await inspector.operations({ isRunning: true })).operations,
    })
    // On two connections: to count takes longer than all else.
    const make = async () => {
        const at = new Date()
        const [counts, others] = await Promise.all([inspector.counts(), daemonsAndOperations()])
        return { at, counts, ...others }
    }
    const goneOf = (error: unknown) => {
        const { code, message } = toRefusal(error)
        return { code, message }
    }
    return {
        ...{ config, inspector, title, isReadOnly },
        redaction: new Redaction(redact),
        snapshots: new Snapshots({ make, goneOf }),
        diagnosis: new Kept({ make: () => inspector.doctor(), keptMs: DIAGNOSIS_KEPT_MS }),
    }
}
