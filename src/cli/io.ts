import type { Pool } from "../index.ts"

/** Where output goes. */
export interface Stream {
    write(text: string): unknown
    readonly isTTY?: boolean | undefined
    readonly columns?: number | undefined
    readonly rows?: number | undefined
}

/** A pool that is ours to end. */
export type OwnPool = Pool & { end(): Promise<void> }

/** The part of `pg` that is used. */
export interface PgModule {
    Pool: new (options: {
        connectionString: string
        max: number
        connectionTimeoutMillis: number
        fallback_application_name: string
    }) => OwnPool
}

/** The part of `cuckmq/embedded` that is used. */
export interface EmbeddedModule {
    embeddedPool(): Promise<OwnPool>
}

/** What a command has of the process that it runs in. */
export interface Io {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly stdout: Stream
    readonly stderr: Stream
    /** Whether somebody sits there to answer. */
    readonly isInteractive: boolean
    /** Who runs it, as the system calls them; undefined where it does not say. */
    readonly user: string | undefined
    /** Aborted when the user interrupts. */
    readonly signal: AbortSignal
    /** From now on, has the end of the terminal be an interruption too, rather than the end of the process. */
    hearHangup(): void
    /** Waits, but not for longer than until `signal` is aborted. */
    wait(ms: number): Promise<void>
    /** Asks a question, and returns the answer. */
    ask(question: string): Promise<string>
    /** Hears single keys until the function that it returns is called. */
    onKey(hear: (key: string) => void): () => void
    /** Loads the peer `pg`. */
    loadPg(): Promise<PgModule>
    /** Loads the door to a database inside the process. */
    loadEmbedded(): Promise<EmbeddedModule>
}
