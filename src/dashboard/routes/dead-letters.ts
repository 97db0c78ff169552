import type { DeadLetter, FailureReason } from "../../index.ts"
import { demandSearch } from "../job-filter.ts"
import { given } from "../query.ts"
import { badRequest } from "../refusal.ts"
import type { Call, Route } from "../route.ts"

/** A page of them is no larger, and shows no larger payloads, since all of it goes to a browser. */
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
const MAX_SHOWN_LENGTH = 16 * 1024
const MAX_MESSAGE_LENGTH = 1_000

/** Jobs that failed for good. */
export const deadLetterRoutes: readonly Route[] = [
    {
        method: "GET",
        path: "dead-letters",
        query: ["definition", "reason", "errorText", "failedAfter", "failedBefore", "limit", "after"],
        answer: async (call) => {
            const { parts, permit, query } = call
            const limit = query.number("limit") ?? DEFAULT_LIMIT
            if (limit > MAX_LIMIT) throw badRequest(`expected \`limit\` to be a number up to ${MAX_LIMIT}`)
            const filter = given({ definition: query.text("definition"), errorText: query.text("errorText") })
            await demandSearch(filter, { permit, redaction: parts.redaction })
            const { deadLetters, next } = await parts.inspector.deadLetters({
                ...filter,
                ...given({
                    // What is no reason is for the inspector to refuse.
                    reason: query.text("reason") as FailureReason | undefined,
                    failedAfter: query.instant("failedAfter"),
                    failedBefore: query.instant("failedBefore"),
                    after: query.text("after"),
                }),
                limit,
            })
            const shown = await permit.visible(deadLetters, subjectOf)
            return { deadLetters: await Promise.all(shown.map((one) => viewOf(one, call))), next }
        },
    },
]

function subjectOf({ jobID, name }: DeadLetter) {
    return { jobID, definition: name }
}

async function viewOf(letter: DeadLetter, { permit, parts }: Call): Promise<unknown> {
    const { redaction } = parts
    const about = { jobID: letter.jobID, definition: letter.name }
    const mayView = await permit.may("view-payload", about)
    const payload = mayView ? redaction.value(letter.payload, { ...about, field: "payload" }) : null
    const isTooLarge = (JSON.stringify(payload)?.length ?? 0) > MAX_SHOWN_LENGTH
    const errors = letter.errors.slice(-1).map((error) => redaction.error(error, about))
    return {
        ...letter,
        payload: isTooLarge ? null : payload,
        errors: errors.map((error) => ({
            ...error,
            message: error.message.slice(0, MAX_MESSAGE_LENGTH),
            stack: null,
        })),
        isPayloadHidden: !mayView,
        isTooLarge,
    }
}
