import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import {
    Config,
    type CuckmqError,
    DuplicateDefinitionError,
    InvalidOptionError,
    JobDefinition,
    Orchestrator,
    Worker,
} from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"

const NOT_NUMBERS = ["1", true, {}, [], Object.create(null), () => 1, 5n, Symbol("five")]
const NOT_POSITIVE = [
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e16,
    ...NOT_NUMBERS,
]
const NOT_DURATIONS = NOT_POSITIVE.filter((value) => value !== 0)
const NOT_COUNTS = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, ...NOT_NUMBERS]
const NOT_CONCURRENCIES = [Number.NaN, Number.POSITIVE_INFINITY, 100_001, ...NOT_NUMBERS]
const NOT_PRIORITIES = [-1_001, 1_001, 0.5, Number.NaN, Number.POSITIVE_INFINITY, ...NOT_NUMBERS]
const NOT_NAMES = ["", " ", "\t\n", "a".repeat(256), "a\u0000b", "a\ud800b", 5, true, {}, [], () => "a"]
const NOT_FUNCTIONS = ["() => 1", 5, {}, [], true]
const NOT_EXPRESSIONS = [
    ...[
        "",
        " ",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "*/0 * * * *",
        "5/5 * * * *",
        "a * * * *",
        "* * 0 * *",
    ],
    ...[
        "0 0 31 2 *",
        "0 0 30 2 +MON",
        "@reboot",
        "@never",
        "2027-01-01T00:00:00",
        "* * * * *\u0000",
        5,
        null,
    ],
]
const NOT_ZONES = ["", "Mars/Olympus", "+02:00", " UTC", "Europe/Berlin ", 5, null, {}]
const NOT_CRONS = [
    ...[5, "* * * * *", [], {}, () => "* * * * *", { expression: "* * * * *", zone: "UTC" }],
    ...NOT_EXPRESSIONS.map((expression) => ({ expression })),
    ...NOT_ZONES.map((timeZone) => ({ expression: "* * * * *", timeZone })),
]
const NOT_CONFIGS = [undefined, null, {}, 5, "config", Object.create(Config.prototype)]
const NOT_POOLS = [undefined, null, {}, 5, "postgres://", { connect: () => undefined }]

type Make = (queue: Queue, options: Record<string, unknown>) => unknown

const MAKERS: Record<string, Make> = {
    Config: ({ pool }, options) => new Config({ pool, ...options }),
    JobDefinition: ({ config }, options) =>
        new JobDefinition({ config, name: "job", jobFunction: () => undefined, ...options } as never),
    "JobDefinition in a thread": ({ config }, options) =>
        new JobDefinition({
            config,
            name: "job",
            runIn: "thread",
            module: "/srv/job.js",
            ...options,
        } as never),
    Worker: ({ config }, options) => new Worker({ config, ...options }),
    Orchestrator: ({ config }, options) => new Orchestrator({ config, ...options }),
}

const REFUSED: Record<string, Record<string, readonly unknown[]>> = {
    Config: {
        pool: NOT_POOLS,
        maxPayloadBytes: [...NOT_COUNTS, 256 * 1024 * 1024 + 1],
        preparedStatements: [0, 1, "", "false", {}, []],
    },
    JobDefinition: {
        config: NOT_CONFIGS,
        name: [undefined, null, ...NOT_NAMES],
        channel: NOT_NAMES,
        numAttempts: [...NOT_COUNTS, 1_000_001],
        keepSucceededMs: NOT_DURATIONS.filter((value) => value !== null),
        keepFailedMs: NOT_DURATIONS.filter((value) => value !== null),
        retryDelayMs: NOT_DURATIONS.filter((value) => typeof value !== "function"),
        repeatIntervalMs: NOT_POSITIVE,
        repeatCron: NOT_CRONS,
        onMissed: ["never", "", 1, true, {}, ["once"]],
        onOverlap: ["wait", "", 1, true, {}, ["skip"]],
        releaseIntervalMs: NOT_DURATIONS,
        unique: [5, "key", true, [], () => "key", Symbol("five"), 5n],
        concurrencyLimit: [5, "5", true, [], () => 5, Symbol("five"), 5n],
        rateLimit: [5, "5", true, [], () => 5, Symbol("five"), 5n],
        group: [5, "5", true, [], () => 5, Symbol("five"), 5n],
        timeoutIntervalMs: NOT_POSITIVE,
        lockIntervalMs: NOT_POSITIVE,
        priority: NOT_PRIORITIES,
        runIn: ["thread ", "worker", "", ...NOT_FUNCTIONS],
        jobFunction: [undefined, null, ...NOT_FUNCTIONS],
        // Only in a thread.
        module: ["/srv/job.js"],
        exportName: ["default"],
        forceAfterMs: [null, 0],
    },
    "JobDefinition in a thread": {
        module: [
            undefined,
            null,
            "",
            "job.js",
            "./job.js",
            "https://example.org/job.js",
            "/a\u0000",
            5,
            {},
            [],
        ],
        exportName: NOT_NAMES,
        forceAfterMs: NOT_DURATIONS,
        jobFunction: [() => undefined],
    },
    Worker: {
        config: NOT_CONFIGS,
        name: NOT_NAMES,
        channel: NOT_NAMES,
        concurrency: NOT_CONCURRENCIES,
        numThreads: [1_001, ...NOT_CONCURRENCIES],
        processIntervalMs: NOT_POSITIVE,
        orphanGraceMs: NOT_DURATIONS,
        eventHandler: NOT_FUNCTIONS,
    },
    Orchestrator: {
        config: NOT_CONFIGS,
        name: NOT_NAMES,
        repeatIntervalMs: NOT_POSITIVE,
        heartbeatIntervalMs: NOT_POSITIVE,
        cleanIntervalMs: NOT_POSITIVE,
        staleJobDefinitionSweepThresholdMs: NOT_DURATIONS,
        failedJobSweepThresholdMs: NOT_DURATIONS,
        finalizedJobSweepThresholdMs: NOT_DURATIONS,
        eventHandler: NOT_FUNCTIONS,
    },
}

