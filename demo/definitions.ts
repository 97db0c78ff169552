import { type Config, JobDefinition } from "cuckmq"
import { type DemoDatabase, SCHEMA } from "./database.ts"
import { countFile, digestFile, type FileFacts } from "./files.ts"
import { reportLines } from "./report.ts"

/** The pace of `publish-digest`. */
export const RELEASE_INTERVAL_MS = 250

/** The pace of `heartbeat`. */
export const REPEAT_INTERVAL_MS = 1_000

/** How often `flaky-upload` fails before it succeeds. */
const NUM_OUTAGES = 2

export type Jobs = ReturnType<typeof defineJobs>

/** Every kind of job that the demo has. */
export function defineJobs(params: {
    config: Config
    database: DemoDatabase
    print: (lines: string[]) => void
}) {
    const { config, database, print } = params
    return {
        // What a handler returns is kept as the job's result.
        countFile: new JobDefinition({
            config,
            name: "count-file",
            jobFunction: (payload: { path: string }) => countFile(payload.path),
        }),

        // Never faster than one in 250 ms, over all workers: for a service that allows no more.
        publishDigest: new JobDefinition({
            config,
            name: "publish-digest",
            releaseIntervalMs: RELEASE_INTERVAL_MS,
            jobFunction: async (payload: { path: string }) => ({ sha256: await digestFile(payload.path) }),
        }),

        // Up to three runs, with a longer pause after each.
        flakyUpload: new JobDefinition({
            config,
            name: "flaky-upload",
            numAttempts: NUM_OUTAGES,
            retryDelayMs: ({ attempt }) => attempt * 600,
            jobFunction: (_payload: { path: string }, { attempt }) => {
                if (attempt <= NUM_OUTAGES) throw new Error("503 Service Unavailable (simulated)")
                return { attempt }
            },
        }),

        // The file does not exist: two runs, then the job is kept as failed, with both errors.
        doomedRead: new JobDefinition({
            config,
            name: "doomed-read",
            numAttempts: 1,
            retryDelayMs: 900,
            jobFunction: (payload: { path: string }) => countFile(payload.path),
        }),

        // The orchestrator defers one each second.
        heartbeat: new JobDefinition({
            config,
            name: "heartbeat",
            repeatIntervalMs: REPEAT_INTERVAL_MS,
            jobFunction: (_payload: {}) => ({ memoryMb: Math.round(process.memoryUsage.rss() / 1e6) }),
        }),

        // Deferred with dependencies, so it starts when the last file is counted.
        report: new JobDefinition({
            config,
            name: "report",
            jobFunction: async (payload: { jobIDs: number[] }) => {
                const rows = await database.query<{ result: FileFacts }>(
                    `select result from ${SCHEMA}.job_history where id = any($1::bigint[])`,
                    [payload.jobIDs],
                )
                print(reportLines(rows.map((row) => row.result)))
            },
        }),
    }
}
