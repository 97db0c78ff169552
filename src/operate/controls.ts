import type { Config, Core } from "../config.ts"
import type { SqlClient } from "../db/client.ts"
import type { Run } from "../db/driver.ts"
import { inOurWords } from "../db/failure.ts"
import { knownOptions } from "../options.ts"
import { type PauseOptions, Pauses, type PauseTarget } from "../pauses.ts"
import { recordOperation } from "../statements/operations.ts"
import { checkedBy } from "./change-options.ts"
import type { By, OperationKind } from "./operation.ts"

/** How to pause through an inspector. */
export interface InspectorPauseOptions extends PauseOptions, By {}

/** Pauses and schedules, with a record of who did what. */
export class Controls {
    readonly #config: Config
    readonly #core: Core
    readonly #pauses: Pauses

    constructor(config: Config, core: Core) {
        this.#config = config
        this.#core = core
        this.#pauses = new Pauses(core)
    }

    async pause(target: PauseTarget, options: InspectorPauseOptions = {}): Promise<void> {
        knownOptions("pause", options, ["reason", "by"])
        const { by: _by, ...rest } = options
        const by = checkedBy("pause", byOf(options))
        const details = rest.reason === undefined ? {} : { reason: rest.reason }
        const record = (run: Run) => this.#record(run, { kind: "pause", by, target, details })
        await this.#pauses.add(target, rest, record)
    }

    /** A pause that was not there leaves no record. */
    async resume(target: PauseTarget, options: By | undefined): Promise<boolean> {
        const by = checkedBy("resume", options)
        const record = (run: Run) => this.#record(run, { kind: "resume", by, target, details: {} })
        return this.#pauses.remove(target, record)
    }

    async pauseSchedule(name: string, options: By | undefined): Promise<void> {
        const by = checkedBy("pauseSchedule", options)
        await this.#withRecord({ kind: "pause-schedule", by, name }, async (client) => {
            await this.#config.schedules.pause(name, { client })
            return {}
        })
    }

    async resumeSchedule(name: string, options: By | undefined): Promise<void> {
        const by = checkedBy("resumeSchedule", options)
        await this.#withRecord({ kind: "resume-schedule", by, name }, async (client) => {
            await this.#config.schedules.resume(name, { client })
            return {}
        })
        this.#core.hints.announceNews("schedule")
    }

    /** One that was not there leaves no record. */
    async removeSchedule(name: string, options: By | undefined): Promise<boolean> {
        const by = checkedBy("removeSchedule", options)
        let wasThere = false
        await this.#withRecord({ kind: "remove-schedule", by, name }, async (client) => {
            wasThere = await this.#config.schedules.remove(name, { client })
            return wasThere ? {} : undefined
        })
        return wasThere
    }

    async runSchedule(name: string, options: By | undefined): Promise<number> {
        const by = checkedBy("runSchedule", options)
        let jobID = 0
        await this.#withRecord({ kind: "run-schedule", by, name }, async (client) => {
            jobID = await this.#config.schedules.runNow(name, { client })
            return { jobID }
        })
        this.#core.hints.announce("ready")
        return jobID
    }

    /** Does work on a schedule, and records it in the same transaction, unless it has nothing to tell. */
    async #withRecord(
        told: { kind: OperationKind; by: string | null; name: string },
        work: (client: SqlClient) => Promise<object | undefined>,
    ): Promise<void> {
        const { kind, by, name } = told
        const { database, schema } = this.#core
        await inOurWords({ action: kind, schema }, () =>
            database.transaction(async (run) => {
                const details = await work(clientOf(run))
                if (details !== undefined)
                    await this.#record(run, { kind, by, target: { schedule: name }, details })
            }),
        )
    }

    #record(
        run: Run,
        operation: { kind: OperationKind; by: string | null; target: object; details: object },
    ): Promise<void> {
        return recordOperation({ run, schema: this.#core.schema, operation })
    }
}

function byOf({ by }: By): By {
    return by === undefined ? {} : { by }
}

/** A transaction of ours, as what is done within one of the caller's takes it. */
export function clientOf(run: Run): SqlClient {
    return { query: async (text, values = []) => ({ rows: await run(text, values) }) }
}
