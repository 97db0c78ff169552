/** An option of a command, for reading it, for its help, and for completion. */
export interface OptionSpec {
    /** What follows the two dashes. */
    name: string
    /** What stands for its value in the help; none for one that is only there or not. */
    value?: string
    /** What it does, in one line. */
    help: string
    /** All values that it may have, where they are few. */
    choices?: readonly string[]
}
