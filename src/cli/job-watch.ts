import type { ListedJob } from "../index.ts"

/** How many jobs are remembered. */
const MAX_SEEN = 5_000

/** Tells of the jobs in lists that come one after the other which ones are new, or have changed. */
export class JobWatch {
    readonly #seen = new Map<number, string>()

    /** Those of a list that are new or have changed, in the order of their ids. */
    changed(jobs: readonly ListedJob[]): ListedJob[] {
        return this.#look(jobs, () => true)
    }

    /** Of a list of which none may have been seen before: those that were, and have changed. */
    changedOfKnown(jobs: readonly ListedJob[]): ListedJob[] {
        return this.#look(jobs, (before) => before !== undefined)
    }

    /** Whether one of a list was seen before. */
    knowsAny(jobs: readonly ListedJob[]): boolean {
        return jobs.some(({ jobID }) => this.#seen.has(jobID))
    }

    #look(jobs: readonly ListedJob[], isTold: (before: string | undefined) => boolean): ListedJob[] {
        const told = [...jobs]
            .sort((a, b) => a.jobID - b.jobID)
            .filter((job) => {
                const before = this.#seen.get(job.jobID)
                const now = JSON.stringify([
                    job.state,
                    job.numAttemptsUsed,
                    job.isCancelRequested,
                    job.errorMessage,
                ])
                // Behind all others, so that those that are still listed are forgotten last.
                this.#seen.delete(job.jobID)
                this.#seen.set(job.jobID, now)
                return now !== before && isTold(before)
            })
        for (const id of this.#seen.keys()) {
            if (this.#seen.size <= MAX_SEEN) break
            this.#seen.delete(id)
        }
        return told
    }
}
