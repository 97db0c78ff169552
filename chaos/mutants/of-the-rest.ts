import type { Mutant } from "./mutant.ts"

/** Guards of deferring, of the orchestrator's chores, and of connections. */
export const OTHER_MUTANTS: readonly Mutant[] = [
    {
        name: "insert-repeated",
        about: "A statement whose answer was lost is sent again, though it may have been done.",
        caughtBy: ["I2"],
        file: "db/database.ts",
        find: "if (!wasRolledBack(error) || tries === MAX_ROLLBACKS) throw error",
        replace: `const isLost = error instanceof Error && /terminated|ECONNRESET/.test(error.message)
            if (!(wasRolledBack(error) || isLost) || tries === MAX_ROLLBACKS) throw error`,
        faults: ["lose-answers-to-insert"],
    },
    {
        name: "key-freed-early",
        about: "A key is free as soon as a worker has taken the job that has it.",
        caughtBy: ["I33"],
        file: "statements/insert-unique-jobs.ts",
        find: "when 'unfinalized' then coalesce(job.state not in ('unmet', 'exhausted'), false)",
        replace: "when 'unfinalized' then coalesce(job.claimed_at is null, false)",
        faults: ["kill-worker"],
    },
    {
        name: "completed-outside",
        about: "A job function's completion is written at once, and not in its transaction.",
        caughtBy: ["I16"],
        file: "work/settler.ts",
        find: "return completeWithin({ ...params, schema: this.#core.schema, worker: this.#worker, ring })",
        replace: `const jobs = [{ ...params.job, result: params.result, error: null }]
        const how = { outcome: "succeeded", reason: null, worker: this.#worker, ring } as const
        return finalize({ core: this.#core, jobs, ...how }).then(() => [])`,
        faults: ["kill-worker"],
    },
    {
        name: "tick-unlocked",
        about: "Orchestrators read which definitions are due without locking them.",
        caughtBy: ["I12"],
        file: "statements/repeat-jobs.ts",
        find: `    order by id
    for update skip locked
), missed`,
        replace: `    order by id
), missed`,
        faults: ["kill-worker", "latency"],
    },
    {
        name: "tick-drifts",
        about: "The next tick is an interval after the last job rather than on the grid.",
        caughtBy: ["I12"],
        file: "statements/repeat-jobs.ts",
        find: "next_repeat_at + (last_nth + 1::double precision) * interval_ms * interval '1 ms' as at",
        replace: "statement_timestamp() + interval_ms * interval '1 ms' as at",
        faults: ["kill-worker"],
    },
    {
        name: "history-emptied-early",
        about: "Parts of history are emptied as soon as they are sealed.",
        caughtBy: ["I13"],
        file: "statements/history-rings.ts",
        find: "history_ring)\n    and sealed_at < clock_timestamp() - $1::double precision * interval '1 ms'",
        replace: "history_ring)\n    and $1::double precision is not null",
        faults: ["kill-worker"],
    },
    {
        name: "kept-as-others",
        about: "What definitions say of how long their jobs are to be kept is not asked when history is swept.",
        caughtBy: ["I13"],
        file: "chores/sweep-history.ts",
        find: "if (spanMs === undefined) return ring.id",
        replace: "if (spanMs !== null) return ring.id",
        faults: ["kill-worker"],
    },
    {
        name: "nothing-kept-anyway",
        about: "Jobs that are not to be kept are kept as long as the others of their ring.",
        caughtBy: ["I14"],
        file: "statements/history-rings.ts",
        find: "if (keepMs === 0) return null",
        replace: "if (keepMs === 0) return FIRST_SPAN_RING",
        faults: ["kill-worker"],
    },
    {
        name: "letter-kept",
        about: "A replay leaves the dead letter where it is, so the next one makes a job of it again.",
        caughtBy: ["I35"],
        file: "statements/replay-jobs.ts",
        find: `    delete from \${schema}.job_history
    using letter
    join definition on definition.id = letter.definition_id
    where job_history.id = letter.id and job_history.slot = letter.slot and job_history.outcome = 'failed'
    returning job_history.*, letter.turn`,
        replace: `    select job_history.*, letter.turn
    from \${schema}.job_history
    join letter on letter.id = job_history.id
    join definition on definition.id = letter.definition_id
    where job_history.outcome = 'failed'`,
        faults: ["kill-worker"],
    },
    {
        name: "expired-early",
        about: "The orchestrator ends jobs a minute before they time out.",
        caughtBy: ["I15"],
        file: "statements/select-doomed-jobs.ts",
        find: "< clock_timestamp() - case when chunk.state",
        replace: "< clock_timestamp() + interval '1 minute' - case when chunk.state",
        faults: ["kill-worker"],
    },
    {
        name: "rollback-left-out",
        about: "A transaction that fails goes back to the pool with its connection.",
        caughtBy: ["I21"],
        file: "db/pg-driver.ts",
        find: `await run("rollback", []).catch(ignore)`,
        replace: "void run",
        faults: ["cancel-statements", "statement-timeout", "rows-locked"],
    },
    {
        name: "pool-errors-unheard",
        about: "Nobody listens to the errors of idle connections, so one that is cut ends the process.",
        caughtBy: ["I19"],
        file: "db/pg-driver.ts",
        find: `pool.on("error", ignore)`,
        replace: "void pool",
        faults: ["terminate-sessions", "server-restart"],
    },
]
