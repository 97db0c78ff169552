/**
 * What the processes of a campaign write down, each into an append-only file of its own, a JSON object a line, before
 * the act or right after it. A write survives the death of its process, so nothing is flushed to disk.
 */
import type { JobKind } from "./workload.ts"

/** A moment on the monotonic clock, which all processes of a host share, in microseconds. */
export type Micros = number

interface Stamp {
    readonly at: Micros
    /** Unique for each process that ever ran, such as "worker-3.2": the second life of the third worker. */
    readonly process: string
}

/** How a producer hands jobs over. */
export type DeferForm = "single" | "bulk" | "transaction"

/** Before jobs are deferred. One record a job. */
export interface IntentRecord extends Stamp {
    readonly kind: "intent"
    readonly key: string
    readonly jobKind: JobKind
    readonly form: DeferForm
    /** Intents that stand or fall together, as one call or one transaction. */
    readonly group: string
    readonly delayMs: number
    readonly requires: readonly string[]
    readonly failures: number
}

/** After the call, or the commit, came back well. */
export interface AckedRecord extends Stamp {
    readonly kind: "acked"
    readonly key: string
    readonly jobID: string
}

/** The producer rolled its transaction back on purpose, and the database said so: none of the group may exist. */
export interface RolledBackRecord extends Stamp {
    readonly kind: "rolled-back"
    readonly group: string
}

/** The call failed: the jobs may exist or not. */
export interface RefusedRecord extends Stamp {
    readonly kind: "refused"
    readonly group: string
    readonly code: string
    readonly message: string
}

/** A call that was to cancel jobs came back well: what it said of one of them. */
export interface CancelledRecord extends Stamp {
    readonly kind: "cancelled"
    readonly jobID: string
    readonly result: string
}

/** Before a call that is to replay a dead letter, or, without `jobID`, some of those of a kind. */
export interface ReplayRecord extends Stamp {
    readonly kind: "replay"
    /** Names the call. */
    readonly call: string
    readonly jobKind: JobKind
    readonly jobID: string | null
}

/** What came of the call: how many it said that it had replayed. Null when it failed: then it may have. */
export interface ReplayAnswerRecord extends Stamp {
    readonly kind: "replay-answer"
    readonly call: string
    readonly num: number | null
    readonly code: string | null
}

/** A call that was to pause the jobs that may be paused, or to resume them, came back well. */
export interface PausedRecord extends Stamp {
    readonly kind: "paused" | "resumed"
}

/** A handler begins. `attempt` is the peer's own count, from 1; `token` tells claims of one job apart, if the peer has it. */
export interface RunStartRecord extends Stamp {
    readonly kind: "run-start"
    readonly key: string
    readonly jobKind: JobKind
    readonly jobID: string
    readonly attempt: number
    readonly token: string | null
}

/** A handler ends. "aborted": it saw its signal aborted and gave up. "garbled": its payload was not what was sent. */
export interface RunEndRecord extends Stamp {
    readonly kind: "run-end"
    readonly key: string
    readonly jobID: string
    readonly attempt: number
    readonly outcome: "returned" | "threw" | "aborted" | "garbled" | "snoozed"
    readonly reason?: string
}

/** What the peer's own events say of a job or of a daemon. */
export interface EventRecord extends Stamp {
    readonly kind: "event"
    readonly type: string
    readonly jobID: string | null
    readonly detail: string | null
}

/** A process begins; asks its daemon to stop; has seen its daemon end. */
export interface LifeRecord extends Stamp {
    readonly kind: "started" | "stopping" | "stopped"
    readonly role: string
    readonly pid: number
    /** With "stopped": how long it took, in milliseconds, and how long it was allowed to. */
    readonly tookMs?: number
    readonly graceMs?: number
}

/** An unhandled rejection, an uncaught exception, or a warning of leaked listeners. */
export interface MishapRecord extends Stamp {
    readonly kind: "mishap"
    readonly what: "unhandled-rejection" | "uncaught-exception" | "warning"
    readonly detail: string
}

/** By the controller: a process ended. `isInjected`: by a fault, a job that ends its process, or the end of the campaign. */
export interface ExitRecord extends Stamp {
    readonly kind: "exit"
    readonly victim: string
    readonly code: number | null
    readonly signal: string | null
    readonly isInjected: boolean
}

/** By the controller: a fault was in force. */
export interface FaultRecord extends Stamp {
    readonly kind: "fault"
    readonly fault: string
    readonly target: string
    readonly from: Micros
    readonly to: Micros
    /** Nothing could be done while it lasted: recovery from other faults counts from its end. */
    readonly isOutage: boolean
    readonly detail: string
}

/** By the controller: the phases of a campaign. "calm": the last fault is over. "drained": nothing is left to do. */
export interface PhaseRecord extends Stamp {
    readonly kind: "phase"
    readonly phase: "begin" | "calm" | "producers-ended" | "drained" | "not-drained" | "end"
}

/** By the poller: what it saw of the server. */
export interface GaugeRecord extends Stamp {
    readonly kind: "gauge"
    readonly name:
        | "idle-in-transaction-ms"
        | "advisory-locks"
        | "deadlocks"
        | "rss-kb"
        | "connections"
        | "live-jobs"
        | "notification-queue"
        | "dead-tuples"
        | "live-tuples"
    readonly of: string
    readonly value: number
}

export type ChaosRecord =
    | IntentRecord
    | AckedRecord
    | RolledBackRecord
    | RefusedRecord
    | CancelledRecord
    | ReplayRecord
    | ReplayAnswerRecord
    | PausedRecord
    | RunStartRecord
    | RunEndRecord
    | EventRecord
    | LifeRecord
    | MishapRecord
    | ExitRecord
    | FaultRecord
    | PhaseRecord
    | GaugeRecord
