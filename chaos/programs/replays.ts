import { monotonicMicros } from "../clock.ts"
import { pause } from "../pause.ts"
import type { Producer } from "../peers/peer.ts"
import type { Recorder } from "../recorder.ts"
import { type JobKind, REPLAYED_KINDS } from "../workload.ts"

/** How long a round is, and when in it dead letters are replayed: by then all producers have looked which there are. */
const ROUND_MS = 600
const REPLAY_AFTER_MS = 250

/** Of so many rounds of each kind, one is for many with one call. */
const MANY_EVERY = 3

/** Errors of ours rather than of the server or the network. */
const MISTAKES = /INVALID|NOT_PREPARED/

/**
 * Replays dead letters, and writes down what it is told. Rounds begin on the clock that all processes share, so what one
 * producer replays, the others do at the same moment.
 */
export class Replays {
    readonly #producer: Producer
    readonly #recorder: Recorder
    readonly #process: string
    readonly #ending: AbortSignal
    readonly #running: Promise<void>
    #numCalls = 0

    constructor(params: { producer: Producer; recorder: Recorder; process: string; ending: AbortSignal }) {
        this.#producer = params.producer
        this.#recorder = params.recorder
        this.#process = params.process
        this.#ending = params.ending
        this.#running = this.#run()
    }

    /** Resolves when the calls under way are answered, or given up. */
    async ended(): Promise<void> {
        await this.#running
    }

    async #run(): Promise<void> {
        const { findDeadLetters, replay, replayMany } = this.#producer
        if (findDeadLetters === undefined || replay === undefined || replayMany === undefined) return
        for (;;) {
            const round = Math.floor(monotonicMicros() / 1_000 / ROUND_MS) + 1
            await this.#until(round * ROUND_MS)
            if (this.#ending.aborted) return
            const { kind, isForMany } = planOf(round)
            if (isForMany) {
                await this.#call({ kind, jobID: null, replay: () => replayMany(kind) })
                continue
            }
            const jobIDs = await findDeadLetters(kind).catch(() => [])
            await this.#until(round * ROUND_MS + REPLAY_AFTER_MS)
            // One of them twice: one process may ask at the same time, too.
            const asked = [...jobIDs, ...jobIDs.slice(0, 1)]
            await Promise.all(
                asked.map((jobID) =>
                    this.#call({ kind, jobID, replay: async () => Number(await replay(jobID)) }),
                ),
            )
        }
    }

    async #call(params: {
        kind: JobKind
        jobID: string | null
        replay: () => Promise<number>
    }): Promise<void> {
        const { kind: jobKind, jobID, replay } = params
        const call = `${this.#process}/r${++this.#numCalls}`
        this.#recorder.write({ kind: "replay", call, jobKind, jobID })
        try {
            this.#recorder.write({ kind: "replay-answer", call, num: await replay(), code: null })
        } catch (error) {
            const code = error instanceof Error && "code" in error ? String(error.code) : ""
            if (error instanceof TypeError || error instanceof RangeError || MISTAKES.test(code)) throw error
            this.#recorder.write({ kind: "replay-answer", call, num: null, code })
        }
    }

    #until(ms: number): Promise<void> {
        return pause(Math.max(0, ms - monotonicMicros() / 1_000), this.#ending)
    }
}

function planOf(round: number): { kind: JobKind; isForMany: boolean } {
    const kind = REPLAYED_KINDS[round % REPLAYED_KINDS.length] as JobKind
    return { kind, isForMany: Math.floor(round / REPLAYED_KINDS.length) % MANY_EVERY === 0 }
}
