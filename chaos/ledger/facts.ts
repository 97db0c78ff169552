import {
    KEPT_MS,
    LEASE_MS,
    MAX_CROWD,
    NUM_RETRIES,
    RATE_MAX,
    RATE_MS,
    RELEASE_MS,
    REPEAT_MS,
    REPLAYS_PER_SECOND,
    TIMEOUT_MS,
} from "../workload.ts"

/** What a checker must know of a campaign that no record says. */
export interface CampaignFacts {
    readonly peer: "cuckmq" | "pg-boss" | "graphile-worker"
    /** "full" and "soak" fail on an invariant that was never exercised. */
    readonly profile: string
    readonly seed: number
    /** Jobs that a worker process runs at the same time. */
    readonly concurrency: number
    /** Connections that the pools of a process may have. */
    readonly maxConnections: number
    /** How long a process that stops lets its jobs run. */
    readonly graceMs: number
    readonly cleanIntervalMs: number
    /** How long finished jobs are kept. */
    readonly historyThresholdMs: number
    /** For each kind of fault, how slow recovery may be. */
    readonly recoveryTargetsMs: Readonly<Record<string, number>>
}

/** The facts as one row that queries join, the workload's constants beside the campaign's own. All times in microseconds. */
export const FACTS_TABLE = /* sql */ `
create table facts (
    peer text not null,
    profile text not null,
    seed bigint not null,
    concurrency integer not null,
    max_connections integer not null,
    num_retries integer not null,
    grace bigint not null,
    clean_interval bigint not null,
    history_threshold bigint not null,
    lease bigint not null,
    release_interval bigint not null,
    repeat_interval bigint not null,
    timeout_interval bigint not null,
    max_crowd integer not null,
    rate_max integer not null,
    rate_period bigint not null,
    kept_threshold bigint not null,
    replay_interval bigint not null
);
create table recovery_target (
    fault text primary key,
    target bigint not null
);
`

const MICROS = 1_000

/** The values of `facts`, in the order of its columns. */
export function factValues(facts: CampaignFacts): (string | number)[] {
    return [
        facts.peer,
        facts.profile,
        facts.seed,
        facts.concurrency,
        facts.maxConnections,
        NUM_RETRIES,
        facts.graceMs * MICROS,
        facts.cleanIntervalMs * MICROS,
        facts.historyThresholdMs * MICROS,
        LEASE_MS * MICROS,
        RELEASE_MS * MICROS,
        REPEAT_MS * MICROS,
        TIMEOUT_MS * MICROS,
        MAX_CROWD,
        RATE_MAX,
        RATE_MS * MICROS,
        KEPT_MS * MICROS,
        (1_000 * MICROS) / REPLAYS_PER_SECOND,
    ]
}
