import fc from "fast-check"
import { describe, expect, it, onTestFinished } from "vitest"
import { heartbeat } from "../../src/chores/heartbeat.ts"
import { repeatJobs } from "../../src/chores/repeat-jobs.ts"
import { CONFIG_DEFAULTS, coreOf } from "../../src/config.ts"
import {
    Config,
    CuckmqError,
    type Daemon,
    DatabaseError,
    DependencyNotFoundError,
    InvalidOptionError,
    InvalidPayloadError,
    JobDefinition,
    Orchestrator,
    ScheduleNotFoundError,
    Worker,
} from "../../src/index.ts"
import { JOB_DEFINITION_DEFAULTS } from "../../src/job-definition-options.ts"
import { ORCHESTRATOR_DEFAULTS } from "../../src/orchestrator.ts"
import { THREAD_DEFAULTS } from "../../src/threads/thread-module.ts"
import { WORKER_DEFAULTS } from "../../src/worker.ts"
import { fuzz } from "../support/fuzz.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"
import { bareSpecimen, builtins, type Specimen, show, text } from "./specimens.ts"

type Options = Record<string, unknown>

/** A constructor or a method: what its options are, and a use of it with one of them set. */
interface Owner {
    readonly options: readonly string[]
    readonly use: (queue: Queue, options: Options) => Promise<unknown>
}

/** Definitions of one name are of one Config each. */
function freshConfig({ pool, schemaName }: Queue): Config {
    return new Config({ pool, schema: schemaName })
}

function makeDefinition(config: Config, options: Options): JobDefinition<object, unknown> {
    return new JobDefinition({ config, name: "job", jobFunction: () => undefined, ...options } as never)
}

/** Starts a daemon that must neither fail at anything nor hang. */
async function live(make: (eventHandler: unknown) => Daemon): Promise<void> {
    const errors: unknown[] = []
    const daemon = make(({ event }: { event: { eventType: string; error?: unknown } }) => {
        if (event.eventType === "daemon-error") errors.push(event.error)
    })
    daemon.stop()
    await daemon.join({ graceMs: 5_000 })
    expect(errors).toEqual([])
}

const FILTERS = ["definition", "reason", "failedAfter", "failedBefore", "errorText"]

const JOB_OPTIONS = [
    "payload",
    "dependencies",
    "delayMs",
    "runAt",
    "priority",
    "unique",
    "numAttempts",
    "timeoutIntervalMs",
    "attemptTimeoutMs",
]

const OWNERS: Record<string, Owner> = {
    Config: {
        options: ["pool", ...Object.keys(CONFIG_DEFAULTS)],
        use: async ({ pool, schemaName }, options) => {
            const config = new Config({ pool, schema: schemaName, ...options })
            if ("maxPayloadBytes" in options) await makeDefinition(config, {}).defer({ payload: {} })
        },
    },
    JobDefinition: {
        options: ["config", "name", "jobFunction", "retryDelayMs", ...Object.keys(JOB_DEFINITION_DEFAULTS)],
        use: async (queue, options) => {
            const config = freshConfig(queue)
            const definition = makeDefinition(config, options)
            definition.register()
            await definition.defer({ payload: {} })
            const context = { core: coreOf(config), emit: () => undefined }
            for (const chore of [heartbeat(1), repeatJobs(1)])
                expect(await chore.run(context)).toBeGreaterThanOrEqual(0)
        },
    },
    "JobDefinition in a thread": {
        options: ["module", ...Object.keys(THREAD_DEFAULTS)],
        use: async (queue, options) => {
            const thread = { runIn: "thread", module: "/srv/job.js", jobFunction: undefined }
            await makeDefinition(freshConfig(queue), { ...thread, ...options }).defer({ payload: {} })
        },
    },
    "schedules.upsert": {
        options: ["name", "definition", "payload", "onMissed", "onOverlap", "intervalMs", "cron", "client"],
        use: async ({ config, pool, schemaName }, options) => {
            const { cron, ...rest } = options
            const rule = "cron" in options ? { cron } : { intervalMs: 60_000 }
            const own = "definition" in options ? config : new Config({ pool, schema: schemaName })
            const definition = makeDefinition(own, {})
            const written = { name: "s", definition, payload: {}, ...rule, ...rest }
            await own.schedules.upsert(written as never)
            await own.schedules.list()
        },
    },
    "schedules.preview": {
        options: ["intervalMs", "cron", "count", "from"],
        use: async ({ config }, options) =>
            config.schedules.preview({
                ...("cron" in options ? {} : { intervalMs: 1 }),
                ...(options as object),
            }),
    },
    "schedules.runNow": {
        options: ["client"],
        use: async ({ config }, options) => {
            await config.schedules.runNow("s", options as never).catch((error: unknown) => {
                if (!(error instanceof ScheduleNotFoundError)) throw error
            })
        },
    },
    Worker: {
        options: ["config", "eventHandler", ...Object.keys(WORKER_DEFAULTS)],
        use: (queue, options) =>
            live((eventHandler) => new Worker({ config: queue.config, eventHandler, ...options } as never)),
    },
    Orchestrator: {
        options: ["config", "eventHandler", ...Object.keys(ORCHESTRATOR_DEFAULTS)],
        use: (queue, options) =>
            live(
                (eventHandler) =>
                    new Orchestrator({ config: queue.config, eventHandler, ...options } as never),
            ),
    },
    join: {
        options: ["graceMs"],
        use: async ({ config }, options) => {
            const worker = new Worker({ config })
            worker.stop()
            onTestFinished(() => worker.join())
            await worker.join(options)
        },
    },
    defer: {
        options: [...JOB_OPTIONS, "client"],
        use: ({ config }, options) => makeDefinition(config, {}).defer({ payload: {}, ...options }),
    },
    deferMany: {
        options: JOB_OPTIONS,
        use: ({ config }, options) =>
            makeDefinition(config, {}).deferMany([{ payload: {} }, { payload: {}, ...options }]),
    },
    unique: {
        options: ["key", "while", "onConflict", "maxWaitMs"],
        use: async ({ config }, options) => {
            const unique = { key: "key", ...options }
            for (const onConflict of ["keep", "replace", "postpone"])
                await makeDefinition(config, {}).defer({
                    payload: {},
                    unique: { onConflict, ...unique },
                } as never)
        },
    },
    deadLetters: {
        options: [...FILTERS, "limit", "after"],
        use: ({ config }, options) => config.jobs.deadLetters(options),
    },
    replayMany: {
        options: [...FILTERS, "limit", "ratePerSecond"],
        use: ({ config }, options) => config.jobs.replayMany(options),
    },
    "second of deferMany": {
        options: ["client"],
        use: ({ config }, options) =>
            makeDefinition(config, {}).deferMany([{ payload: {} }], options as never),
    },
    cancel: {
        options: ["jobID", "reason", "client"],
        use: ({ config }, { jobID = 1, ...rest }) => config.jobs.cancel(jobID as never, rest as never),
    },
    cancelMany: {
        options: ["jobIDs", "reason", "client"],
        use: ({ config }, { jobIDs = [1], ...rest }) =>
            config.jobs.cancelMany(jobIDs as never, rest as never),
    },
    pause: {
        options: ["target", "reason"],
        use: ({ config }, { target = { channel: "none" }, ...rest }) =>
            config.pause(target as never, rest as never),
    },
    resume: {
        options: ["definition", "channel", "everything"],
        use: ({ config }, target) => config.resume(target as never),
    },
    changePriority: {
        options: ["jobID", "priority"],
        // It takes its arguments one by one, so there is no name to refuse but here.
        use: async ({ config }, { jobID = 1, priority = 1, ...rest }) => {
            const [unknown] = Object.keys(rest)
            if (unknown !== undefined) throw new InvalidOptionError({ option: unknown, message: "no option" })
            return config.jobs.changePriority(jobID as number, priority as number)
        },
    },
    "jobs of deferMany": {
        options: ["jobs"],
        use: ({ config }, { jobs = [{ payload: {} }], ...rest }) =>
            makeDefinition(config, {}).deferMany(jobs as never, rest as never),
    },
}

