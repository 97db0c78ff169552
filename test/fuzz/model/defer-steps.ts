import fc from "fast-check"
import { expect } from "vitest"
import { DependencyNotFoundError } from "../../../src/index.ts"
import { compare } from "./compare.ts"
import type { Oracle } from "./oracle.ts"
import { pick, type Sides, type Step, step } from "./step.ts"
import { HOUR_MS } from "./world.ts"

/** When a job is due: at once in several ways, in a moment that has passed when anyone looks, or not by itself. */
const DUE = {
    now: {},
    past: { delayMs: 0 },
    moment: { delayMs: 0.001 },
    far: { delayMs: HOUR_MS },
} as const

interface Wish {
    definition: "once" | "twice" | "often"
    due: keyof typeof DUE
    /** Which jobs to depend on: an even number is of a live one, an odd one of any, whatever became of it. */
    dependencies: readonly number[]
    /** Null for that of the definition. */
    priority: number | null
}

const wish: fc.Arbitrary<Wish> = fc.record({
    definition: fc.constantFrom("once", "twice", "often"),
    due: fc.constantFrom("now", "now", "past", "moment", "far"),
    dependencies: fc.oneof(fc.constant([]), fc.array(fc.nat(19), { minLength: 1, maxLength: 3 })),
    priority: fc.constantFrom(null, null, null, 0, -1, 2, 3),
})

const wishes = fc.array(wish, { minLength: 1, maxLength: 4 })

function show({ definition, due, dependencies, priority }: Wish): string {
    return `${definition} ${due}${priority === null ? "" : ` at ${priority}`}${dependencies.length > 0 ? ` after ${dependencies.join(" ")}` : ""}`
}

/** `more` are jobs that the oracle does not know yet. */
function dependenciesOf({ dependencies }: Wish, oracle: Oracle, more: readonly number[] = []): number[] {
    const all = [...oracle.jobs.keys(), ...more]
    const live = [...oracle.live.map(({ id }) => id), ...more]
    return dependencies
        .map((number) => pick(number % 2 === 0 && live.length > 0 ? live : all, Math.floor(number / 2)))
        .filter((id) => id !== undefined)
}

function optionsOf(world: Sides["world"], job: Wish, dependencies: readonly number[]) {
    const priority = job.priority === null ? {} : { priority: job.priority }
    return { payload: world.payload(), dependencies, ...priority, ...DUE[job.due] }
}

/** Records a job in the oracle. A moment later a job in a `moment` is due, but stands delayed. */
function add({ oracle }: Sides, job: Wish, id: number, dependencies: readonly number[]): void {
    oracle.add({
        id,
        definition: job.definition,
        dependencies,
        priority: job.priority,
        isFar: job.due === "far" || job.due === "moment",
    })
    oracle.job(id).isFar = job.due === "far"
}

/** One after the other. */
const deferEach = wishes.map((jobs) =>
    step(`defer ${jobs.map(show).join(", then ")}`, {
        run: async (sides) => {
            const { oracle, world } = sides
            for (const job of jobs) {
                const dependencies = dependenciesOf(job, oracle)
                const id = await world.definition(job.definition).defer(optionsOf(world, job, dependencies))
                add(sides, job, id, dependencies)
            }
        },
    }),
)

/** At the same time, so that they share statements. */
const deferTogether = wishes.map((jobs) =>
    step(`defer at once ${jobs.map(show).join(", ")}`, {
        run: async (sides) => {
            const { oracle, world } = sides
            const deferred = await Promise.all(
                jobs.map(async (job) => {
                    const dependencies = dependenciesOf(job, oracle)
                    const options = optionsOf(world, job, dependencies)
                    const id = await world.definition(job.definition).defer(options)
                    return { job, id, dependencies }
                }),
            )
            for (const { job, id, dependencies } of deferred) add(sides, job, id, dependencies)
        },
    }),
)

