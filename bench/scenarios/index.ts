import { backlog } from "./backlog.ts"
import { bulkEnqueue } from "./bulk-enqueue.ts"
import { callers } from "./callers.ts"
import { control } from "./control.ts"
import { definitions } from "./definitions.ts"
import { drain } from "./drain.ts"
import { heldSnapshot } from "./held-snapshot.ts"
import { idleFleet } from "./idle-fleet.ts"
import { payloadSize } from "./payload-size.ts"
import { pickup } from "./pickup.ts"
import { processes } from "./processes.ts"
import type { Scenario } from "./scenario.ts"
import { shortJobs } from "./short-jobs.ts"
import { standingAhead } from "./standing-ahead.ts"
import { steady } from "./steady.ts"

/** All scenarios, by the name that the command line knows them by. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
    "bulk-enqueue": bulkEnqueue,
    callers,
    drain,
    processes,
    pickup,
    steady,
    "short-jobs": shortJobs,
    "payload-size": payloadSize,
    backlog,
    "standing-ahead": standingAhead,
    definitions,
    "held-snapshot": heldSnapshot,
    "idle-fleet": idleFleet,
    control,
}

/** What runs when no name is given. What control costs is about no rival, and would make it longer than 25 minutes. */
export const DEFAULT_NAMES: readonly string[] = Object.keys(SCENARIOS).filter((name) => name !== "control")

export function scenarioOf(name: string): Scenario {
    const scenario = SCENARIOS[name]
    if (scenario === undefined) {
        throw new Error(`there is no scenario ${name}; there are: ${Object.keys(SCENARIOS).join(", ")}`)
    }
    return scenario
}
