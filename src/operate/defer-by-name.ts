import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { inOurWords } from "../db/failure.ts"
import { JOB_OPTIONS, toNewJob } from "../defer-options.ts"
import type { NewJob } from "../enqueuer.ts"
import { InvalidOptionError } from "../errors.ts"
import { laneOf, type Placing } from "../gate.ts"
import {
    durationMs,
    instant,
    jobPriority,
    keyText,
    knownOptions,
    nameText,
    optionsWithin,
} from "../options.ts"
import { encodePayload } from "../payload.ts"
import type { RegisteredJob } from "../registry.ts"
import { type Deferrable, findDeferrable } from "../statements/find-deferrable.ts"
import { insertJobs, type TimedJob } from "../statements/insert-jobs.ts"
import { recordOperation } from "../statements/operations.ts"
import { registerPriorities } from "../statements/priorities.ts"
import { checkedBy } from "./change-options.ts"
import { clientOf } from "./controls.ts"
import type { By } from "./operation.ts"

/** The keys of a job, where only the code of its definition could make them of the payload. */
export interface DeferKeys {
    /** That of `group`: a text of 1 to 255 characters, none of them a control character. */
    group?: string
    /** That of `concurrencyLimit`. */
    concurrency?: string
    /** That of `rateLimit`. */
    rate?: string
    /** `null`: the job has no unique key, although the definition gives its jobs one. */
    unique?: null
}

/** What a job is deferred with whose definition is known by its name only. */
export interface InspectorDeferOptions extends By {
    /** The name of the definition, which has to be in the database. */
    definition: string
    /** What the job function is called with. Whatever JSON carries faithfully, at most `maxPayloadBytes`. */
    payload: object
    /** Milliseconds from now, by the database's clock, before the job may start. Default 0. */
    delayMs?: number
    /** The instant from which the job may start. Not together with `delayMs`. */
    dueAt?: Date
    /** Which jobs are taken first: a whole number from -1,000 to 1,000. Default that of the definition. */
    priority?: number
    /**
     * Keys that the code of the definition would make of the payload. Each that the definition has is required, unless the
     * definition is registered with this Config: then its own code makes them, and none may be given.
     */
    keys?: DeferKeys
}

const OPTIONS = ["definition", "payload", "delayMs", "dueAt", "priority", "keys", "by"]

/** How often a definition that is being retired is asked for again. */
const MAX_TRIES = 5

/** What is deferred, checked as far as that is possible without the database. */
interface Asked {
    definition: string
    options: InspectorDeferOptions
    by: string | null
}

/** Defers a job of a definition that is known by its name. */
export async function deferByName(core: Core, options: InspectorDeferOptions): Promise<number> {
    knownOptions("defer", options, OPTIONS)
    const definition = nameText("definition", options.definition)
    const by = checkedBy("defer", options.by === undefined ? {} : { by: options.by })
    if (options.delayMs !== undefined && options.dueAt !== undefined)
        refuse("dueAt", "expected `delayMs` or `dueAt`, got both")
    const asked = { definition, options, by }
    const registered = core.registry.jobs().find(({ name }) => name === definition)
    return inOurWords({ action: "defer", schema: core.schema }, () =>
        registered === undefined ? deferUnknown(core, asked) : deferRegistered(core, asked, registered),
    )
}

/** Its own code makes the keys. */
async function deferRegistered(core: Core, asked: Asked, registered: RegisteredJob): Promise<number> {
    const { payload, delayMs, dueAt, priority, keys } = asked.options
    const { unique, ...others } = checkedKeys(keys)
    if (Object.keys(others).length > 0)
        refuse(
            "keys",
            `expected no \`keys\`: the code of ${JSON.stringify(asked.definition)}, which is registered here, makes them`,
        )
    const job = toNewJob({
        owner: "defer",
        options: {
            payload,
            ...(delayMs === undefined ? {} : { delayMs }),
            ...(dueAt === undefined ? {} : { runAt: dueAt }),
            ...(priority === undefined ? {} : { priority }),
            ...(unique === null ? { unique } : {}),
        },
        known: JOB_OPTIONS,
        definition: registered,
        maxPayloadBytes: core.maxPayloadBytes,
    })
    const id = await core.database.transaction(async (run) => {
        const deferral = await core.enqueuer.defer(job, clientOf(run))
        await record({ core, run, asked, jobID: deferral.id })
        return deferral.id
    })
    announce(core, { ...job, channel: registered.channel })
    return id
}

function announce(core: Core, job: Pick<NewJob, "delayMs" | "runAtMs"> & { channel: string }): void {
    core.hints.announceJobs([{ channel: job.channel, isReady: job.delayMs === null && job.runAtMs === null }])
}

