/** All reasons for which jobs fail. Append only: counts of them are written down by their places here. */
export const FAILURE_REASONS = [
    "error",
    "timeout",
    "no-attempts-remaining",
    "orphaned",
    "unmet-dependencies",
    "cancelled",
] as const

/** Why a job was finalized as failed. */
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** The daemon starts. */
export interface DaemonStart {
    eventType: "daemon-start"
}

/** The daemon was asked to stop. It goes on until what it runs has ended. */
export interface DaemonStopSignalSend {
    eventType: "daemon-stop-signal-send"
}

/** The daemon has stopped. */
export interface DaemonStop {
    eventType: "daemon-stop"
}

/**
 * Something that the daemon did failed, most often the database. The daemon goes on and tries again. Also told of what
 * a job function throws after it has completed its job itself.
 */
export interface DaemonError {
    eventType: "daemon-error"
    /** What the daemon was doing, such as `claim jobs`. */
    activity: string
    error: unknown
}

/** What every event about one job has. */
interface AboutJob {
    jobID: number
    /** The name of the job's definition. */
    jobName: string
}

/** A worker took a job from the queue and starts it. */
export interface WorkerJobDequeue extends AboutJob {
    eventType: "worker-job-dequeue"
    /** 1 on the first run. */
    attempt: number
}

/** A job was run with success, and that is on record. */
export interface WorkerJobFinalizeSuccess extends AboutJob {
    eventType: "worker-job-finalize-success"
    attempt: number
}

/** A job was finalized as failed because no daemon knows its definition. */
export interface WorkerJobFinalizeFailureOrphaned extends AboutJob {
    eventType: "worker-job-finalize-failure-orphaned"
}

/** A job's handler threw, or returned without the commit of its completion. */
export interface WorkerJobError extends AboutJob {
    eventType: "worker-job-error"
    attempt: number
    /** What was thrown. */
    error: unknown
    /** Milliseconds until the next attempt; null when there is none. */
    retryDelayMs: number | null
}

/** A job was finalized as failed by a worker: its last attempt threw, it timed out, was cancelled, or cannot run any more. */
export interface WorkerJobFinalizeFailure extends AboutJob {
    eventType: "worker-job-finalize-failure"
    reason: Exclude<FailureReason, "orphaned">
}

/** A worker no longer holds a job that it runs: the job's signal is aborted and its outcome changes nothing. */
export interface WorkerJobLeaseLost extends AboutJob {
    eventType: "worker-job-lease-lost"
    attempt: number
}

/**
 * A worker handed a job back to the queue, because it stops or because it claimed the job too early. The attempt is
 * not charged.
 */
export interface WorkerJobReturn extends AboutJob {
    eventType: "worker-job-return"
    attempt: number
}

/** A job function put its job off, by `context.snooze`. The attempt is not charged. */
export interface WorkerJobSnooze extends AboutJob {
    eventType: "worker-job-snooze"
    attempt: number
    /** Milliseconds until the job is due again. */
    delayMs: number
}

/** A job function has held its job back, and all that count under the same rate, by `context.rateLimited`. */
export interface WorkerJobRateLimit extends AboutJob {
    eventType: "worker-job-rate-limit"
    attempt: number
    /** Milliseconds until one of them may be taken from the queue again. */
    delayMs: number
}

/**
 * A job function kept Node's event loop busy, so that nothing else in the process could go on for a second or more.
 * Told when it is over.
 */
export interface WorkerEventLoopBlocked {
    eventType: "worker-event-loop-blocked"
    /** For how long, in milliseconds, give or take a quarter of a second. */
    delayMs: number
    /**
     * Whether the worker's leases were renewed meanwhile, by a thread. If not, a block of more than two thirds of a
     * `lockIntervalMs` may cost the worker its jobs.
     */
    isLeaseRenewed: boolean
}

/** What a handler returned could not be kept as the job's result. The job succeeded all the same. */
export interface WorkerJobResultDiscard extends AboutJob {
    eventType: "worker-job-result-discard"
    reason: string
}

