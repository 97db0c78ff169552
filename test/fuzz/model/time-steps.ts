import fc from "fast-check"
import { expireJobs } from "../../../src/chores/expire-jobs.ts"
import { heartbeat } from "../../../src/chores/heartbeat.ts"
import { recoverJobs } from "../../../src/chores/recover-jobs.ts"
import { sweepDefinitions } from "../../../src/chores/sweep-definitions.ts"
import { sweepHistory } from "../../../src/chores/sweep-history.ts"
import { coreOf } from "../../../src/config.ts"
import { finalizeDoomed } from "../../../src/finalize.ts"
import { reclaimLapsed } from "../../../src/recover.ts"
import { promoteDelayedJobs } from "../../../src/statements/promote-delayed-jobs.ts"
import { compare } from "./compare.ts"
import { pick, type Step, step } from "./step.ts"
import { HOUR_MS, type World } from "./world.ts"

const FAR_AWAY_MS = 1_000 * HOUR_MS

/** What a worker sees to when it looks around. */
const look = fc.constant(
    step("a worker looks around", {
        run: async ({ oracle, world }) => {
            const core = coreOf(world.config)
            await reclaimLapsed(core)
            await finalizeDoomed({ core, onFinalized: () => undefined })
            await promoteDelayedJobs({ run: core.run, schema: core.schema, limit: 1_000 })
            oracle.reclaim()
            oracle.endDoomed()
            oracle.promote()
        },
    }),
)

/** The duties of an orchestrator in their order. Nothing is old enough to be swept. */
const orchestrate = fc.constant(
    step("an orchestrator passes", {
        run: async ({ oracle, world }) => {
            for (const chore of [
                heartbeat(HOUR_MS),
                recoverJobs(),
                expireJobs(HOUR_MS),
                sweepHistory({
                    cleanIntervalMs: HOUR_MS,
                    thresholdMs: FAR_AWAY_MS,
                    failedThresholdMs: FAR_AWAY_MS,
                }),
                sweep(),
            ])
                await chore.run({ core: coreOf(world.config), emit: () => undefined })
            oracle.vouch()
            oracle.reclaim()
            oracle.endDoomed()
            oracle.endExpired()
        },
    }),
)

function sweep() {
    return sweepDefinitions({
        cleanIntervalMs: HOUR_MS,
        staleThresholdMs: HOUR_MS,
        historyThresholdMs: FAR_AWAY_MS,
    })
}

async function setPast(world: World, column: "due_at" | "expires_at", id: number): Promise<void> {
    const { sql, schema } = world.queue
    await sql.query(`update ${schema}.job set ${column} = clock_timestamp() - interval '1 h' where id = $1`, [
        id,
    ])
}

/** Later, whoever looks will find it due. */
const becomeDue = fc.nat(20).map((number) =>
    step(`the delay of delayed or blocked job ${number} passes`, {
        run: async ({ oracle, world }) => {
            const waiting = oracle.live.filter(({ isFar, state }) => isFar && state !== "running")
            const job = pick(waiting, number)
            if (job === undefined) return
            await setPast(world, "due_at", job.id)
            job.isFar = false
        },
    }),
)

/** Nobody need look at once, and a worker may be faster than the orchestrator. */
const timeOut = fc.tuple(fc.nat(20), fc.boolean()).map(([number, isRunning]) =>
    step(`the timeout of ${isRunning ? "running" : "live"} job ${number} passes`, {
        run: async ({ oracle, world }) => {
            const running = oracle.live.filter(({ state }) => state === "running")
            const job = pick(isRunning && running.length > 0 ? running : oracle.live, number)
            if (job === undefined) return
            await setPast(world, "expires_at", job.id)
            job.isExpired = true
        },
    }),
)

/** No daemon has vouched for a definition for long, and an orchestrator that does not know it sweeps. */
const retire = fc.tuple(fc.constantFrom("once", "twice", "often"), fc.boolean()).map(([name, isMissed]) =>
    step(`the definition ${name} goes stale${isMissed ? ", and a job of it is deferred" : ""}`, {
        run: async ({ oracle, world }) => {
            const { sql, schema } = world.queue
            await sql.query(
                `update ${schema}.job_definition set heartbeat_at = clock_timestamp() - interval '2 h' where name = $1`,
                [name],
            )
            await sweep().run({ core: coreOf(world.config), emit: () => undefined })
            oracle.definition(name).isStale = true
            oracle.sweepDefinitions()
            if (!isMissed) return
            await compare(oracle, world)
            const id = await world.definition(name).defer({ payload: world.payload() })
            oracle.add({ id, definition: name, dependencies: [], isFar: false, priority: null })
        },
    }),
)

const deploy = fc.tuple(fc.constantFrom("once", "twice", "often"), fc.nat(3)).map(([name, numAttempts]) =>
    step(`a new release gives ${name} ${numAttempts} attempts more, and priority ${numAttempts - 1}`, {
        run: async ({ oracle, world }) => {
            Object.assign(oracle.definition(name), { numAttempts, priority: numAttempts - 1 })
            oracle.vouch()
            await world.deploy(oracle)
        },
    }),
)

export const timeSteps: fc.Arbitrary<Step>[] = [
    look,
    look,
    orchestrate,
    orchestrate,
    becomeDue,
    timeOut,
    retire,
    retire,
    deploy,
]
