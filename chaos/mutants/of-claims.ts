import type { Mutant } from "./mutant.ts"

/** Guards of claims: leases, limits, due times, attempts, slots. */
export const CLAIM_MUTANTS: readonly Mutant[] = [
    {
        name: "claims-paused",
        about: "Claims do not look at what is paused.",
        caughtBy: ["I24"],
        file: "statements/claim-jobs.ts",
        find: `and definition_id <> all(\${pausedDefinitions(schema)})`,
        replace: `and \${pausedDefinitions(schema)} is not null`,
        faults: ["kill-worker"],
    },
    {
        name: "claims-by-turns",
        about: "Claims go through the lanes whatever their priority, those of other priorities last.",
        caughtBy: ["I32"],
        file: "statements/claim-jobs.ts",
        find: "order by priority, is_late, turn",
        replace: "order by abs(priority), is_late, turn",
        faults: ["kill-worker"],
    },
    {
        name: "claims-paused-keys",
        about: "Claims find no key of a lane paused.",
        caughtBy: ["I24"],
        file: "statements/paused-keys.ts",
        find: "where asked.name_with_paused_keys is not null",
        replace: "where asked.name_with_paused_keys is null",
        faults: ["kill-worker"],
    },
    {
        name: "cancels-by-halves",
        about: "A job that waits stays ready when it is cancelled, until it is finalized.",
        caughtBy: ["I23"],
        file: "statements/cancel-jobs.ts",
        find: "then 'running' else 'exhausted' end",
        replace: "then 'running' else 'ready' end",
        faults: ["lose-answers-to-any", "terminate-sessions"],
    },
    {
        name: "attempt-not-charged",
        about: "A claim does not count the attempt, so what always fails is attempted for ever.",
        caughtBy: ["I7"],
        file: "statements/claim-jobs.ts",
        find: "attempt = job.attempt + 1",
        replace: "attempt = greatest(job.attempt, 1)",
        faults: ["kill-worker"],
    },
    {
        name: "lease-revoked-early",
        about: "Leases are revoked whether or not they have lapsed.",
        caughtBy: ["I4"],
        file: "statements/leases.ts",
        find: `    where revoked_by is null and expires_at < clock_timestamp()
    order by id
    for update skip locked
) and revoked_by is null and expires_at < clock_timestamp()`,
        replace: `    where revoked_by is null
    order by id
    for update skip locked
) and revoked_by is null`,
        faults: ["kill-worker"],
    },
    {
        name: "lease-not-renewed",
        about: "Renewing writes nothing new, so leases lapse under workers that live.",
        caughtBy: ["I4"],
        file: "statements/leases.ts",
        find: `update \${schema}.lease
set expires_at = clock_timestamp() + interval_ms * interval '1 ms'`,
        replace: `update \${schema}.lease
set expires_at = expires_at`,
        faults: ["kill-worker"],
    },
    {
        name: "lost-claim-kept",
        about: "After a claim whose answer was lost its lease is renewed on, with jobs that nobody runs.",
        caughtBy: ["I18", "I1"],
        file: "work/claimer.ts",
        find: "if (!wasRefused(error)) this.#leases.abandon()",
        replace: "if (!wasRefused(error)) void this.#leases",
        faults: ["lose-answers-to-claim"],
    },
    {
        name: "release-unwritten",
        about: "A release does not say when the next one is due.",
        caughtBy: ["I9"],
        file: "statements/claim-limited-jobs.ts",
        find: "set next_release_at = picked.released_at + definition.release_interval_ms * interval '1 ms'",
        replace: "set next_release_at = definition.next_release_at",
        faults: ["kill-worker"],
    },
    {
        name: "promoted-early",
        about: "When one delayed job is due, those that are due within the minute are made ready with it.",
        caughtBy: ["I3"],
        file: "statements/promote-delayed-jobs.ts",
        find: "due_at <= (select clock_timestamp())",
        replace: "due_at <= (select clock_timestamp() + interval '1 minute')",
        faults: ["kill-worker"],
    },
    {
        name: "slots-exceeded",
        about: "A worker has four slots more than its concurrency.",
        caughtBy: ["I10"],
        file: "work/run-pool.ts",
        find: "this.#concurrency = params.concurrency",
        replace: "this.#concurrency = params.concurrency + 4",
        faults: ["kill-worker", "stall"],
    },
    {
        name: "claims-while-stopping",
        about: "A worker that is asked to stop goes on for a second and a half.",
        caughtBy: ["I20"],
        file: "work/session.ts",
        find: `        this.#isStopping = true
        this.#lookout.stop()`,
        replace: `        setTimeout(() => {
            this.#isStopping = true
            this.#endIfDone()
        }, 1_500)
        this.#lookout.stop()`,
        faults: ["terminate-process"],
    },
]
