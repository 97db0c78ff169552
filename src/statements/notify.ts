import { PREPARED, type Query } from "./query.ts"

/** Tells the listening workers of a channel something; a transaction of its own, so that no enqueue waits for it. */
export async function notify({
    run,
    channel,
    message,
}: Pick<Query, "run"> & { channel: string; message: string }): Promise<void> {
    await run("-- cuckmq: notify\nselect pg_notify($1, $2)", [channel, message], PREPARED)
}
