import { type Config, type Core, coreOf } from "./config.ts"
import { inOurWords } from "./db/failure.ts"
import { toPrometheus } from "./inspect/prometheus.ts"
import { Throughput, type ThroughputPoint } from "./inspect/throughput.ts"
import type { ThroughputOptions } from "./inspect/throughput-options.ts"
import { knownOptions } from "./options.ts"
import { readTotals } from "./statements/read-totals.ts"

/** The options of an inspector. */
export interface InspectorOptions {
    /** The queue to look at. Its definitions need not be registered. */
    config: Config
}

/** Looks at a queue, and changes nothing. Make as many as you like: one holds nothing that would have to be ended. */
export class Inspector {
    readonly #core: Core
    readonly #throughput: Throughput

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: InspectorOptions) {
        knownOptions("Inspector", options, ["config"])
        this.#core = coreOf(options.config)
        this.#throughput = new Throughput(this.#core)
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
     * What became of all jobs so far, in Prometheus's text format: for an endpoint of yours to answer with, as
     * `text/plain; version=0.0.4`. The counters are in the database and the same whichever process is asked, so let one
     * endpoint of a queue be scraped. They only grow; those of a definition that was removed are gone with it. There are
     * 60 series or so for each definition, and none for keys, jobs or workers.
     *
     * Costs one statement, which reads a row for each definition.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async prometheus(): Promise<string> {
        const { run, schema } = this.#core
        const totals = await inOurWords({ action: "prometheus", schema }, () => readTotals({ run, schema }))
        return toPrometheus({ totals, counts: null })
    }
}