/** All of one definition. */
const deferMany = wishes.map((jobs) =>
    step(`deferMany ${jobs.map(show).join(", ")}`, {
        run: async (sides) => {
            const { oracle, world } = sides
            const [first] = jobs
            if (first === undefined) return
            const same = jobs.map((job) => ({ ...job, definition: first.definition }))
            const dependencies = same.map((job) => dependenciesOf(job, oracle))
            const ids = await world
                .definition(first.definition)
                .deferMany(same.map((job, index) => optionsOf(world, job, dependencies[index] ?? [])))
            expect(ids).toEqual([...ids].sort((a, b) => a - b))
            expect(ids).toHaveLength(same.length)
            for (const [index, job] of same.entries())
                add(sides, job, ids[index] as number, dependencies[index] ?? [])
        },
    }),
)

/** A process that found definitions retired has forgotten their ids; asking for them writes them down again. */
async function learn({ oracle, world }: Sides, names: readonly string[]): Promise<void> {
    for (const name of names) {
        await world.learn(name)
        Object.assign(oracle.definition(name), { isStale: false, isRetired: false })
    }
}

class RolledBack extends Error {}

/** In a transaction of the caller's own; later jobs may depend on earlier ones of it. */
const deferInTransaction = fc.tuple(wishes, fc.boolean()).map(([jobs, isCommitted]) =>
    step(
        `in a transaction that ${isCommitted ? "commits" : "rolls back"} defer ${jobs.map(show).join(", ")}`,
        {
            run: async (sides) => {
                const { oracle, world } = sides
                const deferred: { job: Wish; id: number; dependencies: number[] }[] = []
                const work = world.transaction(async (client) => {
                    for (const job of jobs) {
                        const ids = deferred.map(({ id }) => id)
                        const dependencies = dependenciesOf(job, oracle, ids)
                        const options = optionsOf(world, job, dependencies)
                        const definition = world.definition(job.definition)
                        const id = await definition.defer({ ...options, client })
                        deferred.push({ job, id, dependencies })
                    }
                    if (!isCommitted) throw new RolledBack()
                })
                const names = jobs.map(({ definition }) => definition)
                const forgotten = names.filter((name) => oracle.definition(name).isRetired)
                if (isCommitted) {
                    await work
                    for (const { job, id, dependencies } of deferred) add(sides, job, id, dependencies)
                } else await expect(work).rejects.toThrow(RolledBack)
                await compare(oracle, world)
                await learn(sides, forgotten)
            },
        },
    ),
)

/** On a job that never was: nothing of the call is deferred. */
const deferOnMissing = fc.tuple(wish, wish).map(([good, bad]) =>
    step(`deferMany ${show(good)}, and ${show(bad)} after a job that does not exist`, {
        run: async ({ oracle, world }) => {
            const missing = 2 ** 40
            const jobs = [
                optionsOf(world, good, dependenciesOf(good, oracle)),
                optionsOf(world, bad, [...dependenciesOf(bad, oracle), missing]),
            ]
            const error = await world
                .definition(good.definition)
                .deferMany(jobs)
                .catch((thrown: unknown) => thrown)
            expect(error).toBeInstanceOf(DependencyNotFoundError)
            expect(error).toMatchObject({ jobIDs: [missing] })
        },
    }),
)

/** Of whatever job, or of one that never was. */
const changePriority = fc.tuple(fc.nat(19), fc.constantFrom(-1, 0, 2, 4)).map(([number, priority]) =>
    step(`job ${number} gets priority ${priority}`, {
        run: async ({ oracle, world }) => {
            const id = pick([...oracle.jobs.keys()], number) ?? 2 ** 40
            const isFound = await world.config.jobs.changePriority(id, priority)
            expect(isFound, "a live job was found").toBe(oracle.changePriority(id, priority))
        },
    }),
)

export const deferSteps: fc.Arbitrary<Step>[] = [
    deferEach,
    deferTogether,
    deferMany,
    deferInTransaction,
    deferOnMissing,
    changePriority,
]
