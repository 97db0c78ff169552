import type { Config, Inspector, Pool } from "../index.ts"
import type { Arguments } from "./arguments.ts"
import type { Io } from "./io.ts"
import type { OptionSpec } from "./option-spec.ts"
import type { Output } from "./output.ts"

/** A queue, once it was asked for. */
export interface Queue {
    config: Config
    inspector: Inspector
}

/** A database, for a command that makes a queue of its own. */
export interface Database {
    pool: Pool
    /** Where it is, for people. */
    place: string
    /** Whether it is inside this process, and ends with it. */
    isEmbedded: boolean
}

/** Which database a command takes. */
export interface DatabaseParams {
    /** How many connections it may take. */
    numConnections: number
    /** The server that was named, one inside this process, or that one where no server was named. */
    kind: "server" | "embedded" | "either"
}

/** What a command runs with. */
export interface Context {
    args: Arguments
    out: Output
    io: Io
    /** All commands there are. */
    commands: readonly Command[]
    /** Connects, when it is first called. */
    queue(): Promise<Queue>
    /** The database without a queue, over so many connections at the most. */
    database(params: DatabaseParams): Promise<Database>
    /**
     * Asks whether to go on, unless `--yes` says so; throws where nobody can be asked. `withFacts` is the same question,
     * with what takes a look at the database to know.
     */
    isConfirmed(question: string, withFacts?: () => Promise<string>): Promise<boolean>
}

/** A command: it prints what the library says, and decides nothing. */
export interface Command {
    name: string
    /** What it does, in one line. */
    summary: string
    /** What follows its name, such as `ID…`. */
    operands?: string
    /** How many operands it takes. Default: none. */
    numOperands?: { min: number; max: number }
    /** Operands that it may have, where they are few. */
    choices?: readonly string[]
    options?: readonly OptionSpec[]
    /** What else is to be known, in lines of text. */
    details?: readonly string[]
    /** Whether it goes on until it is interrupted, and notices that itself. */
    isLive?: boolean
    /** Returns what the process ends with. */
    run(context: Context): Promise<number>
}
