import { Batcher } from "./batcher.ts"
import type { SqlClient } from "./db/client.ts"
import { type Database, runOnClient } from "./db/database.ts"
import { inOurWords, refusesValues, wasTooLong } from "./db/failure.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import { DatabaseError, DependencyNotFoundError } from "./errors.ts"
import type { Placing } from "./gate.ts"
import type { Hints } from "./hints.ts"
import { chunksOf, MAX_JOBS, MAX_PAYLOAD_LENGTH } from "./job-chunks.ts"
import { KeyedBatcher, type Patience, rejected } from "./keyed-batcher.ts"
import type { Registry } from "./registry.ts"
import type { DefinitionRow } from "./statements/definitions.ts"
import { insertJobs, type JobLimits } from "./statements/insert-jobs.ts"
import { insertReadyJobs } from "./statements/insert-ready-jobs.ts"
import { insertUniqueJobs, type KeyRule } from "./statements/insert-unique-jobs.ts"
import type { Notification } from "./statements/notify.ts"
import { registerPriorities } from "./statements/priorities.ts"
import type { Query } from "./statements/query.ts"
import { withinSavepoint } from "./statements/savepoint.ts"
import { type Deferral, deferByKey, deferOnce } from "./unique-jobs.ts"

/** A job to defer, its payload encoded and its options checked. */
export interface NewJob {
    definition: DefinitionRow
    payload: string
    delayMs: number | null
    runAtMs: number | null
    dependencies: readonly number[]
    /** Where it waits, if its definition is gated. */
    placing: Placing | null
    /** Null for that of the definition. */
    priority: number | null
    /** The key that only one job is to have; null when it has none. */
    unique: KeyRule | null
    /** What it does not leave to its definition; null when that is nothing. */
    limits: JobLimits | null
}

/** The same, of a definition that the database has. */
type KnownJob = NewJob & { definitionID: number }

/** Whether a statement stands alone, or in a transaction, which may hold the pool's only connection. */
type Place = "alone" | "in-transaction"

/** Large batches, and dependencies that someone holds locked, take longer than other statements may. */
const DEADLINE_MS = 60_000

/** With more, a hint that has to be sent once more by itself is cheaper than the jobs that would be. */
const MAX_JOBS_TOLD_OF = 1_000

/** How often a statement that found its definitions retired is tried again. */
const MAX_TRIES = 5

/** Puts jobs into the database: those of concurrent callers together, in as few statements as there is time for. */
export class Enqueuer {
    readonly #database: Database
    readonly #run: Query["run"]
    readonly #schema: QuotedSchema
    readonly #registry: Registry
    readonly #hints: Hints
    readonly #batcher: Batcher<NewJob, Deferral>
    readonly #keyedBatcher: KeyedBatcher<NewJob>

