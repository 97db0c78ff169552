import type { Client } from "pg"
import type { Meter, Rows } from "../measure.ts"
import type { Payload, Peer, PeerOptions } from "../peers/peer.ts"
import type { WorkerProcess } from "../worker-process.ts"

/** What a scenario has in the process that measures one system once. */
export interface Bench {
    peerID: string
    peer: Peer
    options: PeerOptions
    /** A connection for whatever the scenario has to ask or to hold. */
    admin: Client
    meter: Meter
    /** Which of the scenario's cases this run measures. */
    caseName: string
    /** A run for trying the benchmark: small numbers, figures that mean nothing. */
    isSmall: boolean
    /** Starts a process with a worker of the same system, which waits to be told to begin. */
    startWorker(): Promise<WorkerProcess>
}

export interface Scenario {
    title: string
    /** What is measured and how, for the report. */
    about: string
    goal: PeerOptions["goal"]
    /** The systems that take part, by their ids. */
    peers: readonly string[]
    /** What is measured in runs of its own, when it is more than one thing. */
    cases?: readonly string[]
    /** About how long it takes to measure all systems once. */
    usualSeconds: number
    /** How often each system is measured; 3 unless it says something else. */
    rounds?: number
    /** The most that one run may take. */
    timeoutMs?: number
    sample(bench: Bench): Promise<Rows>
}

/** Enqueues `count` jobs, `size` in a call. */
export async function fill(params: {
    peer: Pick<Peer, "enqueueMany">
    count: number
    size: number
    payload: (index: number) => Payload
}): Promise<void> {
    const { peer, count, size, payload } = params
    for (let start = 0; start < count; start += size) {
        const length = Math.min(size, count - start)
        await peer.enqueueMany(Array.from({ length }, (_, index) => payload(start + index)))
    }
}

export function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until `isDone`, or until the time is up; says which. */
export async function until(isDone: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
    const endMs = performance.now() + ms
    for (;;) {
        if (await isDone()) return true
        if (performance.now() > endMs) return false
        await sleep(2)
    }
}
