import type { Config, Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { lacksPrivilege, wasTooLong } from "../db/failure.ts"
import { DatabaseError } from "../errors.ts"
import { checkHorizon } from "../statements/check-horizon.ts"
import { checkQueue } from "../statements/check-queue.ts"
import { checkServer, type ServerFacts } from "../statements/check-server.ts"
import { checkTables } from "../statements/check-tables.ts"
import { countJobs } from "../statements/count-jobs.ts"
import { selectDaemons } from "../statements/daemons.ts"
import { lookOn } from "../statements/look-on.ts"
import { toCounts } from "./counts.ts"
import { type Check, type CheckName, type Diagnosis, type Finding, skipped, worstOf } from "./diagnosis.ts"
import { hearOneself } from "./hear-oneself.ts"
import { GRACE_MS, judgeJobs, judgeLeases, judgeOrchestrators, type QueueFacts } from "./judge-queue.ts"
import {
    judgeClock,
    judgeConnections,
    judgeDurability,
    judgeRole,
    judgeTimeouts,
    judgeVersion,
} from "./judge-server.ts"
import { judgeAutovacuum, judgeDrift, judgeHorizon, judgeJobTable, judgeMigrations } from "./judge-tables.ts"

/** Enough to know which definitions have jobs, and few enough to be counted at once. */
const BOUNDS = { numReady: 4_000, numOthers: 1_000, numEdges: 500 }

/** Facts, or why they could not be had. */
type Had<Facts> = { facts: Facts } | { lack: string }

/**
 * Checks a queue and its server. Each check stands alone: one that cannot be made is skipped. What takes longest goes on side
 * by side, on two connections of the pool and the one that listens: the server's clock is read before, while nothing else
 * is asked.
 */
export async function diagnose(params: { config: Config; core: Core }): Promise<Diagnosis> {
    const { config, core } = params
    const { database, schema } = core
    const server = await readServer(core)
    const migrations = await config.migrations()
    const isPrepared = migrations.every(({ isKnown, appliedAt }) => !isKnown || appliedAt !== null)
    const inSchema = <Facts>(read: (run: Run) => Promise<Facts>): Promise<Had<Facts>> =>
        isPrepared
            ? had(() => lookOn(database, read))
            : Promise.resolve({ lack: "the schema is not prepared" })
    const inCatalogs = inSchema((run) => checkTables({ run, schema })).then(async (tables) => ({
        tables,
        horizon: await had(() => lookOn(database, (run) => checkHorizon({ run }))),
    }))
    const inQueue = inSchema((run) => readQueue(run, core))
    const heard = server.facts.isInRecovery
        ? Promise.resolve(skipped("a standby passes no notifications on"))
        : hearOneself(database)
    // Nothing goes on behind the back of who asked, also where one of them fails.
    await Promise.allSettled([inCatalogs, inQueue, heard])
    const { tables, horizon } = await inCatalogs
    const queue = await inQueue
    const findings: Record<CheckName, Finding> = {
        schema: judgeMigrations(migrations),
        drift: judged(tables, judgeDrift),
        "postgres-version": judgeVersion(server.facts),
        server: judgeRole(server.facts),
        autovacuum: judgeAutovacuum(server.facts, "facts" in tables ? tables.facts : null),
        durability: judgeDurability(server.facts),
        timeouts: judgeTimeouts(server.facts),
        connections: judgeConnections(server.facts),
        clock: judgeClock(server),
        "old-snapshots": judged(horizon, judgeHorizon),
        "job-table": judged(tables, judgeJobTable),
        listen: await heard,
        "stuck-jobs": judged(queue, judgeJobs),
        "lapsed-leases": judged(queue, judgeLeases),
        orchestrators: judged(queue, judgeOrchestrators),
    }
    const checks: Check[] = Object.entries(findings).map(([name, finding]) => ({
        name: name as CheckName,
        ...finding,
    }))
    return { at: new Date(), verdict: worstOf(checks), checks }
}

/** Not in a transaction of those who look on, which has timeouts of its own. Of two answers, the second comes on a warm connection. */
async function readServer({
    run,
}: Core): Promise<{ facts: ServerFacts; differenceMs: number; uncertaintyMs: number }> {
    await checkServer({ run })
    const sentMs = Date.now()
    const facts = await checkServer({ run })
    const answeredMs = Date.now()
    return {
        facts,
        differenceMs: facts.atMs - (sentMs + answeredMs) / 2,
        uncertaintyMs: (answeredMs - sentMs) / 2,
    }
}

async function readQueue(run: Run, { schema }: Core): Promise<QueueFacts> {
    return {
        counts: toCounts(await countJobs({ run, schema, bounds: BOUNDS }), BOUNDS),
        daemons: await selectDaemons({ run, schema, kind: null }),
        overdue: await checkQueue({ run, schema, graceMs: GRACE_MS }),
    }
}

async function had<Facts>(read: () => Promise<Facts>): Promise<Had<Facts>> {
    try {
        return { facts: await read() }
    } catch (error) {
        const cause = error instanceof DatabaseError ? error.cause : error
        if (lacksPrivilege(cause)) return { lack: "this role may not read what it takes" }
        if (wasTooLong(cause)) return { lack: "the server took too long to tell" }
        throw error
    }
}

function judged<Facts>(had: Had<Facts>, judge: (facts: Facts) => Finding): Finding {
    return "facts" in had ? judge(had.facts) : skipped(`not checked: ${had.lack}`)
}