const CASES = Object.entries(REFUSED).flatMap(([owner, options]) =>
    Object.entries(options).map(([option, values]) => ({ owner, option, values })),
)

function thrownBy(work: () => unknown): unknown {
    try {
        work()
    } catch (error) {
        return error
    }
    return "nothing"
}

/** The refusal of one option, whose message names it. */
function refusalOf(option: string): unknown {
    return expect.objectContaining({
        code: "CUCKMQ_INVALID_OPTION",
        option,
        retryable: false,
        message: expect.stringContaining(`\`${option}\``),
    })
}

describe("an option of another kind or out of its range", () => {
    it.each(CASES)("$owner: $option is refused by name", async ({ owner, option, values }) => {
        const queue = await makeQueue({ isPrepared: false })
        const make = MAKERS[owner] as Make
        for (const value of values) {
            const error = thrownBy(() => make(queue, { [option]: value }))
            expect(error, `${owner} with ${option}: ${inspect(value)}`).toEqual(refusalOf(option))
            expect(error).toBeInstanceOf(InvalidOptionError)
        }
    })

    it.each(Object.keys(MAKERS))("%s: an unknown one is refused, with those that exist", async (owner) => {
        const queue = await makeQueue({ isPrepared: false })
        const make = MAKERS[owner] as Make
        for (const name of ["chanel", "__proto__x", "toString", ""]) {
            const error = thrownBy(() => make(queue, { [name]: 1 })) as CuckmqError
            expect(error).toMatchObject({ code: "CUCKMQ_INVALID_OPTION", option: name })
            expect(error.message).toContain(`${owner.split(" ")[0]} has no option`)
        }
    })

    it.each([Config, JobDefinition, Worker, Orchestrator])("%o wants an options object", (Class) => {
        for (const options of [undefined, null, 5, "text", [], () => undefined]) {
            expect(() => new Class(options as never)).toThrow(InvalidOptionError)
        }
    })

    it("shows no more than the start of a long text", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const error = thrownBy(() => MAKERS.Worker?.(queue, { name: "x".repeat(10_000) })) as CuckmqError
        expect(error.message.length).toBeLessThan(300)
    })

    it("never changes the options object", async () => {
        const { config } = await makeQueue()
        const options = Object.freeze({ config, name: "frozen", concurrency: 0 })
        const worker = new Worker(options)
        worker.stop()
        await worker.join()
        expect(options).toEqual({ config, name: "frozen", concurrency: 0 })
    })
})

/** What is right within an option that is an object: those that hold jobs back, and all. */
const LIMITS: Record<string, object> = {
    concurrencyLimit: { max: 1 },
    rateLimit: { max: 1, perMs: 1 },
    group: {},
}
const WITHIN: Record<string, object> = { ...LIMITS, unique: {} }