/** The orchestrator has deferred a job of a repeating definition, or of a schedule. */
export interface OrchestratorJobSchedule extends AboutJob {
    eventType: "orchestrator-job-schedule"
    /** The name of the schedule; absent when the definition itself repeats. */
    scheduleName?: string
}

/** The orchestrator has vouched for its Config's definitions. */
export interface OrchestratorHeartbeat {
    eventType: "orchestrator-heartbeat"
    /** The names of the definitions. */
    jobNames: readonly string[]
}

/** A job existed for longer than its `timeoutIntervalMs` and was finalized as failed. */
export interface OrchestratorJobFinalizeFailureTimeout extends AboutJob {
    eventType: "orchestrator-job-finalize-failure-timeout"
}

/** A job was finalized as failed because one that it depends on failed. */
export interface OrchestratorJobFinalizeFailureUnmetDependencies extends AboutJob {
    eventType: "orchestrator-job-finalize-failure-unmet-dependencies"
}

/** A job was finalized as failed because its last attempt ended with its worker. */
export interface OrchestratorJobFinalizeFailureNoAttemptsRemaining extends AboutJob {
    eventType: "orchestrator-job-finalize-failure-no-attempts-remaining"
}

/** A job that was cancelled was finalized as failed, since neither who cancelled it nor its worker did. */
export interface OrchestratorJobFinalizeFailureCancelled extends AboutJob {
    eventType: "orchestrator-job-finalize-failure-cancelled"
}

/** The orchestrator has removed finalized jobs from history. */
export interface OrchestratorFinalizedJobSweep {
    eventType: "orchestrator-finalized-job-sweep"
    numJobs: number
}

/** The orchestrator has retired a definition that no daemon vouches for and that has no live jobs. */
export interface OrchestratorStaleJobDefinitionSweep {
    eventType: "orchestrator-stale-job-definition-sweep"
    jobName: string
}

/**
 * The orchestrator has brought an operation to its end, which `Inspector#changeAll` submitted: it did the last chunk of it,
 * or it cannot go on. Of one that is cancelled nothing is told.
 */
export interface OrchestratorOperationEnd {
    eventType: "orchestrator-operation-end"
    /** What `Inspector#operation` is asked for. */
    operationID: number
    /** What it did to jobs: a `JobAction`. */
    kind: string
    /** Who asked for it; null when nobody was named. */
    by: string | null
    /** How many jobs it changed, over all orchestrators that were at it. */
    numJobs: number
    /** How many it left as they were. */
    numSkipped: number
    /** Why it failed, as the audit log has it; null when it did not. */
    error: string | null
}

/** Everything that daemons tell. Told apart by `eventType`. */
export type Event =
    | DaemonStart
    | DaemonStopSignalSend
    | DaemonStop
    | DaemonError
    | WorkerJobDequeue
    | WorkerJobFinalizeSuccess
    | WorkerJobFinalizeFailureOrphaned
    | WorkerJobError
    | WorkerJobFinalizeFailure
    | WorkerJobLeaseLost
    | WorkerJobReturn
    | WorkerJobSnooze
    | WorkerJobRateLimit
    | WorkerJobResultDiscard
    | WorkerEventLoopBlocked
    | OrchestratorJobSchedule
    | OrchestratorHeartbeat
    | OrchestratorJobFinalizeFailureTimeout
    | OrchestratorJobFinalizeFailureUnmetDependencies
    | OrchestratorJobFinalizeFailureNoAttemptsRemaining
    | OrchestratorJobFinalizeFailureCancelled
    | OrchestratorFinalizedJobSweep
    | OrchestratorStaleJobDefinitionSweep
    | OrchestratorOperationEnd

/**
 * Receives the events of a daemon. Called synchronously, so it should be quick. What it throws, or the promise it
 * returns rejects with, is reported once as a process warning and changes nothing else.
 */
export type EventHandler = (params: {
    /** Unique among the daemons of this process. */
    daemonID: number
    /** The name of the daemon. */
    name: string
    event: Event
    timestamp: Date
}) => void