/** What goes wrong after the options have passed, and is documented: nothing else may. */
const TYPED = [InvalidOptionError, InvalidPayloadError, DependencyNotFoundError, DatabaseError]

const HUNDRED_YEARS_MS = 100 * 365.25 * 24 * 60 * 60_000

/** Numbers about the limits, and lists and clients of all kinds. */
const atTheEdge: fc.Arbitrary<Specimen> = fc
    .oneof(
        fc.constantFrom(0, -0, 1, -1, 0.5, Number.MIN_VALUE, 1e-9, 1e-3, 1e308, 2 ** 31, 2 ** 53, -Infinity),
        fc.constantFrom(
            HUNDRED_YEARS_MS,
            HUNDRED_YEARS_MS + 1,
            100_000,
            100_001,
            1_000_000,
            1_000_001,
            1_000,
            -1_001,
            2 ** 28,
        ),
        fc.double(),
        fc.integer(),
        text,
        fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant({ payload: {} })), { maxLength: 3 }),
        fc.date({ noInvalidDate: false }),
    )
    .map((value) => ({ label: show(value), make: () => value }))

const client: fc.Arbitrary<Specimen> = fc
    .tuple(fc.boolean(), bareSpecimen)
    .map(([isThrown, { label, make }]) => ({
        label: `a client whose query ${isThrown ? "throws" : "returns"} ${label}`,
        make: () => ({
            query: () => {
                if (isThrown) throw make()
                return make()
            },
        }),
    }))

const trial = fc.constantFrom(...Object.keys(OWNERS)).chain((owner) =>
    fc.record({
        owner: fc.constant(owner),
        option: fc.oneof(
            { weight: 8, arbitrary: fc.constantFrom(...(OWNERS[owner]?.options ?? [])) },
            { weight: 1, arbitrary: fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString")) },
        ),
        value: fc.oneof(atTheEdge, atTheEdge, bareSpecimen, client),
    }),
)

describe("options of any kind", () => {
    it("work or are refused by name, and an option that does not exist is refused", async () => {
        const queue = await makeQueue()
        const before = builtins()
        await fuzz(
            [trial],
            async ({ owner, option, value }) => {
                const { use, options } = OWNERS[owner] as Owner
                const error = await use(queue, { [option]: value.make() }).then(
                    () => undefined,
                    (thrown: unknown) => thrown,
                )
                if (error !== undefined) {
                    expect(error).toBeInstanceOf(CuckmqError)
                    expect(error).toBeOneOf(TYPED.map((Type) => expect.any(Type)))
                }
                if (!options.includes(option))
                    expect(error).toMatchObject({ option: owner === "unique" ? `unique.${option}` : option })
                expect(builtins()).toEqual(before)
            },
            { weight: 10 },
        )
    })
})
