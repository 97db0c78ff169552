import { type Config, type JobContext, JobDefinition, type JobDefinitionOptions } from "../../src/index.ts"

/** What most tests defer. */
export type AnyPayload = Record<string, unknown>

type Options<Result> = Partial<Omit<JobDefinitionOptions<AnyPayload, Result>, "config" | "jobFunction">>

/** Makes and registers a definition, named `job` and without waits between attempts unless told otherwise. */
export function define<Result>(
    config: Config,
    jobFunction: (payload: AnyPayload, context: JobContext) => Result | Promise<Result>,
    options: Options<Result> = {},
): JobDefinition<AnyPayload, Result> {
    const definition = new JobDefinition<AnyPayload, Result>({
        config,
        name: "job",
        retryDelayMs: 0,
        ...options,
        jobFunction,
    })
    definition.register()
    return definition
}

/** Resolves when the signal is aborted, with the reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve) => {
        if (signal.aborted) resolve(signal.reason)
        else signal.addEventListener("abort", () => resolve(signal.reason), { once: true })
    })
}
