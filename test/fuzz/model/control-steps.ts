import fc from "fast-check"
import { expect } from "vitest"
import { pick, type Step, step } from "./step.ts"

const NAME = fc.constantFrom("once", "twice", "often")

/** A job of any state, or one that runs. */
const cancel = fc.tuple(fc.nat(20), fc.boolean()).map(([number, isRunning]) =>
    step(`${isRunning ? "running" : "any"} job ${number} is cancelled`, {
        run: async ({ oracle, world }) => {
            const running = oracle.live.filter(({ state }) => state === "running")
            const job = pick(isRunning && running.length > 0 ? running : [...oracle.jobs.values()], number)
            if (job === undefined) return
            const result = oracle.cancel(job.id)
            expect(await world.config.jobs.cancel(job.id)).toBe(result)
            if (result === "cancelled") oracle.endCancelled([job])
        },
    }),
)

class RolledBack extends Error {}

/** Several in a transaction of the caller's own, which finalizes none of them. */
const cancelInTransaction = fc
    .tuple(fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([numbers, isCommitted]) =>
        step(
            `in a transaction that ${isCommitted ? "commits" : "rolls back"} jobs ${numbers} are cancelled`,
            {
                run: async ({ oracle, world }) => {
                    const picked = numbers.map((number) => pick([...oracle.jobs.keys()], number))
                    const ids = [...new Set(picked.filter((id) => id !== undefined))]
                    let results: unknown
                    const work = world.transaction(async (client) => {
                        results = await world.config.jobs.cancelMany(ids, { client })
                        if (!isCommitted) throw new RolledBack()
                    })
                    if (!isCommitted) return void (await expect(work).rejects.toThrow(RolledBack))
                    await work
                    expect(results).toEqual(ids.map((id) => oracle.cancel(id)))
                },
            },
        ),
    )

/** Those that have gone silent know no better than to ask as well. */
const heed = fc.nat(5).map((number) =>
    step(`worker ${number} asks what is to be cancelled`, {
        run: async ({ oracle, world }) => {
            const worker = pick(world.workers, number)
            if (worker === undefined) return
            const claims = [...worker.runs].map(({ job }) => ({ ...job, worker: worker.worker }))
            await worker.heed()
            for (const claim of claims) oracle.heed(claim)
        },
    }),
)

const pause = fc.tuple(NAME, fc.boolean()).map(([definition, isPaused]) =>
    step(`${definition} is ${isPaused ? "paused" : "resumed"}`, {
        run: async ({ oracle, world }) => {
            if (isPaused) await world.config.pause({ definition })
            else expect(await world.config.resume({ definition })).toBe(oracle.paused.has(definition))
            if (isPaused) oracle.paused.add(definition)
            else oracle.paused.delete(definition)
        },
    }),
)

export const controlSteps: fc.Arbitrary<Step>[] = [
    cancel,
    cancel,
    cancelInTransaction,
    heed,
    heed,
    pause,
    pause,
]
