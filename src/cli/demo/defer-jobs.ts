import { DELAY_MS, type Jobs } from "./definitions.ts"
import { findFiles } from "./files.ts"
import type { Progress } from "./progress.ts"

/** About so many digests are published: at four a second, a few seconds' work. */
const NUM_DIGESTS = 16

/** Puts the demo's jobs into the queue. No worker is running yet: they wait in the database. */
export async function deferJobs(params: {
    jobs: Jobs
    progress: Progress
}): Promise<{ numJobs: number; tookMs: number }> {
    const { jobs, progress } = params
    const paths = await findFiles()
    const every = Math.ceil(paths.length / NUM_DIGESTS)
    const startMs = performance.now()

    const fileIDs = await jobs.countFile.deferMany(paths.map((path) => ({ payload: { path } })))
    const reportID = await jobs.report.defer({ payload: { jobIDs: fileIDs }, dependencies: fileIDs })

    // The digest of a file is published when the file has been counted.
    const digests = paths.flatMap((path, i) => {
        const fileID = fileIDs[i]
        return i % every === 0 && fileID !== undefined ? [{ payload: { path }, dependencies: [fileID] }] : []
    })
    const digestIDs = await jobs.publishDigest.deferMany(digests)

    const flakyID = await jobs.flakyUpload.defer({ payload: { path: "README.md" } })
    const doomedID = await jobs.doomedRead.defer({ payload: { path: "docs/there-is-no-such-file.md" } })
    const reminderID = await jobs.reminder.defer({
        payload: { text: `it is ${DELAY_MS / 1_000} seconds later` },
        delayMs: DELAY_MS,
    })

    progress.expect(jobs.countFile.name, fileIDs)
    progress.expect(jobs.report.name, [reportID])
    progress.expect(jobs.publishDigest.name, digestIDs)
    progress.expect(jobs.flakyUpload.name, [flakyID])
    progress.expect(jobs.doomedRead.name, [doomedID])
    progress.expect(jobs.reminder.name, [reminderID])
    return { numJobs: progress.numExpected, tookMs: performance.now() - startMs }
}
