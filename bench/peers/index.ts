import type { MakePeer, Mode, Peer, PeerOptions } from "./peer.ts"

export type Family = "bare" | "cuckmq" | "pg-boss" | "graphile-worker" | "bullmq-redis" | "bullmq-postgres"

/** One line of the tables: a system with one set of settings. */
export interface PeerEntry {
    title: string
    family: Family
    mode: Mode
}

/** Loaded when it is needed: the process of one system must not carry the others. */
const MAKERS: Readonly<Record<Family, () => Promise<MakePeer>>> = {
    bare: async () => (await import("./bare.ts")).makeBare,
    cuckmq: async () => (await import("./cuckmq.ts")).makeCuckmq,
    "pg-boss": async () => (await import("./pg-boss.ts")).makePgBoss,
    "graphile-worker": async () => (await import("./graphile-worker.ts")).makeGraphileWorker,
    "bullmq-redis": async () => (await import("./bullmq.ts")).makeBullmqOnRedis,
    "bullmq-postgres": async () => (await import("./bullmq.ts")).makeBullmqOnPostgres,
}

export const PEERS: Readonly<Record<string, PeerEntry>> = {
    bare: { title: "bare SQL (the limit)", family: "bare", mode: "default" },
    cuckmq: { title: "cuckmq", family: "cuckmq", mode: "default" },
    "cuckmq-fast": { title: "cuckmq, concurrency 100", family: "cuckmq", mode: "fast" },
    ...bothModes("pg-boss", "pg-boss"),
    ...bothModes("graphile-worker", "graphile-worker"),
    ...bothModes("bullmq-redis", "BullMQ on Redis"),
    ...bothModes("bullmq-postgres", "BullMQ on Postgres"),
}

function bothModes(family: Family, title: string): Record<string, PeerEntry> {
    return {
        [family]: { title, family, mode: "default" },
        [`${family}-fast`]: { title: `${title}, tuned`, family, mode: "fast" },
    }
}

/** All systems, and those of others with their tuned settings only. */
export const EVERY_PEER = Object.keys(PEERS)
export const TUNED_PEERS = EVERY_PEER.filter((id) => id.endsWith("-fast") && id !== "cuckmq-fast")

export function entryOf(id: string): PeerEntry {
    const entry = PEERS[id]
    if (entry === undefined) throw new Error(`there is no system called ${id}`)
    return entry
}

export async function makePeer(id: string, options: PeerOptions): Promise<Peer> {
    const make = await MAKERS[entryOf(id).family]()
    return make(options)
}
