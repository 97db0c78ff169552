import type {
    ChangeResult,
    Count,
    Counts,
    DeadLetter,
    DeferKeys,
    DefinitionInfo,
    Diagnosis,
    Explanation,
    FailureReason,
    Health,
    JobAction,
    JobChange,
    JobDetails,
    JobFilter,
    JobGraph,
    ListedJob,
    Operation,
    OrchestratorInfo,
    Pause,
    PauseTarget,
    Schedule,
    ThroughputPoint,
    WorkerInfo,
} from "../index.ts"

/** A value as it arrives after `JSON.stringify` and `JSON.parse`: instants are ISO texts. */
export type Json<T> = T extends Date
    ? string
    : T extends readonly (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Name in keyof T]: Json<T[Name]> }
        : T

export type { ChangeResult, JobAction, JobChange, JobFilter, Operation } from "../index.ts"

/** What a user of the dashboard may be allowed to do; `Access#can` is asked with one of these. */
export type DashboardAction =
    | "view"
    | "view-payload"
    | JobAction
    | "pause"
    | "resume"
    | "schedule"
    | "defer"
    | "cancel-operation"
    | "bulk"

/** The body of every answer that is no success. */
export interface ErrorAnswer {
    error: {
        /** A code of `CuckmqError`, or one of `DASHBOARD_…`. */
        code: string
        /** For people. */
        message: string
    }
}

/** `GET me` */
export interface MeAnswer {
    /** `Access#user`. */
    user: string
    isReadOnly: boolean
    title: string
    /** The release of cuckmq. */
    version: string
    /** The name of the queue's schema. */
    schema: string
    /** What the user may do to all jobs; single ones may be more or less restricted. Read-only: viewing at the most. */
    can: DashboardAction[]
    /** The same, and what they may do to jobs of one definition or another. */
    canSomewhere: DashboardAction[]
    /** Whether jobs may be looked for by what is in their payloads. */
    canSearchPayloads: boolean
    /** Whether jobs may be looked for by the text of their errors. */
    canSearchErrors: boolean
}

/** `GET snapshot`, and the data of the event `snapshot` of `GET live` */
export interface SnapshotAnswer {
    /** When it was made, by the clock of the server of the dashboard. */
    at: string
    counts: Json<Counts>
    workers: Json<WorkerInfo>[]
    orchestrators: Json<OrchestratorInfo>[]
    /** Those that have not ended. */
    operations: Json<Operation>[]
    /** How many streams are open. */
    numListeners: number
}

/** The data of the event `gone` of `GET live`: the database cannot be asked. The stream goes on by itself. */
export type GoneEvent = ErrorAnswer["error"]

/** `GET throughput?from&until&stepMs&definition&channel` */
export interface ThroughputAnswer {
    points: Json<ThroughputPoint>[]
}

/** `GET jobs?state&definition&channel&key&createdAfter&createdBefore&errorText&payload&order&limit&after` */
export interface JobsAnswer {
    jobs: Json<ListedJob>[]
    next: string | null
}

/** A job as `GET jobs/:id` tells of it. */
export interface JobView extends Json<JobDetails> {
    /** What it said of its progress last; null when it said nothing. */
    progress: unknown
    /** How many lines it has logged. */
    numLogs: number
    /** Whether payload, result, progress and logs are kept from the user, who may not `view-payload`: they are null then. */
    isPayloadHidden: boolean
    /** Whether the payload or the result is left out for being larger than 1 MiB: it is null then. */
    isTooLarge: boolean
}

/** `GET jobs/:id` */
export interface JobAnswer {
    job: JobView
    explanation: Json<Explanation>
    /** What the user may do to this job; not whether its state admits of it. */
    can: DashboardAction[]
}

/** `GET jobs/:id/logs?limit&after` */
export interface LogsAnswer {
    logs: { at: string; attempt: number; message: string }[]
    next: string | null
    /** Where this page ends, for `after`, to ask for what comes later; null when it has no lines. */
    place: string | null
}

/** `GET jobs/:id/graph` */
export type GraphAnswer = JobGraph

/** A definition as `GET definitions` tells of it. */
export interface DefinitionView extends Json<DefinitionInfo> {
    /** What the user may do to it and to its jobs. */
    can: DashboardAction[]
}