/** What the database knows of the definition has to do. */
async function deferUnknown(core: Core, asked: Asked): Promise<number> {
    const { schema, run } = core
    const { payload, delayMs, dueAt, priority, keys } = asked.options
    const { definition } = asked
    const given = checkedKeys(keys)
    const own = {
        payload: encodePayload({ payload, definition, maxBytes: core.maxPayloadBytes }),
        delayMs: delayMs === undefined ? null : durationMs("delayMs", delayMs),
        runAtMs: dueAt === undefined ? null : instant("dueAt", dueAt).getTime(),
        priority: priority === undefined ? null : jobPriority("priority", priority),
    }
    for (let tries = 1; ; tries++) {
        const found = await findDeferrable({ run, schema, name: definition })
        if (found === undefined)
            refuse("definition", `there is no definition named ${JSON.stringify(definition)} in the database`)
        if (own.priority !== null && found.limits?.group?.isOrdered)
            refuse(
                "priority",
                "expected no `priority` where `group.ordered` is true: jobs start in the order in which they became ready",
            )
        const placing = placingOf(asked, found, given)
        const lanes = [{ definitionID: found.id, priority: own.priority ?? 0 }]
        await registerPriorities({ run, schema, lanes })
        const job = { ...own, definitionID: found.id, dependencies: [], placing, limits: null }
        const id = await insert({ core, asked, job })
        if (id !== undefined) {
            announce(core, { ...own, channel: found.channel })
            return id
        }
        if (tries === MAX_TRIES)
            refuse("definition", `the definition ${JSON.stringify(definition)} is being removed`)
    }
}

/** Undefined when the definition was retired since it was found. */
function insert(params: { core: Core; asked: Asked; job: TimedJob }): Promise<number | undefined> {
    const { core, asked, job } = params
    return core.database.transaction(async (run) => {
        const { ids } = await insertJobs({ run, schema: core.schema, jobs: [job] })
        const [jobID] = ids
        if (jobID !== undefined) await record({ core, run, asked, jobID })
        return jobID
    })
}

function record(params: { core: Core; run: Run; asked: Asked; jobID: number }): Promise<void> {
    const { core, run, asked, jobID } = params
    const { delayMs, dueAt, priority } = asked.options
    return recordOperation({
        run,
        schema: core.schema,
        operation: {
            kind: "defer",
            by: asked.by,
            target: { definition: asked.definition },
            details: { jobID, delayMs, dueAt, priority },
        },
    })
}

function checkedKeys(keys: unknown): DeferKeys {
    if (keys === undefined) return {}
    const { unique, ...others } = optionsWithin("keys", keys, ["group", "concurrency", "rate", "unique"])
    if (unique !== undefined && unique !== null)
        refuse("keys.unique", "expected `keys.unique` to be null, for a job without a unique key")
    const given = Object.entries(others).filter(([, value]) => value !== undefined)
    return {
        ...Object.fromEntries(given.map(([part, value]) => [part, keyText(`keys.${part}`, value)])),
        ...(unique === null ? { unique } : {}),
    }
}

/** Where a job waits whose keys were given, if its definition has limits or groups. */
function placingOf({ definition }: Asked, found: Deferrable, keys: DeferKeys): Placing | null {
    const { limits, deferral } = found
    const name = JSON.stringify(definition)
    const demanded = {
        group: (limits?.group ?? null) !== null,
        concurrency: limits?.concurrency?.isKeyed === true,
        rate: limits?.rate?.isKeyed === true,
    }
    for (const part of ["group", "concurrency", "rate"] as const) {
        if (demanded[part] && keys[part] === undefined)
            refuse(
                `keys.${part}`,
                `expected \`keys.${part}\`: only the code of ${name} can make this key of a payload`,
            )
        if (!demanded[part] && keys[part] !== undefined)
            refuse(`keys.${part}`, `expected no \`keys.${part}\`: jobs of ${name} have no such key`)
    }
    if (deferral?.isUnique === true && keys.unique !== null)
        refuse(
            "keys.unique",
            `expected \`keys.unique\` to be null: jobs of ${name} have a unique key, which only its code can make`,
        )
    if (limits === null) return null
    const weight = deferral === null ? 1 : deferral.weight
    if (weight === null)
        refuse(
            "definition",
            `what a job of ${name} weighs only its code can say: defer it by its JobDefinition`,
        )
    return { lane: laneOf(keys as Record<"group" | "concurrency" | "rate", string>), weight }
}

function refuse(option: string, message: string): never {
    throw new InvalidOptionError({ option, message })
}
