import { FaultDriver } from "./campaign-faults.ts"
import { Gauges } from "./campaign-gauges.ts"
import type { Fault, Victim } from "./faults/fault.ts"
import { pause } from "./pause.ts"
import type { PhaseRecord } from "./records.ts"
import type { Stage } from "./stage.ts"

const TELL_EVERY_MS = 10_000
const LOOK_EVERY_MS = 250

/** What happened, for the last line. What it means is for the checker to say. */
export interface Happened {
    readonly numFaults: number
    readonly numKinds: number
    readonly hasDrained: boolean
}

/** One campaign on a stage that is built: faults, then calm, then everything must come to its end. */
export class Campaign {
    readonly #stage: Stage
    readonly #driver: FaultDriver
    readonly #gauges: Gauges
    readonly #tell: (line: string) => void
    readonly #beganMs = performance.now()
    #phase: PhaseRecord["phase"] = "begin"

    constructor(params: { stage: Stage; faults: readonly Fault[]; tell: (line: string) => void }) {
        this.#stage = params.stage
        this.#tell = params.tell
        this.#driver = new FaultDriver(params)
        this.#gauges = new Gauges(params.stage)
    }

    /** Where it stands, for when it hangs. */
    get state(): string {
        const active = this.#driver.activeNames
        return [
            `${Math.round((performance.now() - this.#beganMs) / 1_000)} s`,
            this.#phase,
            `${this.#driver.numFaults} faults`,
            `${this.#gauges.numUnfinished} unfinished`,
            ...(active.length === 0 ? [] : [active.join(" + ")]),
        ].join(" · ")
    }

    async run(signal: AbortSignal): Promise<Happened> {
        const { slots, failure, options } = this.#stage
        const ending = AbortSignal.any([signal, failure.signal])
        const telling = setInterval(() => this.#tell(this.state), TELL_EVERY_MS)
        try {
            this.#enter("begin")
            this.#gauges.start()
            for (const slot of slots) slot.start()
            await this.#driver.run({ forMs: options.profile.minutes * 60_000, signal: ending })
            if (failure.signal.aborted) this.#tell(String(failure.signal.reason))
            this.#goOn(signal)
            const hasDrained = await this.#comeToRest(signal)
            return { numFaults: this.#driver.numFaults, numKinds: this.#driver.numKinds, hasDrained }
        } finally {
            clearInterval(telling)
            await this.#gauges.stop()
        }
    }

    async #comeToRest(signal: AbortSignal): Promise<boolean> {
        const { options } = this.#stage
        this.#enter("calm")
        await this.#end(["producer"])
        this.#enter("producers-ended")
        const hasDrained = await this.#drain(signal)
        this.#enter(hasDrained ? "drained" : "not-drained")
        await pause(options.profile.lingerMs, signal)
        this.#goOn(signal)
        await this.#end(["orchestrator"])
        // One of them may have deferred a tick just now, and a worker that stops would give it back to nobody.
        const isEmpty = hasDrained && (await this.#drain(signal))
        await this.#end(["worker"])
        this.#enter("end")
        return isEmpty
    }

    async #end(roles: readonly Victim["role"][]): Promise<void> {
        const slots = this.#stage.slots.filter(({ role }) => roles.includes(role))
        await Promise.all(slots.map((slot) => slot.end()))
    }

    /** Waits until nothing is left to do, twice in a row: a job may just be on its way from one table to another. */
    async #drain(signal: AbortSignal): Promise<boolean> {
        const untilMs = performance.now() + this.#stage.options.profile.drainBoundMs
        let numEmpty = 0
        // Where processes do not live, there is nothing to wait for.
        while (performance.now() < untilMs && !this.#stage.failure.signal.aborted) {
            this.#goOn(signal)
            numEmpty = (await this.#stage.numUnfinished()) === 0 ? numEmpty + 1 : 0
            if (numEmpty === 2) return true
            await pause(LOOK_EVERY_MS, signal)
        }
        return false
    }

    #enter(phase: PhaseRecord["phase"]): void {
        this.#phase = phase
        this.#stage.records.write({ kind: "phase", phase })
        this.#tell(this.state)
    }

    #goOn(signal: AbortSignal): void {
        if (!this.#stage.network.isRunning) throw new Error("the proxy has ended")
        signal.throwIfAborted()
    }
}
