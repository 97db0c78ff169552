import type { Mutant } from "./mutant.ts"

/** Guards of gated definitions: what runs, what was released, what has begun. */
export const LIMIT_MUTANTS: readonly Mutant[] = [
    {
        name: "crowd-uncounted",
        about: "What runs of a key is not counted.",
        caughtBy: ["I11"],
        file: "statements/claim-gated-jobs.ts",
        find: `                limit asked.max_running
            ) as busy
        ) end as room
        offset 0`,
        replace: `                limit 0
            ) as busy
        ) end as room
        offset 0`,
        faults: ["kill-worker"],
    },
    {
        name: "releases-forgotten",
        about: "What was released of a key within the window is not counted.",
        caughtBy: ["I30"],
        file: "statements/gate-rules.ts",
        find: "where past.released_at > clock_timestamp() -",
        replace: "where past.released_at > clock_timestamp() +",
        faults: ["kill-worker"],
    },
    {
        name: "order-broken",
        about: "A job that has begun does not hold its group.",
        caughtBy: ["I31"],
        file: "statements/claim-gated-jobs.ts",
        find: "and not (asked.is_ordered and exists (",
        replace: "and not (false and exists (",
        faults: ["kill-worker"],
    },
]
