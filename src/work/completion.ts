import { checkedClient } from "../db/client.ts"
import { InvalidCompletionError, InvalidPayloadError } from "../errors.ts"
import type { CompleteOptions } from "../job-context.ts"
import { knownOptions } from "../options.ts"
import { encodeResult } from "../payload.ts"
import type { RegisteredJob } from "../registry.ts"
import type { ClaimKey } from "../statements/query.ts"
import type { DependentState } from "../statements/settle-dependents.ts"
import type { Settler } from "./settler.ts"

/** A job whose job function completes it within a transaction of its own. Made when it first tries to. */
export class Completion implements ClaimKey {
    readonly id: number
    readonly token: number
    /** What the job function threw after it had called `complete`. */
    thrown: { readonly value: unknown } | undefined
    /** What to tell when the job turns out not to be completed. */
    failure: { readonly error: unknown; readonly retryDelayMs: number | null } | undefined
    /** What `complete` threw, the last time that it was called. */
    cause: unknown
    /** What became of the jobs that depended on this one, once it is committed. */
    released: readonly DependentState[] = []
    readonly #definition: Pick<RegisteredJob, "name" | "keepSucceededMs">
    readonly #settler: Settler
    readonly #maxResultBytes: number
    #isUnderWay = false

    constructor(params: {
        key: ClaimKey
        definition: Pick<RegisteredJob, "name" | "keepSucceededMs">
        host: { settler: Settler; maxResultBytes: number }
    }) {
        this.id = params.key.id
        this.token = params.key.token
        this.#definition = params.definition
        this.#settler = params.host.settler
        this.#maxResultBytes = params.host.maxResultBytes
    }

    /** Completes the job in the transaction of `options.client`. */
    async complete(options: CompleteOptions): Promise<void> {
        if (this.#isUnderWay)
            throw new InvalidCompletionError({ jobID: this.id, reason: "it is being completed already" })
        this.#isUnderWay = true
        try {
            knownOptions("complete", options, ["client", "result"])
            const client = checkedClient(options.client)
            const result = this.#encode(options.result)
            this.released = await this.#settler.completeWithin({
                client,
                job: this,
                result,
                keepMs: this.#definition.keepSucceededMs,
            })
            this.cause = undefined
        } catch (error) {
            this.cause = error
            throw error
        } finally {
            this.#isUnderWay = false
        }
    }

    #encode(result: unknown): string | null {
        const encoded = encodeResult(result, this.#maxResultBytes)
        if ("text" in encoded) return encoded.text
        const { reason } = encoded
        throw new InvalidPayloadError({
            definition: this.#definition.name,
            path: "result",
            reason: `cannot be kept: ${reason}`,
        })
    }
}