describe("an option within an option", () => {
    it.each<[string, string, readonly unknown[]]>([
        ["concurrencyLimit", "max", [undefined, null, 0, 100_001, ...NOT_COUNTS]],
        ["concurrencyLimit", "key", [null, ...NOT_FUNCTIONS]],
        ["concurrencyLimit", "min", [1]],
        ["rateLimit", "max", [undefined, null, 0, 1_000_001, ...NOT_COUNTS]],
        ["rateLimit", "perMs", [undefined, null, ...NOT_POSITIVE]],
        ["rateLimit", "key", [null, ...NOT_FUNCTIONS]],
        ["rateLimit", "weight", [null, 0, 2, ...NOT_COUNTS.filter((value) => typeof value !== "function")]],
        ["rateLimit", "per", [1]],
        ["group", "key", [undefined, null, ...NOT_FUNCTIONS]],
        ["group", "ordered", [null, 0, 1, "true", {}, []]],
        ["group", "order", [true]],
        ["unique", "key", [null, undefined, "", "a".repeat(256), "a\u0000", "a\ud800", 5, {}, true]],
        ["unique", "while", ["running", 5, [], true]],
        ["unique", "onConflict", ["drop", 5, {}, true]],
        ["unique", "maxWaitMs", [1, ...NOT_POSITIVE]],
        ["unique", "keys", ["key"]],
    ])("%s.%s is refused by name", async (option, name, values) => {
        const queue = await makeQueue({ isPrepared: false })
        for (const value of values) {
            const options = { [option]: { ...WITHIN[option], key: () => "key", [name]: value } }
            const error = thrownBy(() => MAKERS.JobDefinition?.(queue, options))
            expect(error, inspect(value)).toMatchObject({
                code: "CUCKMQ_INVALID_OPTION",
                option: `${option}.${name}`,
                message: expect.stringContaining(name),
            })
        }
    })

    it.each(Object.keys(LIMITS))("is refused together with one that says otherwise: %s", async (option) => {
        const queue = await makeQueue({ isPrepared: false })
        const options = { [option]: { ...WITHIN[option], key: () => "key" }, releaseIntervalMs: 1 }
        expect(thrownBy(() => MAKERS.JobDefinition?.(queue, options))).toMatchObject({
            code: "CUCKMQ_INVALID_OPTION",
            option,
        })
    })
})

describe("an option of dead letters", () => {
    it.each<[string, readonly unknown[]]>([
        ["definition", NOT_NAMES],
        ["reason", ["errors", "", null, 5, {}]],
        ["failedAfter", [5, "2030-01-01", {}, null, new Date(Number.NaN)]],
        ["failedBefore", [5, "2030-01-01", {}, null, new Date(Number.NaN)]],
        ["errorText", ["", "a\u0000b", "a\ud800b", 5, null, {}]],
        ["limit", NOT_COUNTS],
        ["unknown", [1]],
    ])("%s is refused by name, and nothing is replayed", async (option, values) => {
        const { jobs } = (await makeQueue({ isPrepared: false })).config
        for (const value of values) {
            const refusal = { code: "CUCKMQ_INVALID_OPTION", option }
            await expect(jobs.deadLetters({ [option]: value }), inspect(value)).rejects.toMatchObject(refusal)
            await expect(jobs.replayMany({ [option]: value }), inspect(value)).rejects.toMatchObject(refusal)
        }
    })

    it("is refused where it is that of the other", async () => {
        const { jobs } = (await makeQueue({ isPrepared: false })).config
        for (const limit of [0, 1_001])
            await expect(jobs.deadLetters({ limit })).rejects.toMatchObject({ option: "limit" })
        for (const after of ["", "next", "5", "1-2-3", 5, {}])
            await expect(jobs.deadLetters({ after } as never)).rejects.toMatchObject({ option: "after" })
        for (const ratePerSecond of [0, 0.000_9, 1_000_001, ...NOT_NUMBERS])
            await expect(jobs.replayMany({ ratePerSecond } as never)).rejects.toMatchObject({
                option: "ratePerSecond",
            })
        for (const id of [0, -1, 1.5, "1", null])
            await expect(jobs.replay(id as never)).rejects.toMatchObject({ option: "jobID" })
    })
})

