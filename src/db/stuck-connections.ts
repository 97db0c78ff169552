import type { PgPool } from "./client.ts"

/** What we look at of a `pg` pool and its clients that is not public; where it is not there, nothing is done. */
interface Innards {
    readonly options?: { readonly connectionTimeoutMillis?: number }
    readonly _clients?: readonly {
        readonly _connecting?: boolean
        readonly _connected?: boolean
        readonly connection?: { readonly stream?: { destroy(): void } }
    }[]
}

const watched = new WeakSet<PgPool>()

/**
 * A pool without a `connectionTimeoutMillis`, which is the default, waits for ever for a server that takes connections
 * and then says nothing, as one behind a broken network does. Each such wait keeps a place of the pool, until none is
 * left, though the network has long been well again. So, when we waited in vain for a connection, those that are being
 * made now are cut off if they are not there after half that time again.
 */
export function cutStuckConnections(pool: PgPool, waitedMs: number): void {
    const { options, _clients: clients } = pool as Innards
    if (options?.connectionTimeoutMillis || !Array.isArray(clients) || watched.has(pool)) return
    const stuck = clients.filter(isConnecting)
    if (stuck.length === 0) return
    watched.add(pool)
    setTimeout(() => {
        watched.delete(pool)
        for (const client of stuck) if (isConnecting(client)) client.connection?.stream?.destroy()
    }, waitedMs / 2).unref()
}

function isConnecting(client: NonNullable<Innards["_clients"]>[number]): boolean {
    return client._connecting === true && client._connected !== true
}
