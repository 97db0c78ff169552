import { fieldsOf } from "../body.ts"
import { given } from "../query.ts"
import { notFound } from "../refusal.ts"
import type { Route } from "../route.ts"

/** The audit log, and what is under way. */
export const operationRoutes: readonly Route[] = [
    {
        method: "GET",
        path: "operations",
        query: ["limit", "after", "isRunning"],
        answer: async ({ parts, permit, query }) => {
            const { operations, next } = await parts.inspector.operations(
                given({
                    limit: query.number("limit"),
                    after: query.text("after"),
                    isRunning: query.boolean("isRunning"),
                }),
            )
            const mayViewPayloads = await permit.may("view-payload")
            return {
                operations: operations.map((one) => parts.redaction.operation(one, { mayViewPayloads })),
                next,
            }
        },
    },
    {
        method: "GET",
        path: "operations/:id",
        answer: async ({ parts, permit, id }) => {
            const operation = await parts.inspector.operation(id)
            if (operation === null) throw notFound(`there is no operation ${id}`)
            const mayViewPayloads = await permit.may("view-payload")
            return parts.redaction.operation(operation, { mayViewPayloads })
        },
    },
    {
        method: "POST",
        path: "operations/:id/cancel",
        answer: async ({ parts, permit, id, body }) => {
            fieldsOf("the body", body, [])
            await permit.demand("cancel-operation")
            return { isCancelled: await parts.inspector.cancelOperation(id, { by: permit.user }) }
        },
    },
]
