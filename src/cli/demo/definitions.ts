import { type Config, type Inspector, JobDefinition } from "../../index.ts"
import { countFile, digestFile, type FileFacts } from "./files.ts"

/** The pace of `publish-digest`. */
export const RELEASE_INTERVAL_MS = 250

/** The pace of `heartbeat`. */
export const REPEAT_INTERVAL_MS = 1_000

/** After how long `reminder` is due. */
export const DELAY_MS = 3_000

/** How often `flaky-upload` fails before it succeeds. */
const NUM_OUTAGES = 2

/** How many jobs the report looks up at the same time. */
const NUM_LOOKS = 4

export type Jobs = ReturnType<typeof defineJobs>

/** Every kind of job that the demo has. */
export function defineJobs(params: {
    config: Config
    inspector: Inspector
    onReport: (files: FileFacts[]) => void
}) {
    const { config, inspector, onReport } = params
    return {
        ...defineFileJobs(config),
        ...defineTimedJobs(config),

        // Deferred with dependencies, so it starts when the last file is counted.
        report: new JobDefinition({
            config,
            name: "report",
            jobFunction: async (payload: { jobIDs: number[] }) => {
                const files = await resultsOf(inspector, payload.jobIDs)
                onReport(files)
                return { numFiles: files.length }
            },
        }),
    }
}

function defineFileJobs(config: Config) {
    return {
        // What a job function returns is kept as the job's result.
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
    }
}

function defineTimedJobs(config: Config) {
    return {
        // Deferred with a delay.
        reminder: new JobDefinition({
            config,
            name: "reminder",
            jobFunction: ({ text }: { text: string }, context) => context.log(text),
        }),

        // The orchestrator defers one each second.
        heartbeat: new JobDefinition({
            config,
            name: "heartbeat",
            repeatIntervalMs: REPEAT_INTERVAL_MS,
            jobFunction: (_payload: {}) => ({ memoryMb: Math.round(process.memoryUsage.rss() / 1e6) }),
        }),
    }
}

/** What the jobs for files have found out, as it is on record. */
async function resultsOf(inspector: Inspector, jobIDs: readonly number[]): Promise<FileFacts[]> {
    const left = [...jobIDs]
    const files: FileFacts[] = []
    const look = async () => {
        for (let id = left.pop(); id !== undefined; id = left.pop()) {
            const job = await inspector.job(id)
            if (job !== null) files.push(job.result as FileFacts)
        }
    }
    await Promise.all(Array.from({ length: NUM_LOOKS }, look))
    return files
}
