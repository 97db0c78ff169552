import { availableParallelism } from "node:os"
import { type ServerInfo, VERSION } from "../../index.ts"
import { Bench, type BenchSettings, CALL_SIZE } from "../bench/bench.ts"
import type { Measurement, MeasurementName } from "../bench/measurement.ts"
import type { Command, Context } from "../command.ts"
import { withoutPassword } from "../database.ts"
import { EXIT, UsageError } from "../exit.ts"
import { type Look, paint } from "../look.ts"
import { inOwnQueue, refuseSchema } from "../own-queue.ts"

/** As many as a worker needs, and some for what is deferred meanwhile. */
const NUM_CONNECTIONS = 4

const NUM_JOBS = { default: 20_000, min: 100, max: 1_000_000 }
const CONCURRENCY = { default: 100, min: 1, max: 1_000 }
const MAX_SECONDS = { default: 60, min: 5, max: 3_600 }

/** What was measured, and on what. */
interface Report {
    at: Date
    cuckmq: string
    node: string
    numProcessors: number
    /** Where the server is. */
    place: string
    isEmbedded: boolean
    numConnections: number
    server: ServerInfo
    settings: BenchSettings
    measurements: Measurement[]
    /** What went wrong in workers, which try again. */
    errors: string[]
}

/** Measures the queue on a database. */
export const bench: Command = {
    name: "bench",
    summary: "measure how fast a queue is on this server, from this machine",
    isLive: true,
    options: [
        { name: "jobs", value: "N", help: "how many jobs, 100 to 1,000,000; default: 20,000" },
        { name: "concurrency", value: "N", help: "how many run at the same time, 1 to 1,000; default: 100" },
        { name: "embedded", help: "measure PGlite, a database inside this process, and not a server" },
        { name: "max-seconds", value: "N", help: "how long it may take, 5 to 3,600; default: 60" },
    ],
    details: [
        "Defers and runs jobs that do nothing, in a schema of its own, cuckmq_bench_ and 24 digits, which is",
        "dropped at the end, also when interrupted. Keeps the server busy meanwhile; other queues on it are",
        "not touched. The role needs the right to create schemas. A process that is killed leaves the schema",
        "behind: `drop schema NAME cascade` removes it.",
    ],
    run: async (context) => {
        const { args, out, io } = context
        refuseSchema(context)
        const settings = {
            numJobs: within(context, "jobs", NUM_JOBS),
            concurrency: within(context, "concurrency", CONCURRENCY),
            maxSeconds: within(context, "max-seconds", MAX_SECONDS),
        }
        const kind = args.has("embedded") ? "embedded" : "server"
        const ways = { purpose: "bench", numConnections: NUM_CONNECTIONS, kind, isKept: false } as const
        const report = await inOwnQueue(context, ways, async ({ config, inspector, database }) => {
            const say = (text: string) => (out.isJson ? undefined : out.note(text))
            const { pool, place, isEmbedded } = database
            if (!isEmbedded) say(`in the schema ${config.schema}, which is dropped at the end`)
            const measuring = new Bench({ config, pool, settings, signal: io.signal })
            const server = await inspector.server()
            const measurements = await measuring.measure((what) => say(`${what}…`))
            const url = args.text("database-url") ?? io.env.DATABASE_URL
            return {
                ...{ at: new Date(), cuckmq: VERSION, node: process.version },
                ...{
                    numProcessors: availableParallelism(),
                    place,
                    isEmbedded,
                    numConnections: NUM_CONNECTIONS,
                },
                ...{ server, settings, measurements },
                errors: [...measuring.errors].map((error) => withoutPassword(error, url)),
            }
        })
        if (report === undefined || io.signal.aborted) return EXIT.interrupted
        out.show(report, (look) => ["", ...linesOf(report, look)])
        return EXIT.ok
    },
}

function within(
    { args }: Context,
    name: string,
    range: { default: number; min: number; max: number },
): number {
    const value = args.number(name) ?? range.default
    if (Number.isInteger(value) && value >= range.min && value <= range.max) return value
    const [min, max] = [range.min, range.max].map((number) => number.toLocaleString("en"))
    throw new UsageError(`expected a whole number from ${min} to ${max} for --${name}, got: ${value}`)
}

const TITLES: Record<MeasurementName, string> = {
    "defer-many": `defer ${CALL_SIZE.toLocaleString("en")} in a call`,
    run: "run",
    start: "from defer to start, idle worker",
    "defer-1-caller": "defer one by one, 1 caller",
    "defer-20-callers": "defer one by one, 20 callers",
}

const COLUMNS = ["JOBS", "JOBS/S", "P50 MS", "P99 MS"].map((title) => ({ title, isNumber: true }))

function linesOf(report: Report, look: Look): string[] {
    const { server, settings, measurements, errors } = report
    const { version, roundTripMs } = server
    const place = report.isEmbedded ? "as PGlite inside this process" : `at ${report.place}`
    const run = `run, ${settings.concurrency} at a time in one worker`
    const rows = measurements.map(({ name, numJobs, jobsPerSecond, p50Ms, p99Ms, isWhole }) => [
        (name === "run" ? run : TITLES[name]) + (isWhole ? "" : " *"),
        grouped(numJobs),
        paint("bold", grouped(jobsPerSecond)),
        p50Ms?.toFixed(2) ?? "-",
        p99Ms?.toFixed(2) ?? "-",
    ])
    return [
        ...look.fields([
            ["server", `PostgreSQL ${version} ${place}, ${roundTripMs} ms away and back`],
            ["settings", settingsText(server)],
            ["here", `cuckmq ${report.cuckmq}, Node ${report.node}, ${report.numProcessors} processors`],
        ]),
        "",
        ...look.table([{ title: "WHAT" }, ...COLUMNS], rows),
        ...(measurements.every(({ isWhole }) => isWhole)
            ? []
            : ["", look.line(`* stopped when its part of the ${settings.maxSeconds} seconds was over`)]),
        ...errors.map((error) => look.line(paint("yellow", "a worker could not "), error)),
    ]
}

function settingsText({ settings }: ServerInfo): string {
    const names = ["synchronous_commit", "fsync", "full_page_writes", "shared_buffers", "max_wal_size"]
    return names.map((name) => `${name} ${settings[name] ?? "?"}`).join(", ")
}

function grouped(number: number | null): string {
    return number?.toLocaleString("en") ?? "-"
}
