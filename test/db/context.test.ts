import { describe, expect, it } from "vitest"
import { DuplicateDefinitionError, type JobContext, JobDefinition } from "../../src/index.ts"
import { finalizedJob } from "../support/finalized.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

describe("the context of a run", () => {
    it("has the job's id, the definition's name, the attempt and a signal that is not aborted", async () => {
        const queue = await makeQueue()
        const seen: unknown[] = []
        const definition = new JobDefinition({
            config: queue.config,
            name: "a definition",
            numAttempts: 1,
            retryDelayMs: 0,
            jobFunction: (_: object, { jobID, name, attempt, signal }) => {
                seen.push({ jobID, name, attempt, isSignal: signal instanceof AbortSignal })
                seen.push(signal.aborted)
                if (attempt === 1) throw new Error("once more")
            },
        })
        definition.register()
        queue.worker()
        const jobID = await definition.defer({ payload: {} })
        await finalizedJob(queue, jobID)
        expect(seen).toEqual([
            { jobID, name: "a definition", attempt: 1, isSignal: true },
            false,
            { jobID, name: "a definition", attempt: 2, isSignal: true },
            false,
        ])
    })

    it("gives the same signal whenever it is asked", async () => {
        const queue = await makeQueue()
        let context: JobContext | undefined
        const definition = new JobDefinition({
            config: queue.config,
            name: "definition",
            jobFunction: (_: object, given) => {
                context = given
                const { signal } = given
                return given.signal === signal
            },
        })
        definition.register()
        queue.worker()
        const id = await definition.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: true })
        expect(context?.signal.aborted).toBe(false)
    })
})

describe("a definition", () => {
    it("that is not registered keeps its jobs in the queue until a worker's Config registers it", async () => {
        const queue = await makeQueue()
        const options = { name: "later", jobFunction: (_: object) => "ran" }
        const unregistered = new JobDefinition({ config: queue.config, ...options })
        const registered = new JobDefinition({ config: queue.config, name: "now", jobFunction: () => "ran" })
        registered.register()
        const id = await unregistered.defer({ payload: {} })
        queue.worker({ concurrency: 5 })
        await finalizedJob(queue, await registered.defer({ payload: {} }))
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0 }])
        const other = queue.otherConfig()
        new JobDefinition({ config: other, ...options }).register()
        queue.worker({ config: other })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "ran" })
    })

    it("that is registered while a worker runs is run by it from then on", async () => {
        const queue = await makeQueue()
        queue.worker({ processIntervalMs: 20 })
        await eventually(() => queue.events.length > 0)
        const late = new JobDefinition({ config: queue.config, name: "late", jobFunction: () => "ran" })
        late.register()
        expect(await finalizedJob(queue, await late.defer({ payload: {} }))).toMatchObject({ result: "ran" })
    })

    it("is one of its name in a Config, and another in another Config", async () => {
        const queue = await makeQueue()
        const options = { name: "twice", jobFunction: () => undefined }
        new JobDefinition({ config: queue.config, ...options }).register()
        const second = new JobDefinition({ config: queue.config, ...options })
        expect(() => second.register()).toThrow(DuplicateDefinitionError)
        new JobDefinition({ config: queue.otherConfig(), ...options }).register()
    })

    it("may have any name that people give", async () => {
        const queue = await makeQueue()
        const names = [
            'it\'s "quoted" %s $1 \\',
            "名前 👩",
            "a".repeat(255),
            "line\nbreak\u001e",
            "__proto__",
            "constructor",
            "toString",
            "hasOwnProperty",
        ]
        for (const name of names) {
            const definition = new JobDefinition({
                config: queue.config,
                name,
                jobFunction: (_: object, context) => context.name,
            })
            definition.register()
            const worker = queue.worker()
            const id = await definition.defer({ payload: {} })
            expect(await finalizedJob(queue, id)).toMatchObject({ result: name })
            worker.stop()
        }
    })
})
