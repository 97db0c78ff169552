import { monotonicMs } from "../clock.ts"
import type { Core } from "../config.ts"
import { readServerSettings } from "../statements/server-settings.ts"

/** What a server is, and how far away. */
export interface ServerInfo {
    /** Its release, as it says itself, such as `18.4`. */
    version: string
    /**
     * How long a small query takes from here and back, in milliseconds: the median of nine. Most of what a single `defer`
     * takes is this, and the writing to disk.
     */
    roundTripMs: number
    /**
     * What it is set to in this session, of what bears on how fast and how safely it writes: `synchronous_commit`, `fsync`,
     * `full_page_writes`, `wal_level`, `shared_buffers`, `max_wal_size` and `max_connections`, as the server writes them.
     */
    settings: Record<string, string>
}

/** How many round trips are taken. The first brings the connection, and does not count. */
const NUM_TRIPS = 9

/** Looks at a server. */
export async function inspectServer({ run }: Core): Promise<ServerInfo> {
    const { version, settings } = await readServerSettings({ run })
    const tripsMs: number[] = []
    while (tripsMs.length < NUM_TRIPS) {
        const sentMs = monotonicMs()
        await readServerSettings({ run })
        tripsMs.push(monotonicMs() - sentMs)
    }
    const median = tripsMs.sort((a, b) => a - b)[Math.floor(NUM_TRIPS / 2)] ?? 0
    return { version, roundTripMs: Math.round(median * 1_000) / 1_000, settings }
}
