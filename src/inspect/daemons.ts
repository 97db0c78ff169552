import type { DaemonRow } from "../statements/daemons.ts"

/** A worker or an orchestrator, as it tells of itself every ten seconds, or twenty while nothing changes. */
export interface OrchestratorInfo {
    /** Unique among all daemons; another one each time that it is started. */
    id: string
    /** The name that it was given. */
    name: string
    /** The host that it runs on. */
    host: string
    /** The id of its process there. */
    pid: number
    /** The release of cuckmq that it is of. */
    version: string
    /** The names of the definitions that it knows: a worker, those of its channel. */
    definitions: string[]
    /** Whether it was asked to stop, at its last heartbeat. */
    isStopping: boolean
    /** When it started, by the database's clock. */
    startedAt: Date
    /** When it was heard of last. */
    heartbeatAt: Date
    /** How many milliseconds lie between two heartbeats; twice as many may, while nothing changes. */
    heartbeatIntervalMs: number
    /** Whether it was heard of within three times that: if not, it crashed, hangs, or does not reach the database. */
    isLive: boolean
}

/** A worker. */
export interface WorkerInfo extends OrchestratorInfo {
    /** The channel that it takes jobs of. */
    channel: string
    /** How many jobs it runs at the same time at the most. */
    concurrency: number
    /** How many it ran at its last heartbeat. */
    numRunning: number
}

/** Makes of a row what is told of an orchestrator. */
export function toOrchestratorInfo(row: DaemonRow): OrchestratorInfo {
    return {
        id: row.id,
        name: row.name,
        host: row.host,
        pid: row.pid,
        version: row.version,
        definitions: row.definitionNames,
        isStopping: row.isStopping,
        startedAt: new Date(row.startedAtMs),
        heartbeatAt: new Date(row.heartbeatAtMs),
        heartbeatIntervalMs: row.intervalMs,
        isLive: row.isLive,
    }
}

/** Makes of a row what is told of a worker. */
export function toWorkerInfo(row: DaemonRow): WorkerInfo {
    return {
        ...toOrchestratorInfo(row),
        channel: row.channel ?? "",
        concurrency: row.concurrency ?? 0,
        numRunning: row.numRunning,
    }
}
