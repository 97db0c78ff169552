/** What a handler throws to put its job off. */
export class Snoozed extends Error {
    readonly delayMs: number

    constructor(delayMs: number) {
        super("the job is put off: let this through")
        this.name = "Snoozed"
        this.delayMs = delayMs
    }
}