    constructor(params: { database: Database; schema: QuotedSchema; registry: Registry; hints: Hints }) {
        this.#database = params.database
        this.#run = params.database.runWithin(DEADLINE_MS)
        this.#schema = params.schema
        this.#registry = params.registry
        this.#hints = params.hints
        this.#batcher = new Batcher({
            flush: (jobs) => this.#insertShared(jobs),
            maxItems: MAX_JOBS,
            weigh: (job) => job.payload.length,
            maxWeight: MAX_PAYLOAD_LENGTH,
        })
        this.#keyedBatcher = new KeyedBatcher({
            insert: (jobs, patience) => this.#insertCommitted(jobs, patience),
            maxItems: MAX_JOBS,
            maxWeight: MAX_PAYLOAD_LENGTH,
        })
    }

    /** Defers one job. */
    async defer(job: NewJob, client: SqlClient | undefined): Promise<Deferral> {
        // A dependency that is not found fails its statement, so such jobs do not travel with those of others.
        if (client === undefined && job.dependencies.length === 0) {
            const batcher = hasKey(job) ? this.#keyedBatcher : this.#batcher
            return this.#guard(() => batcher.add(job))
        }
        const [deferral] = await this.deferAll([job], client)
        return deferral as Deferral
    }

    /** Defers jobs, all or none. */
    deferAll(jobs: readonly NewJob[], client: SqlClient | undefined): Promise<Deferral[]> {
        if (jobs.length === 0) return Promise.resolve([])
        return this.#guard(async () => {
            // A key that is contested is left to another statement.
            const isOneStatement = chunksOf(jobs).length === 1 && (jobs.length === 1 || !jobs.some(hasKey))
            if (client !== undefined) {
                const run: Query["run"] = (text, values) => runOnClient(client, text, values)
                const insert = () => this.#insertChunks(jobs, run)
                return isOneStatement ? insert() : withinSavepoint(run, insert)
            }
            if (isOneStatement) return this.#insertCommitted(jobs)
            const deferrals = await this.#database.transaction(
                (run) => this.#insertChunks(jobs, run),
                DEADLINE_MS,
            )
            this.#announceDeferrals(jobs, deferrals)
            return deferrals
        })
    }

    /**
     * Inserts jobs of several callers. A payload may read otherwise each time, so one that was checked may still be
     * refused by the database, and together they may take longer than the role's statements may: then the jobs go in
     * halves, until one is refused alone.
     */
    async #insertShared(jobs: readonly NewJob[]): Promise<(Deferral | Promise<Deferral>)[]> {
        try {
            return await this.#insertCommitted(jobs)
        } catch (error) {
            if (!refusesValues(error) && !wasTooLong(error)) throw error
            if (jobs.length === 1) return [rejected(error)]
            const half = Math.ceil(jobs.length / 2)
            const first = await this.#insertHalf(jobs.slice(0, half))
            return [...first, ...(await this.#insertHalf(jobs.slice(half)))]
        }
    }

    /** What befalls one half must not hide what became of the other. */
    #insertHalf(jobs: readonly NewJob[]): Promise<(Deferral | Promise<Deferral>)[]> {
        return this.#insertShared(jobs).catch((error: unknown) => jobs.map(() => rejected(error)))
    }

    async #insertCommitted(jobs: readonly NewJob[], patience?: Patience): Promise<Deferral[]> {
        const channel = jobs.length <= MAX_JOBS_TOLD_OF ? oneChannelOf(jobs) : undefined
        if (channel !== undefined) {
            const insert = (hint: Notification) => this.#insert(jobs, this.#run, "alone", { hint })
            const deferrals = await this.#hints.tellAlong(channel, insert)
            if (deferrals !== undefined) return deferrals
        }
        const deferrals = await this.#insert(jobs, this.#run, "alone", { patience })
        this.#announceDeferrals(jobs, deferrals)
        return deferrals
    }

    async #insertChunks(jobs: readonly NewJob[], run: Query["run"]): Promise<Deferral[]> {
        const deferrals: Deferral[] = []
        for (const chunk of chunksOf(jobs))
            deferrals.push(...(await this.#insert(chunk, run, "in-transaction")))
        return deferrals
    }

    async #insert(
        jobs: readonly NewJob[],
        run: Query["run"],
        place: Place,
        { hint, patience = "patient" }: { hint?: Notification; patience?: Patience | undefined } = {},
    ): Promise<Deferral[]> {
        const query = { run, schema: this.#schema }
        if (jobs.some(hasKey)) {
            const isImpatient = patience === "impatient"
            const deferrals = await (isImpatient ? deferOnce : deferByKey)(jobs, (some) =>
                this.#insertKnown(some, run, place, (definitionIDs) =>
                    insertUniqueJobs({ ...query, jobs: withIDs(some, definitionIDs), isImpatient }),
                ),
            )
            // An impatient statement leaves out what is contested, as who asked for it expects.
            return jobs.map((job) => deferrals.get(job) as Deferral)
        }
        const isPlain = hint !== undefined || jobs.every(isPlainAndReady)
        const ids = await this.#insertKnown(jobs, run, place, async (definitionIDs) => {
            if (isPlain) {
                const payloads = jobs.map(({ payload }) => payload)
                const results = await insertReadyJobs({ ...query, payloads, definitionIDs, hint })
                return { results, missingIDs: [] }
            }
            const inserted = await insertJobs({ ...query, jobs: withIDs(jobs, definitionIDs) })
            return { results: inserted.ids, missingIDs: inserted.missingIDs }
        })
        return ids.map((id) => ({ id, outcome: "inserted" }))
    }

    /** Inserts jobs of definitions that the database knows by these ids. `insert` has no results where it lacks something. */
    async #insertKnown<Result>(
        jobs: readonly NewJob[],
        run: Query["run"],
        place: Place,
        insert: (definitionIDs: readonly number[]) => Promise<{ results: Result[]; missingIDs: number[] }>,
    ): Promise<Result[]> {
        const definition = jobs[0]?.definition.name ?? ""
        const missedIDs = new Set<number>()
        let hasRegistered = false
        for (let tries = 1; tries <= MAX_TRIES; ) {
            const idsByName = await this.#resolveIDs(jobs, place === "alone" ? undefined : run)
            const definitionIDs = jobs.map((job) => idsByName.get(job.definition.name) as number)
            const { results, missingIDs } = await insert(definitionIDs)
            if (results.length === jobs.length) return results
            // One look may fall between a job's end and its place in history; two looks for the same job cannot.
            const jobIDs = missingIDs.filter((id) => missedIDs.has(id))
            if (jobIDs.length > 0) throw new DependencyNotFoundError({ definition, jobIDs })
            for (const id of missingIDs) missedIDs.add(id)
            if (missingIDs.length > 0) continue
            if (!hasRegistered) hasRegistered = await this.#registerPriorities(jobs, definitionIDs, run)
            else hasRegistered = false
            if (hasRegistered) continue
            for (const name of idsByName.keys()) this.#registry.forget(name)
            tries++
        }
        throw new DatabaseError({
            action: "defer",
            sqlState: undefined,
            retryable: true,
            cause: new Error(`the definition "${definition}" was removed again and again`),
        })
    }

    /** Writes down the lanes of jobs with a priority of their own, if there are any: no job is inserted without. */
    async #registerPriorities(
        jobs: readonly NewJob[],
        definitionIDs: readonly number[],
        run: Query["run"],
    ): Promise<boolean> {
        const lanes = jobs.flatMap(({ priority }, index) =>
            priority === null || priority === 0
                ? []
                : [{ definitionID: definitionIDs[index] as number, priority }],
        )
        if (lanes.length > 0) await registerPriorities({ run, schema: this.#schema, lanes })
        return lanes.length > 0
    }

    async #resolveIDs(
        jobs: readonly NewJob[],
        callerRun: Query["run"] | undefined,
    ): Promise<Map<string, number>> {
        const ids = new Map<string, number>()
        for (const { definition } of jobs) {
            if (ids.has(definition.name)) continue
            // The caller may hold the pool's only connection, so inside its transaction we ask for no other.
            const id =
                callerRun === undefined
                    ? this.#registry.idOf(definition)
                    : this.#registry.idWithin(callerRun, definition)
            ids.set(definition.name, await id)
        }
        return ids
    }

    #announceDeferrals(jobs: readonly NewJob[], deferrals: readonly Deferral[]): void {
        const changed = jobs.filter((_, index) => (deferrals[index]?.outcome ?? "kept") !== "kept")
        // A claim passed over a job whose payload we were replacing, whenever that is due.
        const replaced = jobs.filter((_, index) => deferrals[index]?.outcome === "replaced")
        this.#announce(changed)
        this.#announce(replaced.map((job) => ({ ...job, delayMs: null, runAtMs: null })))
    }

    #announce(jobs: readonly NewJob[]): void {
        this.#hints.announceJobs(
            jobs.map((job) => ({ channel: job.definition.channel, isReady: isReady(job) })),
        )
        // While we held the required jobs locked, claims passed them over.
        if (jobs.some((job) => job.dependencies.length > 0)) this.#hints.announce("ready")
    }

    #guard<T>(work: () => Promise<T>): Promise<T> {
        return inOurWords({ action: "defer", schema: this.#schema }, work)
    }
}

function withIDs(jobs: readonly NewJob[], definitionIDs: readonly number[]): KnownJob[] {
    return jobs.map((job, index) => ({ ...job, definitionID: definitionIDs[index] as number }))
}

function hasKey(job: NewJob): boolean {
    return job.unique !== null
}

/** Whether a job needs nothing but its place at the end of the ready ones. */
function isPlainAndReady(job: NewJob): boolean {
    const isOfDefinition = job.priority === null && job.limits === null
    return job.placing === null && isOfDefinition && !hasKey(job) && isReady(job)
}

/** The channel of jobs that are plain and ready, where all have the same. */
function oneChannelOf(jobs: readonly NewJob[]): string | undefined {
    const channel = jobs[0]?.definition.channel
    return jobs.every((job) => job.definition.channel === channel && isPlainAndReady(job))
        ? channel
        : undefined
}

function isReady(job: NewJob): boolean {
    return job.delayMs === null && job.runAtMs === null && job.dependencies.length === 0
}