describe("an option of a deferral", () => {
    it.each<[string, readonly unknown[]]>([
        ["delayMs", NOT_DURATIONS],
        ["numAttempts", [...NOT_COUNTS, 1_000_001]],
        ["timeoutIntervalMs", NOT_POSITIVE],
        ["attemptTimeoutMs", NOT_POSITIVE],
        ["runAt", [5, "2030-01-01", {}, new Date(Number.NaN), new Date(8.64e15), new Date("1800-01-01")]],
        [
            "dependencies",
            ["1", {}, 5, true, ["1"], [0], [-1], [1.5], [Number.NaN], [2 ** 53], [null], [[1]], new Array(2)],
        ],
        ["client", [5, "client", {}, { query: "select 1" }, true, null]],
        ["unique", [5, "key", true, [], () => "key"]],
        ["priority", [null, ...NOT_PRIORITIES]],
        ["urgency", [1]],
    ])("%s is refused by name, and nothing is deferred", async (option, values) => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        for (const value of values) {
            const error = await job
                .defer({ payload: {}, [option]: value } as never)
                .catch((thrown: unknown) => thrown)
            expect(error, inspect(value)).toMatchObject({ code: "CUCKMQ_INVALID_OPTION", option })
        }
        expect(await queue.jobs()).toEqual([])
    })

    it("is refused for all jobs of a `deferMany` when one is wrong", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const good = { payload: {} }
        await expect(job.deferMany([good, { ...good, delayMs: -1 }, good])).rejects.toThrow(
            InvalidOptionError,
        )
        await expect(job.deferMany([good, { ...good, client: queue.sql } as never])).rejects.toThrow(/client/)
        await expect(job.deferMany(Object.assign([good], { 2: good }))).rejects.toThrow(InvalidOptionError)
        await expect(job.deferMany([good, null as never])).rejects.toThrow(InvalidOptionError)
        await expect(job.deferMany(good as never)).rejects.toThrow(InvalidOptionError)
        await expect(job.defer(undefined as never)).rejects.toThrow(InvalidOptionError)
        await expect(job.defer({ ...good, delayMs: 1, runAt: new Date() })).rejects.toThrow(
            InvalidOptionError,
        )
        expect(await queue.jobs()).toEqual([])
    })
})

describe("what is said about jobs and pauses", () => {
    const NOT_IDS = ["1", {}, true, 0, -1, 1.5, Number.NaN, 2 ** 53, null, undefined, 5n]
    const NOT_REASONS = [...NOT_NAMES.filter((name) => name !== "a".repeat(256)), "a".repeat(1_001), null]

    it("is refused by name, and nothing is sent", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const { config } = queue
        const refusals: [
            option: string,
            values: readonly unknown[],
            use: (value: unknown) => Promise<unknown>,
        ][] = [
            ["jobID", NOT_IDS, (value) => config.jobs.cancel(value as never)],
            ["jobIDs", NOT_IDS, (value) => config.jobs.cancelMany(value as never)],
            ["jobIDs", NOT_IDS, (value) => config.jobs.cancelMany([1, value as never])],
            ["reason", NOT_REASONS, (reason) => config.jobs.cancel(1, { reason } as never)],
            ["client", [5, {}, true, null], (client) => config.jobs.cancel(1, { client } as never)],
            ["reason", NOT_REASONS, (reason) => config.pause({ everything: true }, { reason } as never)],
            ["definition", NOT_NAMES, (definition) => config.pause({ definition } as never)],
            ["channel", NOT_NAMES, (channel) => config.resume({ channel } as never)],
            [
                "target",
                [{}, { everything: false }, { definition: "a", channel: "b" }],
                (target) => config.pause(target as never),
            ],
            ["job", [{ job: 1 }], (target) => config.resume(target as never)],
            ["why", [{ why: "so" }], (options) => config.jobs.cancel(1, options as never)],
            ["why", [{ why: "so" }], (options) => config.pause({ everything: true }, options as never)],
        ]
        for (const [option, values, use] of refusals) {
            for (const value of values) {
                const error = await use(value).catch((thrown: unknown) => thrown)
                expect(error, inspect(value)).toMatchObject({ code: "CUCKMQ_INVALID_OPTION", option })
            }
        }
        for (const target of [undefined, null, 5, "everything", []])
            await expect(config.pause(target as never)).rejects.toThrow(InvalidOptionError)
    })
})

describe("a definition's name", () => {
    it("can be registered once in a Config", async () => {
        const queue = await makeQueue({ isPrepared: false })
        define(queue.config, () => undefined)
        expect(() => define(queue.config, () => undefined)).toThrow(DuplicateDefinitionError)
        expect(thrownBy(() => define(queue.config, () => undefined))).toMatchObject({
            code: "CUCKMQ_DUPLICATE_DEFINITION",
            definition: "job",
        })
        define(queue.otherConfig(), () => undefined)
    })

    it.each([
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "'; drop table job; --",
        "$1",
        "ünï côde 🦆",
        "\n\t\u001b[31m",
        "a".repeat(255),
        " spaced ",
    ])("may be %j, as may a channel", async (name) => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran", { name, channel: name })
        queue.worker({ channel: name, name })
        const row = await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(row).toMatchObject({ result: "ran", worker: name })
        const names = await queue.sql.query(`select name, channel from ${queue.schema}.job_definition`)
        expect(names.rows).toEqual([{ name, channel: name }])
    })
})
