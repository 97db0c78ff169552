/** A build of cuckmq without one of its guards, and what must notice that it is gone. */
export interface Mutant {
    readonly name: string
    /** What is taken away, and what that does. */
    readonly about: string
    /** Any of these invariants may catch it. */
    readonly caughtBy: readonly string[]
    /** Below `src/`. */
    readonly file: string
    /** The text that is replaced. It must occur exactly once in the file. */
    readonly find: string
    readonly replace: string
    /** Names of faults that bring it to light. */
    readonly faults: readonly string[]
}
