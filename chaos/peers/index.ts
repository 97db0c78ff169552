import { makeCuckmq } from "./cuckmq.ts"
import type { Peer } from "./peer.ts"

export const PEER_NAMES = ["cuckmq", "pg-boss", "graphile-worker"] as const

/** A queue by its name. Loads only that one. */
export async function peerOf(name: Peer["name"], cuckmqPath?: string): Promise<Peer> {
    switch (name) {
        case "cuckmq":
            return makeCuckmq(cuckmqPath)
        case "pg-boss":
            return (await import("./pg-boss.ts")).makePgBoss()
        case "graphile-worker":
            return (await import("./graphile-worker.ts")).makeGraphileWorker()
    }
}
