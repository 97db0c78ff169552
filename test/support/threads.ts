import type { Worker as Thread } from "node:worker_threads"
import { type Config, type Event, JobDefinition, type ThreadJobDefinitionOptions } from "../../src/index.ts"
import type { AnyPayload } from "./define.ts"

type Options = Partial<Omit<ThreadJobDefinitionOptions<AnyPayload, unknown>, "config" | "runIn">>

/** Where the job functions of tests are that run in threads. */
export function moduleURL(name: string, extension = "mjs"): URL {
    return new URL(`modules/${name}.${extension}`, import.meta.url)
}

/** Makes and registers a definition that runs in a thread, and is named `job` unless told otherwise. */
export function defineInThread(
    config: Config,
    exportName: string,
    options: Options = {},
): JobDefinition<AnyPayload, unknown> {
    const definition = new JobDefinition<AnyPayload, unknown>({
        config,
        name: "job",
        retryDelayMs: 0,
        runIn: "thread",
        module: moduleURL("jobs"),
        exportName,
        ...options,
    })
    definition.register()
    return definition
}

/** The events of a type that a queue's daemons have told. */
export function told<Type extends Event["eventType"]>(
    { events }: { readonly events: readonly Event[] },
    eventType: Type,
): Extract<Event, { eventType: Type }>[] {
    return events.filter(
        (event): event is Extract<Event, { eventType: Type }> => event.eventType === eventType,
    )
}

/** The threads of this process: those for jobs, and one that renews leases while there are jobs on a server. */
const threads = new Set<Thread>()
process.on("worker", (thread: Thread) => {
    threads.add(thread)
    thread.once("exit", () => threads.delete(thread))
})

/** How many threads this process has besides its first. */
export function numThreads(): number {
    return threads.size
}
