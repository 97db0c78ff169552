import type { Core } from "./core.ts"
import { toCuckmqError } from "./db/failure.ts"
import { InvalidOptionError } from "./errors.ts"
import { knownOptions, nameText, reasonText } from "./options.ts"
import { deletePause, insertPause, type PauseRow, selectPauses } from "./statements/pauses.ts"

/** What to pause or to resume: exactly one of these. */
export type PauseTarget =
    /** The jobs of one definition, by its name. It need not be in the database yet. */
    | { definition: string }
    /** The jobs of all definitions of a channel. */
    | { channel: string }
    /** All jobs of the queue. */
    | { everything: true }

/** How to pause. */
export interface PauseOptions {
    /** Why, for those who ask what is paused: a text of 1 to 1,000 characters. Default none. */
    reason?: string
}

/** What is paused, and since when. */
export interface Pause {
    target: PauseTarget
    /** Null when none was given. */
    reason: string | null
    /** By the database's clock. */
    pausedAt: Date
}

type Target = Pick<PauseRow, "scope" | "name">

/** What is paused in a queue. */
export class Pauses {
    readonly #core: Core

    constructor(core: Core) {
        this.#core = core
    }

    async add(target: PauseTarget, options: PauseOptions): Promise<void> {
        const { scope, name } = checkedTarget(target)
        knownOptions("pause", options, ["reason"])
        const reason = options.reason === undefined ? null : reasonText("reason", options.reason)
        const { run, schema, hints } = this.#core
        await this.#guard("pause", () => insertPause({ run, schema, scope, name, reason }))
        // For what was claimed ahead, and is to be handed back.
        hints.announce("look", scope === "channel" ? name : undefined)
    }

    async remove(target: PauseTarget): Promise<boolean> {
        const { scope, name } = checkedTarget(target)
        const { run, schema, hints } = this.#core
        const wasPaused = await this.#guard("resume", () => deletePause({ run, schema, scope, name }))
        if (wasPaused) hints.announce("resume", scope === "channel" ? name : undefined)
        return wasPaused
    }

    async list(): Promise<Pause[]> {
        const { run, schema } = this.#core
        const rows = await this.#guard("pauses", () => selectPauses({ run, schema }))
        return rows.map(({ reason, pausedAt, ...target }) => ({ target: toTarget(target), reason, pausedAt }))
    }

    async #guard<T>(action: string, work: () => Promise<T>): Promise<T> {
        try {
            return await work()
        } catch (error) {
            throw toCuckmqError({ error, action, schema: this.#core.schema })
        }
    }
}

function checkedTarget(target: PauseTarget): Target {
    knownOptions("a target of pauses", target, ["definition", "channel", "everything"])
    const given = Object.entries(target).filter(([, value]) => value !== undefined)
    const [scope, value] = given[0] ?? []
    if (given.length === 1) {
        if (scope === "definition" || scope === "channel") return { scope, name: nameText(scope, value) }
        if (value === true) return { scope: "everything", name: "" }
    }
    throw new InvalidOptionError({
        option: "target",
        message: "expected `target` to have one of `definition`, `channel`, and `everything: true`",
    })
}

function toTarget({ scope, name }: Target): PauseTarget {
    if (scope === "definition") return { definition: name }
    return scope === "channel" ? { channel: name } : { everything: true }
}
