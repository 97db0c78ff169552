import { type Config, type Core, coreOf } from "./config.ts"
import type { Run } from "./db/driver.ts"
import { inOurWords } from "./db/failure.ts"
import { type Shrinking, shrinking } from "./db/shrinking.ts"
import { countInTime } from "./inspect/count-in-time.ts"
import type { Counts } from "./inspect/counts.ts"
import {
    type OrchestratorInfo,
    toOrchestratorInfo,
    toWorkerInfo,
    type WorkerInfo,
} from "./inspect/daemons.ts"
import { type DefinitionInfo, toDefinitionInfo } from "./inspect/definitions.ts"
import type { Diagnosis } from "./inspect/diagnosis.ts"
import { diagnose } from "./inspect/doctor.ts"
import { explain } from "./inspect/explain.ts"
import type { Explanation } from "./inspect/explanation.ts"
import { type JobDetails, type JobReference, toJobDetails, toReference } from "./inspect/job-details.ts"
import { type JobGraph, referredIDs, toJobGraph } from "./inspect/job-graph.ts"
import {
    isBeyond,
    type JobPage,
    type ListJobsOptions,
    toJobQuery,
    toListedJob,
    toPlace,
} from "./inspect/job-list.ts"
import { type JobLogPage, type LogsOptions, toLogPage, toLogQuery } from "./inspect/job-logs.ts"
import { toPrometheus } from "./inspect/prometheus.ts"
import { Throughput, type ThroughputPoint } from "./inspect/throughput.ts"
import type { ThroughputOptions } from "./inspect/throughput-options.ts"
import { Operator } from "./operate/operator.ts"
import { jobID as checkedID, knownOptions } from "./options.ts"
import { type DaemonKind, type DaemonRow, selectDaemons } from "./statements/daemons.ts"
import { explainJob } from "./statements/explain-job.ts"
import { firstIDSince } from "./statements/first-id-since.ts"
import { inspectDefinitions } from "./statements/inspect-definitions.ts"
import { inspectJob } from "./statements/inspect-job.ts"
import { findGraph, findReferences } from "./statements/job-graph.ts"
import { listJobs } from "./statements/list-jobs.ts"
import { lookOn } from "./statements/look-on.ts"
import { readTotals } from "./statements/read-totals.ts"
import { selectJobLogs } from "./statements/select-job-logs.ts"

/** The options of an inspector. */
export interface InspectorOptions {
    /** The queue to look at. No definition need be registered. */
    config: Config
}

/** How many jobs a page looks through, more where it need not read payloads; fewer where that takes longer than so. */
const MAX_LOOKS = 20_000
const MAX_PAYLOAD_LOOKS = 5_000
const AIM_MS = 40

/** How many of the jobs that one has to do with are told. */
const MAX_RELATED = 100

/**
 * Looks at a queue, and does to it what people may want to do. What it looks at is bounded, so it may be asked while the
 * queue is at work and whatever its size; a statement of those who look that takes longer than two seconds all the same is
 * given up by the server. What it does leaves a record in the audit log.
 */
export class Inspector extends Operator {
    readonly #config: Config
    readonly #core: Core
    readonly #throughput: Throughput
    readonly #inTime: Shrinking = shrinking(MAX_LOOKS, { aimMs: AIM_MS })
    readonly #payloadsInTime: Shrinking = shrinking(MAX_PAYLOAD_LOOKS, { aimMs: AIM_MS })

    /** @throws InvalidOptionError for an option that is unknown, or a `config` that is none. */
    constructor(options: InspectorOptions) {
        knownOptions("Inspector", options, ["config"])
        super(options.config)
        this.#core = coreOf(options.config)
        this.#throughput = new Throughput(this.#core)
        this.#config = options.config
    }

