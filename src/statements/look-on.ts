import type { Database } from "../db/database.ts"
import type { Run } from "../db/driver.ts"

/** How long the server works at a statement of those who only look on. A role may have a shorter time. */
const LIMIT_MS = 2_000

/** For the rest of a transaction: nothing is written, and what takes too long is given up. */
const text = /* sql */ `-- cuckmq: look-on
select set_config('transaction_read_only', 'on', true), set_config('statement_timeout', coalesce(
    nullif(least(${LIMIT_MS}, date_part('epoch', current_setting('statement_timeout')::interval) * 1000::double precision), 0),
    ${LIMIT_MS}
)::text, true)`

/**
 * Reads for those who look on. The time is the server's own to keep, and not ours alone: a connection that we cut off
 * would leave it at work.
 */
export function lookOn<T>(database: Database, work: (run: Run) => Promise<T>): Promise<T> {
    return database.transaction(async (run) => {
        await run(text, [])
        return work(run)
    })
}
