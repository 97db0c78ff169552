import fc from "fast-check"
import { describe, it } from "vitest"
import { Worker } from "../../src/index.ts"
import { fuzz } from "../support/fuzz.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"
import { compare } from "./model/compare.ts"
import { controlSteps } from "./model/control-steps.ts"
import { deferSteps } from "./model/defer-steps.ts"
import { operateSteps } from "./model/operate-steps.ts"
import { Oracle } from "./model/oracle.ts"
import { timeSteps } from "./model/time-steps.ts"
import { workSteps } from "./model/work-steps.ts"
import { DRAINED, World } from "./model/world.ts"

const MAX_STEPS = 60

const steps = fc.commands([...deferSteps, ...workSteps, ...timeSteps, ...controlSteps, ...operateSteps], {
    maxCommands: MAX_STEPS,
    size: "max",
})

/** Whatever the workers left lying is taken up by a real one, until only what cannot run yet is left. */
async function drain(oracle: Oracle, world: World): Promise<void> {
    for (const worker of world.awake) {
        await world.lapse(worker)
        oracle.lapse(worker.worker)
    }
    for (const definition of oracle.paused) await world.config.resume({ definition })
    oracle.paused.clear()
    oracle.drain({ worker: "real", result: DRAINED })
    // It vouches for its definitions.
    oracle.vouch()
    await using _worker = new Worker({
        config: world.config,
        name: "real",
        concurrency: 4,
        processIntervalMs: 50,
    })
    await eventuallyEqual(oracle, world)
}

/** Waits until the two sides are equal; when they never are, throws what is different. */
async function eventuallyEqual(oracle: Oracle, world: World): Promise<void> {
    let difference: unknown
    await eventually(async () => {
        difference = await compare(oracle, world, { isDrained: true }).then(
            () => undefined,
            (error: unknown) => error,
        )
        return difference === undefined
    }).catch(() => {
        throw difference
    })
}

describe("the life of jobs", () => {
    it("is what the model says, step by step, and after a worker has run the rest", async () => {
        const queue = await makeQueue()
        await fuzz([steps], async (commands) => {
            const oracle = new Oracle()
            const world = await World.begin(queue, oracle)
            try {
                await fc.asyncModelRun(() => ({ model: oracle, real: world }), commands)
                await drain(oracle, world)
                await compare(oracle, world, { isDrained: true })
            } finally {
                await world.end()
            }
        })
    })
})
