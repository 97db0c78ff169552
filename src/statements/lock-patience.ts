import type { Query } from "./query.ts"

/** How long the rest of a transaction waits for a row that someone else holds locked. */
export async function waitForLocks({ run, ms }: Pick<Query, "run"> & { ms: number }): Promise<void> {
    await run(/* sql */ `select set_config('lock_timeout', $1, true)`, [`${ms}ms`])
}
