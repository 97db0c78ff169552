import { CronRules } from "./cron/cron-rules.ts"
import { checkedClient, type SqlClient } from "./db/client.ts"
import { type Database, runOnClient } from "./db/database.ts"
import { inOurWords } from "./db/failure.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import { DatabaseError, InvalidOptionError, ScheduleNotFoundError } from "./errors.ts"
import type { Hints } from "./hints.ts"
import { instant, knownOptions, nameText, wholeNumber } from "./options.ts"
import { encodePayload } from "./payload.ts"
import type { RegisteredJob, Registry } from "./registry.ts"
import { onMissedOption, onOverlapOption } from "./repeat-options.ts"
import {
    type PreviewOptions,
    ruleOption,
    SCHEDULE_DEFAULTS,
    type Schedule,
    type ScheduleClientOptions,
    type ScheduleOptions,
    timesOf,
    toSchedule,
} from "./schedule-options.ts"
import { databaseNowMs } from "./statements/find-due-repeats.ts"
import type { Query } from "./statements/query.ts"
import {
    findSchedules,
    type NewSchedule,
    pauseSchedule,
    removeSchedule,
    resumeSchedule,
    runSchedule,
    upsertSchedule,
} from "./statements/schedules.ts"

const UPSERT_OPTIONS = [
    "name",
    "definition",
    "payload",
    "intervalMs",
    "cron",
    "onMissed",
    "onOverlap",
    "client",
]
const MAX_TIMES = 1_000
const DEFAULT_TIMES = 10

/** How often a statement that found its definition retired, or its schedule changed, is tried again. */
const MAX_TRIES = 5

/** The schedules that are made at run time. They live in the database, and any orchestrator of the queue fires them. */
export class Schedules {
    readonly #database: Database
    readonly #schema: QuotedSchema
    readonly #registry: Registry
    readonly #hints: Hints
    readonly #maxPayloadBytes: number
    readonly #rules = new CronRules()

    /** For `Config`, which makes its own: take `config.schedules`. */
    constructor(params: {
        database: Database
        schema: QuotedSchema
        registry: Registry
        hints: Hints
        maxPayloadBytes: number
    }) {
        this.#database = params.database
        this.#schema = params.schema
        this.#registry = params.registry
        this.#hints = params.hints
        this.#maxPayloadBytes = params.maxPayloadBytes
    }

