/**
 * Everything that controls jobs, each option once: limits, fair shares, order and priority; uniqueness; retries, dead
 * letters and retention; repetition and schedules; cancelling, pauses and threads.
 */
import { showLimits } from "./limits.ts"
import { pool } from "./queue.ts"
import { showRetries } from "./retries.ts"
import { showStops } from "./stops.ts"
import { showTimes } from "./times.ts"
import { showUniqueness } from "./unique.ts"

for (const show of [showLimits, showUniqueness, showRetries, showTimes, showStops]) {
    await show()
    console.log()
}
await pool.end()
