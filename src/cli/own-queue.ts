import { type Config, Inspector, type TemporaryQueue, temporaryQueue } from "../index.ts"
import type { Context, Database, DatabaseParams } from "./command.ts"
import { withoutPassword } from "./database.ts"
import { UsageError } from "./exit.ts"
import { Limit } from "./limit.ts"

/** A database inside the process takes seconds to start, and many on a busy machine. */
const MAX_OPEN_MS = 300_000

/** A queue in a schema of its own, and the database that it is in. */
export interface OwnQueue {
    config: Config
    inspector: Inspector
    database: Database
}

/** How a command takes a queue of its own. */
interface OwnQueueParams extends DatabaseParams {
    /** A part of the schema's name. */
    purpose: string
    /** Whether the queue stays when the command ends. */
    isKept: boolean
}

/** Refuses a schema that somebody has chosen. */
export function refuseSchema({ args }: Context): void {
    if (args.has("schema")) throw new UsageError("--schema is not for this: it makes a schema of its own")
}

/**
 * Does something in a schema of its own, which is dropped whatever happens but a kill. Returns undefined when it was interrupted
 * before that began.
 */
export async function inOwnQueue<Result>(
    context: Context,
    { purpose, isKept, ...connecting }: OwnQueueParams,
    work: (queue: OwnQueue) => Promise<Result>,
): Promise<Result | undefined> {
    const { io } = context
    io.hearHangup()
    const opening = context.database(connecting)
    const limit = new Limit({ ms: MAX_OPEN_MS, signal: io.signal })
    if (!(await limit.isInTime(opening))) return undefined
    const database = await opening
    const queue = await temporaryQueue({ pool: database.pool, purpose })
    const { config } = queue
    try {
        return await work({ config, inspector: new Inspector({ config }), database })
    } finally {
        if (!isKept && !database.isEmbedded) await dropped(queue, context)
    }
}

/** That it could not be dropped must not hide what went wrong before. */
async function dropped({ config, drop }: TemporaryQueue, { args, io, out }: Context): Promise<void> {
    try {
        await drop()
    } catch (error) {
        const reason = withoutPassword(String(error), args.text("database-url") ?? io.env.DATABASE_URL)
        out.note(`the schema ${config.schema} is left over (${reason}): drop schema ${config.schema} cascade`)
    }
}
