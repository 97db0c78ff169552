import { pause } from "../pause.ts"
import type { Producer } from "../peers/peer.ts"
import type { Acked } from "../plans.ts"
import type { Random } from "../random.ts"
import type { Recorder } from "../recorder.ts"

const CANCEL_EVERY_MS = [150, 600] as const
const MAX_CANCELLED = 4
const PAUSE_EVERY_MS = [700, 2_500] as const
const PAUSE_MS = [300, 1_500] as const
const RETRY_MS = 250

/** Cancels jobs now and then, and, one of all producers, pauses what may be paused. Writes down what it is told. */
export class Control {
    readonly #producer: Producer
    readonly #recorder: Recorder
    readonly #random: Random
    readonly #candidates: () => readonly Acked[]
    readonly #ending: AbortSignal
    readonly #cancelling: Promise<void>
    readonly #pausing: Promise<void>

    constructor(params: {
        producer: Producer
        recorder: Recorder
        random: Random
        /** Jobs that there are, most likely. */
        candidates: () => readonly Acked[]
        pauses: boolean
        ending: AbortSignal
    }) {
        this.#producer = params.producer
        this.#recorder = params.recorder
        this.#random = params.random
        this.#candidates = params.candidates
        this.#ending = params.ending
        this.#cancelling = this.#cancelSome()
        this.#pausing = params.pauses ? this.#pauseSome() : Promise.resolve()
    }

    /** Resolves when nothing is paused any more, nor will be. */
    async resumed(): Promise<void> {
        await this.#pausing
    }

    /** Resolves when all calls are answered, or given up, too. */
    async ended(): Promise<void> {
        await Promise.all([this.#cancelling, this.#pausing])
    }

    async #cancelSome(): Promise<void> {
        const { cancel } = this.#producer
        if (cancel === undefined) return
        while (!this.#ending.aborted) {
            await pause(this.#random.between(...CANCEL_EVERY_MS), this.#ending)
            const candidates = this.#candidates()
            if (candidates.length === 0) continue
            const num = this.#random.integer(1, MAX_CANCELLED)
            // The youngest are those that have not ended.
            const youngest = candidates.slice(-10 * MAX_CANCELLED)
            const jobIDs = Array.from({ length: num }, () => this.#random.pick(youngest).jobID)
            const results = await cancel(jobIDs).catch(() => undefined)
            if (results === undefined) continue
            this.#recorder.writeAll(
                jobIDs.map((jobID, at) => ({ kind: "cancelled", jobID, result: results[at] as string })),
            )
        }
    }

    async #pauseSome(): Promise<void> {
        if (this.#producer.pause === undefined) return
        // An earlier life of this process may have ended in the middle of a pause.
        await this.#resume()
        while (!this.#ending.aborted) {
            await pause(this.#random.between(...PAUSE_EVERY_MS), this.#ending)
            if (this.#ending.aborted) return
            const isPaused = await this.#producer.pause(true).then(
                () => true,
                () => false,
            )
            if (isPaused) this.#recorder.write({ kind: "paused" })
            await pause(this.#random.between(...PAUSE_MS), this.#ending)
            await this.#resume()
        }
    }

    async #resume(): Promise<void> {
        for (;;) {
            const isResumed = await this.#producer.pause?.(false).then(
                () => true,
                () => false,
            )
            if (isResumed !== false) return this.#recorder.write({ kind: "resumed" })
            await pause(RETRY_MS)
        }
    }
}
