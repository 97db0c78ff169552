import type { Route } from "../route.ts"
import { changeRoutes } from "./changes.ts"
import { deadLetterRoutes } from "./dead-letters.ts"
import { jobRoutes } from "./jobs.ts"
import { operationRoutes } from "./operations.ts"
import { overviewRoutes } from "./overview.ts"
import { pauseRoutes } from "./pauses.ts"
import { scheduleRoutes } from "./schedules.ts"
import { serverRoutes } from "./server.ts"

/** All that is answered below `api/`. */
export const ROUTES: readonly Route[] = [
    ...overviewRoutes,
    ...jobRoutes,
    ...changeRoutes,
    ...operationRoutes,
    ...pauseRoutes,
    ...scheduleRoutes,
    ...deadLetterRoutes,
    ...serverRoutes,
]
