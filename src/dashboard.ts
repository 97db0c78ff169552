export type { DashboardAction } from "./dashboard/api.ts"
export { createDashboard, type Dashboard } from "./dashboard/dashboard.ts"
export type {
    Access,
    ActionSubject,
    DashboardOptions,
    RedactSubject,
} from "./dashboard/dashboard-options.ts"
export { healthResponse } from "./dashboard/health-response.ts"
export { type DashboardServer, type ServeOptions, serveDashboard } from "./dashboard/serve.ts"
