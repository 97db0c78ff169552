import { Config, JobDefinition, type JobDefinitionOptions, Worker } from "cuckmq"
import pg from "pg"
import type { Rows } from "../measure.ts"
import { type Payload, payloadOf } from "../peers/peer.ts"
import { fill, type Scenario, until } from "./scenario.ts"

const NUM_JOBS = 100_000
const NUM_WARM_UP = 20_000
const MAX_MS = 40_000

type Options = Partial<JobDefinitionOptions<Payload, unknown>>

/** A key of so many, or one for each job. */
const keyOf =
    (numKeys: number) =>
    ({ n }: Payload) =>
        String(Number(n) % numKeys)

/** More than there are jobs: what is measured is the counting, not the waiting. */
const NEVER = 1_000_000

const KINDS: Readonly<Record<string, Options>> = {
    "no control": {},
    "at most 1,000 at once": { concurrencyLimit: { max: 1_000 } },
    "at most 10 at once of each of 100 keys": { concurrencyLimit: { max: 10, key: keyOf(100) } },
    "a rate": { rateLimit: { max: NEVER, perMs: 1_000 } },
    "a rate for each of 1,000 keys": { rateLimit: { max: NEVER, perMs: 1_000, key: keyOf(1_000) } },
    "100 groups in turns": { group: { key: keyOf(100) } },
    "100,000 groups in turns": { group: { key: keyOf(NUM_JOBS) } },
    "1,000 groups in order": { group: { key: keyOf(1_000), ordered: true } },
    "unique keys": { unique: { key: keyOf(NUM_JOBS) } },
    "successes not kept": { keepSucceededMs: 0 },
    "successes kept for an hour": { keepSucceededMs: 60 * 60_000 },
    "another definition and a key paused": {},
    "ten priorities": {},
}

/** What limits, shares, order, uniqueness, priorities and pauses cost those who ask for them. */
export const control: Scenario = {
    title: "What control costs",
    about:
        `The drain of ${NUM_JOBS.toLocaleString("en")} jobs that do nothing, at a concurrency of 100 in one process, after a drain of ` +
        `${NUM_WARM_UP.toLocaleString("en")} to warm up: jobs under limits that are never reached, in groups, with keys, with priorities, ` +
        "or beside what is paused; and how fast they are deferred, 5,000 in a call.",
    usualSeconds: 240,
    goal: "rate",
    peers: ["cuckmq"],
    cases: Object.keys(KINDS),
    rounds: 1,
    timeoutMs: 120_000,
    async sample(bench) {
        const { options, admin, isSmall, caseName, meter } = bench
        const pool = new pg.Pool({ connectionString: options.servers.connectionString })
        const config = new Config({ pool, schema: options.schema })
        if (caseName.includes("paused")) await pauseOthers(config)
        let numJobs = 0
        const definition = new JobDefinition<Payload, unknown>({
            config,
            name: "controlled",
            ...KINDS[caseName],
            jobFunction: () => {
                numJobs++
            },
        })
        definition.register()
        const drain = async (count: number): Promise<void> => {
            numJobs = 0
            const worker = new Worker({ config, concurrency: 100 })
            await until(() => numJobs >= count, MAX_MS)
            worker.stop()
            await worker.join()
        }
        const count = isSmall ? 5_000 : NUM_JOBS
        await fillWith(definition, { count: NUM_WARM_UP, caseName })
        await drain(NUM_WARM_UP)
        await meter.start()
        await fillWith(definition, { count, caseName })
        const rows: Rows = { [`defer, ${caseName}`]: await meter.stop(count) }
        await admin.query(`vacuum analyze ${options.schema}.job`)
        await admin.query("checkpoint")
        await meter.start()
        await drain(count)
        rows[caseName] = await meter.stop(numJobs || 1)
        await pool.end()
        return rows
    },
}

/** Defers so many jobs, 5,000 in a call. */
function fillWith(
    definition: JobDefinition<Payload, unknown>,
    { count, caseName }: { count: number; caseName: string },
): Promise<void> {
    const prioritized = ({ n }: Payload) =>
        caseName === "ten priorities" ? { priority: Number(n) % 10 } : {}
    const enqueueMany = async (payloads: readonly Payload[]) => {
        await definition.deferMany(payloads.map((payload) => ({ payload, ...prioritized(payload) })))
    }
    return fill({ peer: { enqueueMany }, count, size: 5_000, payload: (n) => payloadOf(100, { n }) })
}

/** A definition of which a key is paused, and one that is paused whole: what they cost those who are neither. */
async function pauseOthers(config: Config): Promise<void> {
    for (const name of ["paused", "with a paused key"]) {
        const other = new JobDefinition<Payload, unknown>({
            config,
            name,
            group: { key: keyOf(10) },
            jobFunction: () => undefined,
        })
        other.register()
        await other.deferMany(Array.from({ length: 1_000 }, (_, n) => ({ payload: payloadOf(100, { n }) })))
    }
    await config.pause({ definition: "paused" })
    for (let key = 0; key < 10; key++)
        await config.pause({ definition: "with a paused key", key: String(key) })
}
