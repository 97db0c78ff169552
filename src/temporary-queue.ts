import { randomBytes } from "node:crypto"
import { Config, coreOf } from "./config.ts"
import type { Pool } from "./db/client.ts"
import { inOurWords, lacksPrivilege } from "./db/failure.ts"
import { DatabaseError, InvalidOptionError } from "./errors.ts"
import { knownOptions } from "./options.ts"
import { createTemporarySchema, dropTemporarySchema } from "./statements/temporary-schema.ts"

/** The options of `temporaryQueue`. */
export interface TemporaryQueueOptions {
    /** Where the queue is to be: what `Config` takes. It stays yours. */
    pool: Pool
    /**
     * What it is for, as a part of the schema's name, `cuckmq_PURPOSE_` and 24 random digits: 1 to 20 letters from a to z,
     * digits and underscores. Default `test`.
     */
    purpose?: string
}

/** A queue in a schema of its own. */
export interface TemporaryQueue {
    /** The queue, prepared. Its `schema` is the name. */
    readonly config: Config
    /**
     * Drops the schema with all that is in it. Stop your daemons and `join` them before: what they have under way is waited
     * for. May be called again; `await using` does the same.
     *
     * @throws DatabaseError when the database cannot be reached or refuses, or it takes longer than a minute.
     */
    drop(): Promise<void>
    [Symbol.asyncDispose](): Promise<void>
}

/** The defaults of `TemporaryQueueOptions`. */
export const TEMPORARY_QUEUE_DEFAULTS = Object.freeze({ purpose: "test" })

/** A large table takes a while to be dropped, and who works in it has to end first. */
const DROP_DEADLINE_MS = 60_000

/**
 * Makes a queue for a test or a measurement: in a schema of its own, under a name that nobody can foresee, which goes with all
 * its jobs when it is dropped. No other schema is touched. A process that is killed leaves it behind; its name and its
 * comment in the database say then what it was, and `drop schema … cascade` removes it.
 *
 * Costs what `prepareSchema` does, some 100 ms; the role needs the right to create schemas in the database.
 *
 * @throws InvalidOptionError for an option that is unknown or out of its range.
 * @throws DatabaseError when the database cannot be reached or refuses, as it does when there is a schema of the name.
 */
export async function temporaryQueue(options: TemporaryQueueOptions): Promise<TemporaryQueue> {
    knownOptions("temporaryQueue", options, ["pool", "purpose"])
    const purpose = checkedPurpose(options.purpose ?? TEMPORARY_QUEUE_DEFAULTS.purpose)
    const config = new Config({
        pool: options.pool,
        schema: `cuckmq_${purpose}_${randomBytes(12).toString("hex")}`,
    })
    const { database, schema } = coreOf(config)
    const drop = () =>
        inOurWords({ action: "drop", schema }, () =>
            dropTemporarySchema({ run: database.runWithin(DROP_DEADLINE_MS), schema }),
        )
    await inOurWords({ action: "temporaryQueue", schema }, () =>
        database.transaction((run) => createTemporarySchema({ run, schema })),
    ).catch((error: unknown) => {
        throw withAdvice(error)
    })
    try {
        await config.prepareSchema()
    } catch (error) {
        // What could not be prepared can hardly be dropped, and why it could not be is what matters.
        await drop().catch(() => undefined)
        throw error
    }
    return Object.freeze({ config, drop, [Symbol.asyncDispose]: drop })
}

function checkedPurpose(value: unknown): string {
    if (typeof value === "string" && /^[a-z0-9_]{1,20}$/.test(value)) return value
    throw new InvalidOptionError({
        option: "purpose",
        message: "expected `purpose` to be 1 to 20 letters from a to z, digits and underscores",
    })
}

/** That a role may not make schemas is most often on purpose, and the server does not say what it would take. */
function withAdvice(error: unknown): unknown {
    if (!(error instanceof DatabaseError) || !lacksPrivilege(error.cause)) return error
    const { sqlState, retryable, cause } = error
    const reason = `${(cause as Error).message}: a queue of its own takes a role that may create schemas (grant create on database … to …)`
    return new DatabaseError({
        action: "temporaryQueue",
        sqlState,
        retryable,
        cause: new Error(reason, { cause }),
    })
}
