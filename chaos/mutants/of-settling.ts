import type { Mutant } from "./mutant.ts"

/** Guards of what ends claims: fencing, honest outcomes, dependents. */
export const SETTLING_MUTANTS: readonly Mutant[] = [
    {
        name: "unfenced-finalize",
        about: "Finalizing does not ask for the token: a worker that was away ends a job that another one runs.",
        caughtBy: ["I5", "I6"],
        file: "statements/finalize-jobs.ts",
        find: `\${isOfClaim("settled")}`,
        replace: "job.id = settled.id",
        faults: ["suspend-worker"],
    },
    {
        name: "live-row-kept",
        about: "Finalizing copies a job to history and leaves it ready.",
        caughtBy: ["I6", "I5"],
        file: "statements/finalize-jobs.ts",
        find: `    delete from \${schema}.job
    using rows from (`,
        replace: `    update \${schema}.job
    set state = 'ready', lease_id = null
    from rows from (`,
        faults: ["kill-worker"],
    },
    {
        name: "snooze-charged",
        about: "A job that is put off has lost the attempt.",
        caughtBy: ["I34"],
        file: "statements/snooze-jobs.ts",
        find: "attempt = job.attempt - 1,",
        replace: "attempt = job.attempt,",
        faults: ["kill-worker"],
    },
    {
        name: "unretryable-retried",
        about: "What a job function throws so that it is not tried again is tried again.",
        caughtBy: ["I34"],
        file: "work/run-job.ts",
        find: "this.job.attempt > this.job.numAttempts || isUnretryable(error)",
        replace: "this.job.attempt > this.job.numAttempts && isUnretryable !== undefined",
        faults: ["kill-worker"],
    },
    {
        name: "failed-write-is-failure",
        about: "A success that cannot be recorded at once is retried as a failure of the handler.",
        caughtBy: ["I7"],
        file: "work/settler.ts",
        find: `})
                return [...now, ...before]`,
        replace: `}).catch(async () => {
                    const retries = jobs.map(({ id, token }) => ({ id, token, delayMs: 0, error: REFUSED_ERROR }))
                    const { run, schema } = this.#core
                    return {
                        now: new Set((await retryJobs({ run, schema, jobs: retries })).ids),
                        before: new Set<number>(),
                    }
                })
                return [...now, ...before]`,
        faults: ["cancel-statements", "terminate-sessions", "lock-timeout"],
    },
    {
        name: "first-parent-releases",
        about: "The first required job that succeeds releases a dependent, whatever else it waits for.",
        caughtBy: ["I8"],
        file: "statements/settle-dependents.ts",
        find: "when job.num_blockers > met.num_met then 'blocked'",
        replace: "when false then 'blocked'",
        faults: ["kill-worker"],
    },
    {
        name: "failures-release",
        about: "A required job that failed releases its dependents as one that succeeded does.",
        caughtBy: ["I8"],
        file: "finalize.ts",
        find: `outcome === "succeeded" ? releaseDependents : doomDependents`,
        replace: `outcome === "succeeded" || doomDependents.length > 0 ? releaseDependents : doomDependents`,
        faults: ["kill-worker"],
    },
    {
        name: "success-told-unrecorded",
        about: "A success is told though it was fenced.",
        caughtBy: ["I17"],
        file: "work/run-job.ts",
        find: `if (outcome === "recorded") onRecorded()
            else if (outcome === "lost") this.onLeaseLost()`,
        replace: `void outcome
            onRecorded()`,
        faults: ["suspend-worker"],
    },
]
