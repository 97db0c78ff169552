import fc from "fast-check"
import { expect } from "vitest"
import { coreOf } from "../../../src/config.ts"
import { type ChangeResult, Inspector, type JobChange } from "../../../src/index.ts"
import { performSlice } from "../../../src/operate/operation-run.ts"
import type { ModelJob, Oracle } from "./oracle.ts"
import { pick, type Step, step } from "./step.ts"
import { HOUR_MS } from "./world.ts"

/** What is done to jobs, on both sides. */
interface Made {
    change: JobChange
    /** The jobs that it is for, where nobody says which. */
    isMeant(job: ModelJob): boolean
    apply(oracle: Oracle, id: number): boolean
}

const inStates =
    (...states: ModelJob["state"][]) =>
    ({ state }: ModelJob) =>
        states.includes(state)

const isQueuedOrRuns = inStates("ready", "delayed", "blocked", "running")

const setPriority = (priority: number): Made => ({
    change: { action: "set-priority", priority },
    isMeant: isQueuedOrRuns,
    apply: (oracle, id) => oracle.changePriority(id, priority),
})

const setDueTime = (isFar: boolean): Made => ({
    change: { action: "set-due-time", dueAt: new Date(isFar ? Date.now() + 1_000 * HOUR_MS : 0) },
    isMeant: inStates("ready", "delayed"),
    apply: (oracle, id) => oracle.setDueTime(id, { isFar }),
})

const MADE: readonly Made[] = [
    {
        change: { action: "run-now" },
        isMeant: inStates("delayed"),
        apply: (oracle, id) => oracle.runNow(id),
    },
    ...[-1, 0, 3].map(setPriority),
    ...[true, false].map(setDueTime),
    {
        change: { action: "cancel" },
        isMeant: isQueuedOrRuns,
        apply: (oracle, id) => oracle.cancel(id) !== "finalized",
    },
    {
        change: { action: "replay" },
        isMeant: ({ state, reason }) =>
            state === "failed" && reason !== "unmet-dependencies" && reason !== "cancelled",
        apply: (oracle, id) => oracle.replay(id),
    },
    {
        change: { action: "delete" },
        isMeant: inStates("succeeded", "failed"),
        apply: (oracle, id) => oracle.delete(id),
    },
]

const made = fc.constantFrom(...MADE)

function show({ change: { action, ...rest } }: Made): string {
    return [action, ...Object.values(rest)].join(" ")
}

/** Changes the jobs in the order given, all in one transaction; what was cancelled and does not run ends after it. */
function applyTo(oracle: Oracle, { change, apply }: Made, ids: readonly number[]): ChangeResult[] {
    const results = ids.map((jobID): ChangeResult => {
        if (!apply(oracle, jobID)) return { jobID, result: "wrong-state" }
        const isRunning = change.action === "cancel" && oracle.job(jobID).state === "running"
        return { jobID, result: isRunning ? "running" : "done" }
    })
    if (change.action !== "cancel") return results
    const cancelled = results.filter(({ result }) => result === "done")
    oracle.endCancelled(cancelled.map(({ jobID }) => oracle.job(jobID)))
    return results
}

const changeSome = fc
    .tuple(made, fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }))
    .map(([what, numbers]) =>
        step(`${show(what)}, of jobs ${numbers}`, {
            run: async ({ oracle, world }) => {
                const picked = numbers.map((number) => pick([...oracle.jobs.keys()], number))
                const ids = [...new Set(picked.filter((id) => id !== undefined))].sort((a, b) => a - b)
                if (ids.length === 0) return
                const inspector = new Inspector({ config: world.config })
                const results = await inspector.change(what.change, ids)
                expect(results).toEqual(applyTo(oracle, what, ids))
            },
        }),
    )

/** An orchestrator performs it at once. */
const changeAll = fc
    .record({
        what: made,
        definition: fc.constantFrom(undefined, "once", "twice", "often"),
        limit: fc.constantFrom(undefined, undefined, 1, 2),
    })
    .map(({ what, definition, limit }) =>
        step(
            `${show(what)}, of ${limit ?? "all"} jobs${definition === undefined ? "" : ` of ${definition}`}`,
            {
                run: async ({ oracle, world }) => {
                    const fitting = [...oracle.jobs.values()]
                        .filter((job) => definition === undefined || job.definition === definition)
                        .filter(what.isMeant)
                        .map(({ id }) => id)
                        .sort((a, b) => a - b)
                        .slice(0, limit)
                    const inspector = new Inspector({ config: world.config })
                    const { operationID } = await inspector.changeAll(
                        what.change,
                        definition === undefined ? {} : { definition },
                        limit === undefined ? {} : { limit },
                    )
                    while (await performSlice({ core: coreOf(world.config), holder: "an orchestrator" }));
                    applyTo(oracle, what, fitting)
                    const num = fitting.length
                    expect(await inspector.operation(operationID)).toMatchObject({
                        state: "done",
                        progress: { numLookedAt: num, numDone: num, numSkipped: 0, numExpected: num },
                    })
                },
            },
        ),
    )

export const operateSteps: fc.Arbitrary<Step>[] = [changeSome, changeSome, changeAll, changeAll]
