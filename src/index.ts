export type { AttemptError } from "./attempt-errors.ts"
export { Config, type ConfigOptions, type Migration } from "./config.ts"
export type { OnMissed, OnOverlap } from "./cron/plan-ticks.ts"
export { Daemon, type JoinOptions } from "./daemon.ts"
export type { PGliteDatabase, PgPool, Pool, SqlClient } from "./db/client.ts"
export type { DeadLetterFilter, DeadLettersOptions, ReplayManyOptions } from "./dead-letter-options.ts"
export type { DeadLetter, DeadLetterPage } from "./dead-letters.ts"
export type { DeferClient, DeferOptions, Deferral } from "./defer-options.ts"
export {
    AttemptTimeoutError,
    CompletionNotCommittedError,
    CuckmqError,
    type CuckmqErrorCode,
    DatabaseError,
    DependencyNotFoundError,
    DuplicateDefinitionError,
    EmbeddedInUseError,
    EmbeddedNotInstalledError,
    InvalidCompletionError,
    InvalidOptionError,
    InvalidPayloadError,
    JobCancelledError,
    JobTimeoutError,
    LeaseLostError,
    ScheduleNotFoundError,
    SchemaNotPreparedError,
    ShutdownError,
    ThreadExitError,
    ThreadModuleError,
} from "./errors.ts"
export type {
    DaemonError,
    DaemonStart,
    DaemonStop,
    DaemonStopSignalSend,
    Event,
    EventHandler,
    FailureReason,
    OrchestratorFinalizedJobSweep,
    OrchestratorHeartbeat,
    OrchestratorJobFinalizeFailureCancelled,
    OrchestratorJobFinalizeFailureNoAttemptsRemaining,
    OrchestratorJobFinalizeFailureTimeout,
    OrchestratorJobFinalizeFailureUnmetDependencies,
    OrchestratorJobSchedule,
    OrchestratorOperationEnd,
    OrchestratorStaleJobDefinitionSweep,
    WorkerEventLoopBlocked,
    WorkerJobDequeue,
    WorkerJobError,
    WorkerJobFinalizeFailure,
    WorkerJobFinalizeFailureOrphaned,
    WorkerJobFinalizeSuccess,
    WorkerJobLeaseLost,
    WorkerJobRateLimit,
    WorkerJobResultDiscard,
    WorkerJobReturn,
    WorkerJobSnooze,
} from "./events.ts"
export { FAILURE_REASONS } from "./events.ts"
export type { ChannelCounts, Count, Counts, DefinitionCounts, StateCounts } from "./inspect/counts.ts"
export type { OrchestratorInfo, WorkerInfo } from "./inspect/daemons.ts"
export type { DefinitionInfo, DefinitionLimits, DefinitionRepeat } from "./inspect/definitions.ts"
export type { Check, CheckName, Diagnosis, Verdict } from "./inspect/diagnosis.ts"
export type { Explanation } from "./inspect/explanation.ts"
export type { Health, HealthCheck } from "./inspect/health.ts"
export type { JobDetails, JobReference } from "./inspect/job-details.ts"
export type { JobGraph } from "./inspect/job-graph.ts"
export type { JobPage, ListedJob, ListJobsOptions } from "./inspect/job-list.ts"
export type { JobLogLine, JobLogPage, LogsOptions } from "./inspect/job-logs.ts"
export { JOB_STATES, type JobKeys, type JobState } from "./inspect/job-state.ts"
export type { ServerInfo } from "./inspect/server.ts"
export type { DurationSummary, ThroughputPoint } from "./inspect/throughput.ts"
export type { ThroughputOptions } from "./inspect/throughput-options.ts"
export { Inspector, type InspectorOptions } from "./inspector.ts"
export type { CompleteOptions, JobContext } from "./job-context.ts"
export { JobDefinition } from "./job-definition.ts"
export type {
    AnyJobDefinitionOptions,
    JobDefinitionOptions,
    JobFunction,
    PayloadOf,
    ResultOf,
    ThreadJobDefinitionOptions,
} from "./job-definition-options.ts"
export type { CancelOptions, CancelResult, Jobs } from "./jobs.ts"
export type { ConcurrencyLimit, JobGroup, RateLimit } from "./limit-options.ts"
export type { JobFilter } from "./operate/change-options.ts"
export type { InspectorPauseOptions } from "./operate/controls.ts"
export type { DeferKeys, InspectorDeferOptions } from "./operate/defer-by-name.ts"
export type {
    By,
    ChangeAllOptions,
    ChangeResult,
    CountOptions,
    JobAction,
    JobChange,
    ListOperationsOptions,
    Operation,
    OperationKind,
    OperationPage,
    OperationProgress,
    OperationState,
} from "./operate/operation.ts"
export { JOB_ACTIONS } from "./operate/operation.ts"
export type { Operator } from "./operate/operator.ts"
export { Orchestrator, type OrchestratorOptions } from "./orchestrator.ts"
export type { Pause, PauseOptions, PauseTarget } from "./pauses.ts"
export type { CronOptions } from "./repeat-options.ts"
export { Unretryable } from "./retry.ts"
export type { RetryDelay } from "./retry-options.ts"
export type {
    PreviewOptions,
    SchedulableDefinition,
    Schedule,
    ScheduleClientOptions,
    ScheduleOptions,
    ScheduleRuleOptions,
} from "./schedule-options.ts"
export type { Schedules } from "./schedules.ts"
export { type TemporaryQueue, type TemporaryQueueOptions, temporaryQueue } from "./temporary-queue.ts"
export type { UniqueOptions, UniqueWhile } from "./unique-options.ts"
export { VERSION } from "./version.ts"
export { Worker, type WorkerOptions } from "./worker.ts"
