import { type Config, Inspector } from "../index.ts"
import { json, secured } from "./answer.ts"
import { Kept } from "./kept.ts"
import { isHidden, toRefusal } from "./refusal.ts"

/** For how long an answer is given again: whoever asks without end asks the database once a second. */
const KEPT_MS = 1_000

const answers = new WeakMap<Config, Kept<{ status: number; body: object }>>()

/**
 * Answers a health probe, for an endpoint of yours that anybody may ask, such as `/healthz`: with 200 where the queue is
 * healthy, 503 where it is not, and which checks failed, but no details. Looks again once a second at the most. Behind `authorize`,
 * `GET api/health` of a dashboard tells the details.
 *
 * @throws InvalidOptionError for a `config` that is none.
 */
export async function healthResponse(config: Config): Promise<Response> {
    const inspector = new Inspector({ config })
    const answer = answers.get(config) ?? new Kept({ make: () => look(inspector), keptMs: KEPT_MS })
    answers.set(config, answer)
    const { status, body } = await answer.get()
    return secured(json(body, status))
}

async function look(inspector: Inspector): Promise<{ status: number; body: object }> {
    try {
        const { isHealthy, checks } = await inspector.health()
        const body = { isHealthy, checks: checks.map(({ name, isOK }) => ({ name, isOK })) }
        return { status: isHealthy ? 200 : 503, body }
    } catch (error) {
        if (isHidden(error)) return { status: 503, body: { isHealthy: false, checks: [] } }
        const { code } = toRefusal(error)
        return { status: 503, body: { isHealthy: false, checks: [], error: { code } } }
    }
}
