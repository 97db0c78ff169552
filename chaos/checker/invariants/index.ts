import type { Invariant } from "../invariant.ts"
import { attempts } from "./attempts.ts"
import { cancellation, pauses } from "./control.ts"
import { noLoss, noPhantom } from "./delivery.ts"
import { dependencies } from "./dependencies.ts"
import { effects } from "./effects.ts"
import { events } from "./events.ts"
import { fencing, leaseExclusion, nothingAfterTheEnd } from "./exclusion.ts"
import { hostSafety, hygiene } from "./host.ts"
import { crowd, order, rateWindow } from "./limits.ts"
import { liveness } from "./liveness.ts"
import { priority } from "./priority.ts"
import { recovery } from "./recovery.ts"
import { replay } from "./replay.ts"
import { retention, sweep } from "./retention.ts"
import { retryPolicy } from "./retry-policy.ts"
import { threads } from "./threads.ts"
import { timeouts } from "./timeouts.ts"
import { notEarly, rate, repeats } from "./timing.ts"
import { uniqueness } from "./uniqueness.ts"
import { concurrency, shutdown } from "./workers.ts"

/** Every promise, in the order of its number. */
export const INVARIANTS: readonly Invariant[] = [
    noLoss,
    noPhantom,
    notEarly,
    leaseExclusion,
    fencing,
    nothingAfterTheEnd,
    attempts,
    dependencies,
    rate,
    concurrency,
    crowd,
    repeats,
    sweep,
    retention,
    timeouts,
    effects,
    events,
    liveness,
    hostSafety,
    shutdown,
    hygiene,
    recovery,
    cancellation,
    pauses,
    threads,
    rateWindow,
    order,
    priority,
    uniqueness,
    retryPolicy,
    replay,
]
