import { PREPARED, type Query } from "./query.ts"

/** What is told, and on which channel of the database. */
export interface Notification {
    channel: string
    message: string
}

/** Tells the listening workers of a channel something; a transaction of its own, so that no enqueue waits for it. */
export async function notify({ run, channel, message }: Pick<Query, "run"> & Notification): Promise<void> {
    await run("-- cuckmq: notify\nselect pg_notify($1, $2)", [channel, message], PREPARED)
}
