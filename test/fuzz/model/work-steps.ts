import fc from "fast-check"
import { expect } from "vitest"
import { coreOf } from "../../../src/config.ts"
import { reclaimLapsed } from "../../../src/recover.ts"
import { compare } from "./compare.ts"
import type { ModelJob, Oracle } from "./oracle.ts"
import { pick, type Sides, type Step, step } from "./step.ts"
import type { SteppedRun, SteppedWorker } from "./stepped-worker.ts"
import { Failure, HOUR_MS, type World } from "./world.ts"

const NAMES = ["once", "twice", "often"]

const startWorker = fc.constant(
    step("start a worker", {
        run: async ({ world }) => {
            world.startWorker()
        },
    }),
)

/** A claim brings as many as there are, smaller priorities first, and of each lane those that stand first. */
const claim = fc
    .record({
        worker: fc.nat(5),
        limit: fc.integer({ min: 1, max: 4 }),
        names: fc.subarray(NAMES, { minLength: 1 }),
    })
    .map(({ worker: number, limit, names }) =>
        step(`worker ${number} claims ${limit} of ${names.join(" ")}`, {
            run: async ({ oracle, world }) => {
                if (world.awake.length === 0) world.startWorker()
                const worker = pick(world.awake, number)
                if (worker === undefined) return
                await claimWith({ oracle, world }, { worker, names, limit })
            },
        }),
    )

async function claimWith(
    { oracle, world }: Sides,
    { worker, names, limit }: { worker: SteppedWorker; names: readonly string[]; limit: number },
): Promise<void> {
    const claimed = await worker.claim(world.known(names), limit)
    const ready = readyOf(oracle, names)
    expect(
        claimed.map(({ priority }) => priority),
        "the priorities claimed",
    ).toEqual(ready.map(({ priority }) => priority).slice(0, limit))
    for (const lane of lanesOf(ready)) {
        const taken = claimed.map(({ id }) => id).filter((id) => lane.includes(id))
        expect(taken, "the jobs claimed of a lane").toEqual(lane.slice(0, taken.length))
    }
    for (const { id } of claimed) oracle.claim({ id, worker: worker.worker })
}

function readyOf(oracle: Oracle, names: readonly string[]): ModelJob[] {
    return oracle.live
        .filter(
            (job) =>
                names.includes(job.definition) && !oracle.paused.has(job.definition) && job.state === "ready",
        )
        .sort((a, b) => a.priority - b.priority || a.position - b.position)
}

/** The ids of ready jobs, by definition and priority. */
function lanesOf(ready: readonly ModelJob[]): number[][] {
    const lanes = new Map<string, number[]>()
    for (const { id, definition, priority } of ready) {
        const key = `${definition} ${priority}`
        lanes.set(key, [...(lanes.get(key) ?? []), id])
    }
    return [...lanes.values()]
}

function claimOf({ job, worker }: SteppedRun) {
    return { id: job.id, token: job.token, attempt: job.attempt, worker: worker.worker }
}

/** Runs of silent workers too: whoever is late changes nothing, unless nobody else has the job. */
const whichRun = fc.record({ number: fc.nat(10), isLate: fc.boolean() })

function pickRun(
    world: World,
    { number, isLate }: { number: number; isLate: boolean },
): SteppedRun | undefined {
    const runs = world.runs.filter(({ worker }) => worker.isSilent === isLate)
    return pick(runs.length > 0 ? runs : world.runs, number)
}

function showRun({ number, isLate }: { number: number; isLate: boolean }): string {
    return isLate ? `late run ${number}` : `run ${number}`
}

type Ending = "returns" | "throws" | "throws, to wait" | "is handed back"

const ENDINGS: readonly Ending[] = ["returns", "throws", "throws, to wait", "is handed back"]

async function endRun({ oracle }: Sides, run: SteppedRun, ending: Ending): Promise<void> {
    const claim = claimOf(run)
    if (ending === "returns") {
        const result = `of claim ${claim.token}`
        await run.end({ returns: result })
        return oracle.succeed(claim, result)
    }
    if (ending === "is handed back") {
        await run.worker.giveBack(run)
        return oracle.giveBack(claim)
    }
    const isFar = ending === "throws, to wait"
    await run.end({ throws: new Failure(isFar ? HOUR_MS : 0) })
    oracle.fail(claim, { isFar })
}

const end = fc.tuple(whichRun, fc.constantFrom(...ENDINGS)).map(([which, ending]) =>
    step(`${showRun(which)} ${ending}`, {
        run: async (sides) => {
            const run = pickRun(sides.world, which)
            if (run !== undefined) await endRun(sides, run, ending)
        },
    }),
)

const stopWorker = fc.nat(5).map((number) =>
    step(`worker ${number} stops`, {
        run: async ({ oracle, world }) => {
            const worker = pick(world.workers, number)
            if (worker === undefined) return
            for (const run of worker.runs) oracle.giveBack(claimOf(run))
            await world.stop(worker)
        },
    }),
)

/** Its leases lapse: nobody can tell that from a crash. */
const crash = fc.nat(5).map((number) =>
    step(`worker ${number} goes silent`, {
        run: async ({ oracle, world }) => {
            const worker = pick(world.awake, number)
            if (worker === undefined) return
            await world.lapse(worker)
            oracle.lapse(worker.worker)
        },
    }),
)

/** Another worker takes what it had, and more; then what was silent is late. */
const takeOver = fc.tuple(fc.nat(10), fc.constantFrom(undefined, ...ENDINGS)).map(([number, ending]) =>
    step(`the worker of run ${number} goes silent, and another takes over; the run ${ending ?? "goes on"}`, {
        run: async ({ oracle, world }) => {
            const late = pickRun(world, { number, isLate: false })
            if (late === undefined) return
            await world.lapse(late.worker)
            oracle.lapse(late.worker.worker)
            await reclaimLapsed(coreOf(world.config))
            oracle.reclaim()
            // Tells the places of what came back, for the order of the claim.
            await compare(oracle, world)
            await claimWith({ oracle, world }, { worker: world.startWorker(), names: NAMES, limit: 10 })
            if (ending !== undefined) await endRun({ oracle, world }, late, ending)
        },
    }),
)

export const workSteps: fc.Arbitrary<Step>[] = [
    startWorker,
    claim,
    claim,
    claim,
    end,
    end,
    end,
    end,
    stopWorker,
    crash,
    takeOver,
]
