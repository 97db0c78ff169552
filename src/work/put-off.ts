import { InvalidOptionError } from "../errors.ts"
import { durationMs } from "../options.ts"
import type { RegisteredJob } from "../registry.ts"
import type { ClaimKey } from "../statements/query.ts"
import type { Settled, Settler } from "./settler.ts"

/** What a handler throws to put its job off: by itself, or with all jobs that count under the same rate. */
export class PutOff extends Error {
    readonly delayMs: number
    readonly eventType: "worker-job-snooze" | "worker-job-rate-limit"
    readonly #run: ClaimKey
    readonly #rate: { readonly isKeyed: boolean } | undefined

    private constructor(params: { run: ClaimKey; delayMs: number; rate?: { readonly isKeyed: boolean } }) {
        super("the job is put off: let this through")
        this.name = "PutOff"
        this.delayMs = durationMs("delayMs", params.delayMs)
        this.eventType = params.rate === undefined ? "worker-job-snooze" : "worker-job-rate-limit"
        this.#run = params.run
        this.#rate = params.rate
    }

    static snooze(run: ClaimKey, delayMs: number): PutOff {
        return new PutOff({ run, delayMs })
    }

    static rateLimited(run: ClaimKey, delayMs: number, { gate }: RegisteredJob): PutOff {
        if (gate?.rate) return new PutOff({ run, delayMs, rate: gate.rate })
        const message = "`context.rateLimited` is for definitions with `rateLimit`, and this one has none"
        throw new InvalidOptionError({ option: "rateLimit", message })
    }

    /** Whether something that was thrown is what this run threw to say so. */
    static isOf(run: ClaimKey, thrown: unknown): thrown is PutOff {
        // Of a proxy even `instanceof` cannot be asked.
        return typeof thrown === "object" && thrown !== null && #run in thrown && thrown.#run === run
    }

    /** Records it. */
    write(settler: Settler): Promise<Settled> {
        const job = { id: this.#run.id, token: this.#run.token, delayMs: this.delayMs }
        return this.#rate === undefined
            ? settler.snooze(job)
            : settler.hold({ ...job, isKeyed: this.#rate.isKeyed })
    }
}