    /**
     * Counts jobs by definition, channel and state, and tells how long the oldest ready job of each definition has been
     * due. Numbers are exact while they are small: up to 10,000 jobs of each state, and of ready and failed ones up to
     * 10,000 of each definition, or 40,000 shared by all; of blocked ones while there are 5,000 dependencies. Beyond that `isExact` is false. Finalized jobs are an estimate.
     * One statement, which costs the same however many jobs there are, and more with the number of definitions.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async counts(): Promise<Counts> {
        const { schema } = this.#core
        return this.#guard("counts", () => countInTime({ schema, lookOn: (work) => this.#lookOn(work) }))
    }

    /**
     * Lists jobs, live and finalized, by when they were deferred. A call looks through jobs until it has enough, but no
     * more than 20,000, or 5,000 where payloads are asked for, and fewer where the server is slow: a page may come back short,
     * or empty, with a `next` to go on at. `running`, `failing` and `failed` jobs have indexes of their own, and a time range is found by
     * bisection; other filters are what a call looks through jobs for. Payloads and results are in `job`.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async jobs(options: ListJobsOptions = {}): Promise<JobPage> {
        const { sources, order, startMs, afterID, filter, limit, isFiltered } = toJobQuery(options)
        const { schema } = this.#core
        const inTime = filter.payload === null ? this.#inTime : this.#payloadsInTime
        return this.#guard("jobs", async () => {
            const begin = startMs === null ? afterID : await this.#idBefore(startMs, order)
            const query = { schema, sources, order, afterID: begin, filter, limit }
            const { rows, next } = await inTime((most) => {
                const numLooks = isFiltered ? Math.max(most, limit) : limit
                return this.#lookOn((run) => listJobs({ run, ...query, numLooks }))
            })
            const isEnd = next === null || isBeyond(filter, order, next.createdAtMs)
            return { jobs: rows.map(toListedJob), next: isEnd ? null : toPlace(order, next.id) }
        })
    }

    /**
     * Everything about one job, live or finalized. One statement, which looks it up by its id.
     *
     * @returns null when there is no such job, or history holds it no more.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async job(jobID: number): Promise<JobDetails | null> {
        const id = checkedID("jobID", jobID)
        const { schema } = this.#core
        const found = await this.#guard("job", () =>
            this.#lookOn((run) => inspectJob({ run, schema, id, maxRelated: MAX_RELATED })),
        )
        return found === undefined ? null : toJobDetails(found)
    }

    /**
     * Which jobs some ids are of, by their ids. Those that are not there, or that history holds no more, are left out. One
     * statement.
     *
     * @param jobIDs 1 to 1,000 of them.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async references(jobIDs: readonly number[]): Promise<JobReference[]> {
        const query = { schema: this.#core.schema, ids: referredIDs(jobIDs) }
        return this.#guard("references", async () =>
            (await this.#lookOn((run) => findReferences({ run, ...query }))).map(toReference),
        )
    }

    /**
     * The jobs that hang together with one by what waits for what, over any number of steps: the nearest 100 of them, and what
     * is between those. A dependency is there until the job that is required is finalized. Two statements.
     *
     * @returns a graph without jobs when there is no such job, or history holds it no more.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async graph(jobID: number): Promise<JobGraph> {
        const query = { schema: this.#core.schema, id: checkedID("jobID", jobID), max: MAX_RELATED }
        return this.#guard("graph", async () =>
            toJobGraph(await this.#lookOn((run) => findGraph({ run, ...query }))),
        )
    }

    /**
     * What a job's function has logged by `context.log`, the oldest line first unless told otherwise: the last 1,000 lines of
     * a job, live or finalized. Empty for a job that logged nothing, or that is not there. What a run logs that has lost its
     * job stands before what the next one logs. One statement, which looks them up by the job's id.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async logs(jobID: number, options: LogsOptions = {}): Promise<JobLogPage> {
        const query = { schema: this.#core.schema, id: checkedID("jobID", jobID), ...toLogQuery(options) }
        const rows = await this.#guard("logs", () =>
            this.#lookOn((run) => selectJobLogs({ ...query, run, limit: query.limit + 1 })),
        )
        return toLogPage(rows, query.limit)
    }

    /**
     * Why a job does not run, or what became of it: as a kind with the facts, and as a sentence. Of all that holds a job
     * back, the explanation is what would hold it back even if the rest did not. All is read by one statement, in one
     * snapshot; it looks up what concerns the job, and costs a few milliseconds. Limits are those that the process which
     * wrote the definition down last has; workers are those that were heard of within 30 seconds.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async explain(jobID: number): Promise<Explanation> {
        const id = checkedID("jobID", jobID)
        const { schema } = this.#core
        return explain(
            id,
            await this.#guard("explain", () => this.#lookOn((run) => explainJob({ run, schema, id }))),
        )
    }

    /**
     * All definitions, by name, with their limits, their repetition and the live workers that run their jobs. Costs what
     * there are of them.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async definitions(): Promise<DefinitionInfo[]> {
        const { schema } = this.#core
        return this.#guard("definitions", () =>
            this.#lookOn(async (run) => {
                const daemons = await selectDaemons({ run, schema, kind: "worker" })
                const rows = await inspectDefinitions({ run, schema })
                return rows.map((row) => toDefinitionInfo(row, daemons))
            }),
        )
    }

    /**
     * The workers that are there, those that started first coming first. One that ended without a word is among them for
     * five minutes, with `isLive` false.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async workers(): Promise<WorkerInfo[]> {
        return (await this.#daemons("workers", "worker")).map(toWorkerInfo)
    }

    /**
     * The orchestrators that are there; what holds for `workers` holds for them.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async orchestrators(): Promise<OrchestratorInfo[]> {
        return (await this.#daemons("orchestrators", "orchestrator")).map(toOrchestratorInfo)
    }

    /**
     * What became of jobs over time: points at equal distances, the oldest first, each with how many jobs succeeded and
     * failed, the rate, and percentiles of how long they waited and ran. A point in which nothing happened is there, with
     * zeros. Daemons write their counts down every ten seconds and when they stop, so the newest point lags behind by that
     * much, and what a process counted in its last ten seconds is lost when it crashes.
     *
     * Costs one statement, which reads a row of a few hundred bytes for each definition and minute of the last 24 hours,
     * and for each definition and hour before that; never a job.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async throughput(options: ThroughputOptions): Promise<ThroughputPoint[]> {
        return this.#throughput.read(options)
    }

    /**
     * What became of all jobs so far, and what is live, in Prometheus's text format: for an endpoint of yours to answer with, as
     * `text/plain; version=0.0.4`. The counters are in the database and the same whichever process is asked, so let one
     * endpoint of a queue be scraped. They only grow; those of a definition that was removed are gone with it. There are
     * 60 series or so for each definition, and none for keys, jobs or workers.
     *
     * Costs what `counts` and `workers` do, and a statement more that reads a row for each definition.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async prometheus(): Promise<string> {
        const { run, schema } = this.#core
        const totals = await this.#guard("prometheus", () => readTotals({ run, schema }))
        return toPrometheus({ totals, counts: await this.counts(), workers: await this.workers() })
    }

    /**
     * Checks the queue and its server: whether the schema is the one of this release and whole, whether the server is set up
     * as a queue needs it, what keeps it from clearing up, whether LISTEN is heard, and whether anything is left undone. Each
     * check has a verdict and advice. Works on a schema that is not prepared, too. A dozen statements, on two connections of the
     * pool at a time, and up to two seconds where LISTEN is not heard; sends one notification, and opens a connection for it
     * outside of the pool.
     *
     * @throws DatabaseError when the database cannot be reached.
     */
    async doctor(): Promise<Diagnosis> {
        return this.#guard("doctor", () => diagnose({ config: this.#config, core: this.#core }))
    }

    /** The id behind which a list begins at an instant. */
    async #idBefore(sinceMs: number, order: "asc" | "desc"): Promise<number> {
        const { schema } = this.#core
        const id = await this.#lookOn((run) => firstIDSince({ run, schema, sinceMs }))
        return order === "asc" ? id - 1 : id
    }

    #daemons(action: string, kind: DaemonKind): Promise<DaemonRow[]> {
        const { schema } = this.#core
        return this.#guard(action, () => this.#lookOn((run) => selectDaemons({ run, schema, kind })))
    }

    #lookOn<T>(work: (run: Run) => Promise<T>): Promise<T> {
        return lookOn(this.#core.database, work)
    }

    #guard<T>(action: string, work: () => Promise<T>): Promise<T> {
        return inOurWords({ action, schema: this.#core.schema }, work)
    }
}
