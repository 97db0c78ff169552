import { json, text } from "../answer.ts"
import type { Route } from "../route.ts"

/** The content type of Prometheus's text format. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/** How the queue and its server are. */
export const serverRoutes: readonly Route[] = [
    { method: "GET", path: "doctor", answer: async ({ parts }) => parts.diagnosis.get() },
    {
        method: "GET",
        path: "health",
        answer: async ({ parts }) => {
            const health = await parts.inspector.health()
            return json(health, health.isHealthy ? 200 : 503)
        },
    },
    {
        method: "GET",
        path: "metrics",
        answer: async ({ parts }) => text(await parts.inspector.prometheus(), METRICS_TYPE),
    },
]
