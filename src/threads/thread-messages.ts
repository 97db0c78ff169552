import type { ThrownCopy } from "./thrown-copy.ts"

/** What the worker says to a thread. */
export type ToThread =
    | {
          readonly type: "run"
          readonly number: number
          readonly url: string
          readonly exportName: string
          readonly payload: string
          readonly jobID: number
          readonly name: string
          readonly attempt: number
          readonly token: number
          readonly dueAtMs: number
      }
    | { readonly type: "abort"; readonly number: number; readonly reason: ThrownCopy }
    | {
          readonly type: "query"
          readonly call: number
          readonly query: number
          readonly text: string
          readonly values: unknown[]
      }
    | { readonly type: "completed"; readonly call: number; readonly thrown?: ThrownCopy }

/** What a thread says to the worker. */
export type FromThread = Ended | Asked | Answer | Noted

/** A result as JSON text, or why there is none. */
export type ResultCopy =
    | { readonly text: string | null }
    | { readonly reason: string }
    | { readonly thrown: ThrownCopy }

/** What a job function says of its run. */
export interface Noted {
    readonly type: "noted"
    readonly number: number
    readonly lines: readonly string[]
    /** Undefined when it has not changed. */
    readonly progress: number | object | undefined
}

/** How a run ended: with a result, or what was thrown, or put off, or not begun since its module could not be loaded. */
export type Ended = { readonly type: "end"; readonly number: number } & (
    | { readonly result: ResultCopy }
    | { readonly thrown: ThrownCopy }
    | { readonly putOff: { readonly way: "snooze" | "rateLimited"; readonly delayMs: unknown } }
    | { readonly unloaded: ThrownCopy }
)

/** A job function has called `complete`. */
export interface Asked {
    readonly type: "complete"
    readonly number: number
    readonly call: number
    readonly jobID: number
    /** The options that it was called with; undefined when that was no object. */
    readonly names: readonly string[] | undefined
    readonly hasQuery: boolean
    readonly result: ResultCopy
}

/** What a statement returned that the client of a transaction in the thread was asked to run. */
export type Answer = { readonly type: "answer"; readonly query: number } & (
    | { readonly rows: unknown[] }
    | { readonly thrown: ThrownCopy }
)