    /**
     * Makes a schedule, or brings the one of that name up to date. While the rule stays the same the next tick does, so
     * this may be called with all schedules whenever a process starts. With another rule the next tick is reckoned anew:
     * a cron expression's next time, or an interval from now, if that is not later than the tick there was. A schedule
     * that is paused stays so. Costs two or three small statements.
     *
     * @throws InvalidOptionError, InvalidPayloadError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async upsert<Payload extends object>(options: ScheduleOptions<Payload>): Promise<Schedule> {
        knownOptions("upsert", options, UPSERT_OPTIONS)
        const job = this.#registry.jobOf(options.definition)
        if (job === undefined) {
            throw new InvalidOptionError({
                option: "definition",
                message: "expected `definition` to be a JobDefinition of this Config",
            })
        }
        const schedule = {
            name: nameText("name", options.name),
            rule: ruleOption(options),
            onMissed: onMissedOption(options.onMissed ?? SCHEDULE_DEFAULTS.onMissed),
            onOverlap: onOverlapOption(options.onOverlap ?? SCHEDULE_DEFAULTS.onOverlap),
            payload: encodePayload({
                payload: options.payload,
                definition: job.name,
                maxBytes: this.#maxPayloadBytes,
            }),
        }
        const { client } = options
        return this.#do("upsert", client, async (query) => {
            const row = await this.#write({ query, client, job, schedule })
            if (client === undefined) this.#hints.announceNews("schedule")
            return toSchedule(row)
        })
    }

    async #write(params: {
        query: Query
        client: SqlClient | undefined
        job: RegisteredJob
        schedule: Omit<NewSchedule, "definitionID" | "cronTickMs">
    }) {
        const { query, client, job, schedule } = params
        const { cron } = schedule.rule
        for (let tries = 1; tries <= MAX_TRIES; tries++) {
            const definitionID =
                client === undefined
                    ? await this.#registry.idOf(job)
                    : await this.#registry.idWithin(query.run, job)
            const cronTickMs =
                cron === null ? null : (this.#rules.read(cron).after(await databaseNowMs(query)) ?? null)
            const row = await upsertSchedule({
                ...query,
                schedule: { ...schedule, definitionID, cronTickMs },
            })
            if (row !== undefined) return row
            this.#registry.forget(job.name)
        }
        throw again(`the definition "${job.name}" was removed again and again`)
    }

    /**
     * All schedules, by name.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async list(options: ScheduleClientOptions = {}): Promise<Schedule[]> {
        knownOptions("list", options, ["client"])
        return this.#do("list", options.client, async (query) =>
            (await findSchedules({ ...query, name: null })).map(toSchedule),
        )
    }

    /**
     * The schedule of a name; undefined when there is none.
     *
     * @throws InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async get(name: string, options: ScheduleClientOptions = {}): Promise<Schedule | undefined> {
        knownOptions("get", options, ["client"])
        nameText("name", name)
        return this.#do("get", options.client, async (query) =>
            (await findSchedules({ ...query, name })).map(toSchedule).at(0),
        )
    }

    /**
     * Removes a schedule. Jobs that it has deferred stay.
     *
     * @returns whether there was one.
     * @throws InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async remove(name: string, options: ScheduleClientOptions = {}): Promise<boolean> {
        knownOptions("remove", options, ["client"])
        nameText("name", name)
        return this.#do("remove", options.client, (query) => removeSchedule({ ...query, name }))
    }

    /**
     * Pauses a schedule: it gets no jobs until it is resumed. Does nothing to one that is paused.
     *
     * @throws ScheduleNotFoundError when there is none; InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async pause(name: string, options: ScheduleClientOptions = {}): Promise<void> {
        knownOptions("pause", options, ["client"])
        nameText("name", name)
        await this.#do("pause", options.client, async (query) => {
            if (!(await pauseSchedule({ ...query, name }))) throw new ScheduleNotFoundError(name)
        })
    }

    /**
     * Resumes a schedule that is paused. Ticks that passed meanwhile are not made up for, whatever `onMissed` says; the
     * next one is the first to come. Does nothing to one that is not paused.
     *
     * @throws ScheduleNotFoundError when there is none; InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async resume(name: string, options: ScheduleClientOptions = {}): Promise<void> {
        knownOptions("resume", options, ["client"])
        nameText("name", name)
        await this.#do("resume", options.client, async (query) => {
            for (let tries = 1; tries <= MAX_TRIES; tries++) {
                const [row] = await findSchedules({ ...query, name })
                if (row === undefined) throw new ScheduleNotFoundError(name)
                const { cron } = row.rule
                const cronTickMs = cron === null ? null : (this.#rules.read(cron).after(row.nowMs) ?? null)
                if (await resumeSchedule({ ...query, name, cron, cronTickMs })) {
                    if (options.client === undefined) this.#hints.announceNews("schedule")
                    return
                }
            }
            throw again(`the schedule "${name}" was changed again and again`)
        })
    }

    /**
     * Defers a job of the schedule now, besides its ticks, also while it is paused. With `onOverlap: "skip"`, ticks are
     * left out until it is finalized.
     *
     * @returns the job's id.
     * @throws ScheduleNotFoundError when there is none; InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async runNow(name: string, options: ScheduleClientOptions = {}): Promise<number> {
        knownOptions("runNow", options, ["client"])
        nameText("name", name)
        return this.#do("runNow", options.client, async (query) => {
            const done = await runSchedule({ ...query, name })
            if (done === undefined) throw new ScheduleNotFoundError(name)
            if (options.client === undefined) this.#hints.announce("ready", done.channel)
            return done.jobID
        })
    }

    /**
     * The next times of a schedule, the one it waits for first; none while it is paused. At most 1,000; 10 if not told.
     *
     * @throws ScheduleNotFoundError when there is none; InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async nextTimes(name: string, count: number = DEFAULT_TIMES): Promise<Date[]> {
        nameText("name", name)
        wholeNumber("count", count, MAX_TIMES)
        return this.#do("nextTimes", undefined, async (query) => {
            const [row] = await findSchedules({ ...query, name })
            if (row === undefined) throw new ScheduleNotFoundError(name)
            const { rule, nextAtMs: tickMs } = row
            return row.isPaused ? [] : timesOf({ rule, rules: this.#rules, tickMs, count })
        })
    }

    /**
     * The next times of a rule, without a schedule and without the database.
     *
     * @throws InvalidOptionError for an option that is unknown or out of its range.
     */
    preview(options: PreviewOptions): Date[] {
        knownOptions("preview", options, ["intervalMs", "cron", "count", "from"])
        const rule = ruleOption(options)
        const count = wholeNumber("count", options.count ?? DEFAULT_TIMES, MAX_TIMES)
        const fromMs = (options.from === undefined ? new Date() : instant("from", options.from)).getTime()
        const tickMs = rule.cron === null ? fromMs : this.#rules.read(rule.cron).after(fromMs)
        return tickMs === undefined ? [] : timesOf({ rule, rules: this.#rules, tickMs, count })
    }

    async #do<T>(
        method: string,
        client: SqlClient | undefined,
        work: (query: Query) => Promise<T>,
    ): Promise<T> {
        const own = client === undefined ? undefined : checkedClient(client)
        const run: Query["run"] =
            own === undefined ? this.#database.run : (text, values) => runOnClient(own, text, values)
        const schema = this.#schema
        return inOurWords({ action: `schedules.${method}`, schema }, () => work({ run, schema }))
    }
}

function again(reason: string): DatabaseError {
    return new DatabaseError({
        action: "schedules",
        sqlState: undefined,
        retryable: true,
        cause: new Error(reason),
    })
}
