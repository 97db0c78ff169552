import { Config } from "cuckmq"
import { createDashboard } from "cuckmq/dashboard"
import { Pool } from "pg"

const config = new Config({
    pool: new Pool({ connectionString: process.env.DATABASE_URL }),
    schema: process.env.CUCKMQ_SCHEMA,
})
const dashboard = createDashboard({
    config,
    authorize: (request) => {
        const user = request.headers.get("x-user")
        return user === null ? null : { user }
    },
})

export const dynamic = "force-dynamic"
export const GET = (request) => dashboard.fetch(request)
export const HEAD = GET
export const POST = GET
