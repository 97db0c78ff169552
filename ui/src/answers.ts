/** What the server of the dashboard says, in one place. Types only: nothing of it is bundled. */
import type { Json, Operation, SnapshotAnswer } from "../../src/dashboard/api.ts"
import type {
    ChannelCounts,
    Check,
    Count,
    DefinitionCounts,
    ListedJob,
    OrchestratorInfo,
    ThroughputPoint,
    WorkerInfo,
} from "../../src/index.ts"

export type {
    CancelOperationAnswer,
    ChangesAnswer,
    DashboardAction,
    DeadLettersAnswer,
    DeadLettersQuery,
    DeadLetterView,
    DeferAnswer,
    DeferRequest,
    DefinitionsAnswer,
    DefinitionView,
    DoctorAnswer,
    ErrorAnswer,
    GoneEvent,
    GraphAnswer,
    JobAction,
    JobAnswer,
    JobChange,
    JobFilter,
    JobsAnswer,
    JobView,
    Json,
    LogsAnswer,
    MeAnswer,
    OperationAnswer,
    OperationsAnswer,
    PausesAnswer,
    PauseView,
    PreviewAnswer,
    PreviewChangesAnswer,
    ResumeAnswer,
    RunScheduleAnswer,
    SchedulesAnswer,
    ScheduleView,
    SnapshotAnswer,
    ThroughputAnswer,
    WorkersAnswer,
} from "../../src/dashboard/api.ts"
export type { FailureReason, JobState, PauseTarget, Verdict } from "../../src/index.ts"

export type JobRow = Json<ListedJob>
export type WorkerView = Json<WorkerInfo>
export type OrchestratorView = Json<OrchestratorInfo>
export type DefinitionNumbers = Json<DefinitionCounts>
export type ChannelNumbers = Json<ChannelCounts>
export type StateNumbers = SnapshotAnswer["counts"]["total"]
export type Counted = Json<Count>
export type OperationView = Json<Operation>
export type Point = Json<ThroughputPoint>
export type CheckView = Json<Check>
