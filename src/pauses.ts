import type { Core } from "./core.ts"
import type { Run } from "./db/driver.ts"
import { inOurWords } from "./db/failure.ts"
import { InvalidOptionError } from "./errors.ts"
import { keyText, knownOptions, nameText, reasonText } from "./options.ts"
import { deletePausedKey, insertPausedKey } from "./statements/paused-keys.ts"
import { deletePause, insertPause, type PauseRow, selectPauses } from "./statements/pauses.ts"

/** What to pause or to resume: exactly one of these. */
export type PauseTarget =
    | {
          /** The jobs of one definition, by its name. It need not be in the database yet. */
          definition: string
          /**
           * If given, only those of its jobs that have this key, whatever it is for: that of their `group`, of their
           * `concurrencyLimit` or of their `rateLimit`. The key of `unique` is not meant. A text of 1 to 255 characters,
           * none of them a control character. Default: all jobs of the definition.
           */
          key?: string
      }
    /** The jobs of all definitions of a channel. */
    | { channel: string; key?: never }
    /** All jobs of the queue. */
    | { everything: true; key?: never }

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

/** What is done in the same transaction. */
type Along = (run: Run) => Promise<void>

type Target = Pick<PauseRow, "scope" | "name" | "key">

/** What is paused in a queue. */
export class Pauses {
    readonly #core: Core

    constructor(core: Core) {
        this.#core = core
    }

    /** `along` is done in the same transaction. */
    async add(target: PauseTarget, options: PauseOptions, along?: Along): Promise<void> {
        const { scope, name, key } = checkedTarget(target)
        knownOptions("pause", options, ["reason"])
        const reason = options.reason === undefined ? null : reasonText("reason", options.reason)
        if (key !== null) this.#refuseKeyless(name)
        const { schema, hints } = this.#core
        await this.#guard("pause", () =>
            this.#do(along, async (run) => {
                if (key === null) await insertPause({ run, schema, scope, name, reason })
                else await insertPausedKey({ run, schema, definition: name, key, reason })
                return true
            }),
        )
        // For what was claimed ahead, and is to be handed back.
        hints.announce("look", scope === "channel" ? name : undefined)
    }

    /** `along` is done in the same transaction, if there was a pause. */
    async remove(target: PauseTarget, along?: Along): Promise<boolean> {
        const { scope, name, key } = checkedTarget(target)
        const { schema, hints } = this.#core
        const wasPaused = await this.#guard("resume", () =>
            this.#do(along, (run) =>
                key === null
                    ? deletePause({ run, schema, scope, name })
                    : deletePausedKey({ run, schema, definition: name, key }),
            ),
        )
        if (wasPaused) hints.announce("resume", scope === "channel" ? name : undefined)
        return wasPaused
    }

    async list(): Promise<Pause[]> {
        const { run, schema } = this.#core
        const rows = await this.#guard("pauses", () => selectPauses({ run, schema }))
        return rows.map(({ reason, pausedAt, ...target }) => ({ target: toTarget(target), reason, pausedAt }))
    }

    /** What a definition is elsewhere, nobody can know; so what is paused can be resumed, whatever it is here. */
    #refuseKeyless(definition: string): void {
        const job = this.#core.registry.jobs().find(({ name }) => name === definition)
        if (job === undefined || Object.keys(job.gate?.keys ?? {}).length > 0) return
        throw new InvalidOptionError({
            option: "key",
            message: `the definition ${JSON.stringify(definition)} has no keys to pause: neither its \`group\` nor a limit of it has a \`key\``,
        })
    }

    /** Does something by a statement, and something else along with it if that did anything. */
    #do(along: Along | undefined, work: (run: Run) => Promise<boolean>): Promise<boolean> {
        const { run, database } = this.#core
        if (along === undefined) return work(run)
        return database.transaction(async (within) => {
            const isDone = await work(within)
            if (isDone) await along(within)
            return isDone
        })
    }

    #guard<T>(action: string, work: () => Promise<T>): Promise<T> {
        return inOurWords({ action, schema: this.#core.schema }, work)
    }
}

function checkedTarget(target: PauseTarget): Target {
    knownOptions("a target of pauses", target, ["definition", "channel", "everything", "key"])
    const { key, ...whole } = target as Record<string, unknown>
    const given = Object.entries(whole).filter(([, value]) => value !== undefined)
    const [scope, value] = given[0] ?? []
    if (given.length === 1) {
        if (scope === "definition") return { scope, name: nameText(scope, value), key: checkedKey(target) }
        if (scope === "channel" && !hasKey(target)) return { scope, name: nameText(scope, value), key: null }
        if (value === true && !hasKey(target)) return { scope: "everything", name: "", key: null }
    }
    throw new InvalidOptionError({
        option: "target",
        message:
            "expected `target` to have one of `definition`, which a `key` may go with, `channel`, and `everything: true`",
    })
}

/** A key that is given but undefined is refused: it would pause the whole definition where one key of it was meant. */
function checkedKey(target: PauseTarget): string | null {
    return hasKey(target) ? keyText("key", target.key) : null
}

function hasKey(target: PauseTarget): target is PauseTarget & { key: unknown } {
    return Object.hasOwn(target, "key")
}

function toTarget({ scope, name, key }: Target): PauseTarget {
    if (scope === "definition") return key === null ? { definition: name } : { definition: name, key }
    return scope === "channel" ? { channel: name } : { everything: true }
}