/** `GET definitions` */
export interface DefinitionsAnswer {
    definitions: DefinitionView[]
}

/** `GET workers` */
export interface WorkersAnswer {
    workers: Json<WorkerInfo>[]
    orchestrators: Json<OrchestratorInfo>[]
}

/** A schedule as `GET schedules` tells of it. */
export interface ScheduleView extends Json<Schedule> {
    /** The next five times; none while it is paused. */
    nextTimes: string[]
    /** Whether the payload is kept from the user: it is null then. */
    isPayloadHidden: boolean
    /** Whether the user may run, pause, resume and remove it. */
    isChangeable: boolean
}

/** `GET schedules` */
export interface SchedulesAnswer {
    schedules: ScheduleView[]
}

/** `GET schedules/preview?cron&timeZone&intervalMs&count` */
export interface PreviewAnswer {
    times: string[]
}

/** A pause as `GET pauses` tells of it. */
export interface PauseView extends Json<Pause> {
    /** Whether the user may end it. */
    isResumable: boolean
}

/** `GET pauses` */
export interface PausesAnswer {
    pauses: PauseView[]
}

/** A dead letter as `GET dead-letters` tells of it: of its errors the last one, without its stack, and up to 1,000 characters of the message. */
export interface DeadLetterView extends Json<DeadLetter> {
    /** Whether the payload is kept from the user: it is null then. */
    isPayloadHidden: boolean
    /** Whether the payload is left out for being larger than 16 KiB: it is null then. */
    isTooLarge: boolean
}

/** The parameters of `GET dead-letters?definition&reason&errorText&failedAfter&failedBefore&limit&after` */
export interface DeadLettersQuery {
    definition?: string
    reason?: FailureReason
    errorText?: string
    failedAfter?: string
    failedBefore?: string
    limit?: number
    after?: string
}

/** `GET dead-letters` */
export interface DeadLettersAnswer {
    deadLetters: DeadLetterView[]
    next: string | null
}

/** `GET operations?limit&after&isRunning` */
export interface OperationsAnswer {
    operations: Json<Operation>[]
    next: string | null
}

/** `GET operations/:id`, and the answer of `POST operations` */
export type OperationAnswer = Json<Operation>

/** `GET doctor` */
export type DoctorAnswer = Json<Diagnosis>

/** `GET health`: with 200 where it is healthy, 503 where it is not */
export type HealthAnswer = Health

/** `POST changes` */
export interface ChangesRequest {
    change: Json<JobChange>
    /** 1 to 1,000. */
    jobIDs: number[]
}
export interface ChangesAnswer {
    /** A job that the user may not change so has the result `forbidden`; nothing happened to it. */
    results: { jobID: number; result: ChangeResult["result"] | "forbidden" }[]
}

/** `POST changes/preview` */
export interface PreviewChangesRequest {
    change: Json<JobChange>
    filter: Json<JobFilter>
}
export type PreviewChangesAnswer = Json<Count>

/** `POST operations`, answered with `OperationAnswer` */
export interface OperationRequest extends PreviewChangesRequest {
    /** How many at the most. Default: all that fit. */
    limit?: number
}

/** `POST operations/:id/cancel` with `{}` */
export interface CancelOperationAnswer {
    isCancelled: boolean
}

/** `POST pauses`, answered with `{}` */
export interface PauseRequest {
    target: PauseTarget
    reason?: string
}

/** `POST pauses/remove` */
export interface ResumeRequest {
    target: PauseTarget
}
export interface ResumeAnswer {
    wasPaused: boolean
}

/** `POST schedules/pause`, `resume`, `remove`, answered with `{}`, and `POST schedules/run` */
export interface ScheduleRequest {
    /** In the body, since a name such as `..` survives no URL. */
    name: string
}
/** `POST schedules/run` */
export interface RunScheduleAnswer {
    jobID: number
}

/** `POST jobs` */
export interface DeferRequest {
    /** The name of a definition of the queue. */
    definition: string
    payload: object
    /** Milliseconds until it is due. Default 0. */
    delayMs?: number
    /** Default: the definition's. */
    priority?: number
    /** The keys of its group and limits, where the definition has them keyed. */
    keys?: DeferKeys
}
export interface DeferAnswer {
    jobID: number
}
