import { isAbsolute } from "node:path"
import { pathToFileURL } from "node:url"
import { InvalidOptionError } from "../errors.ts"
import { durationMs, nameText } from "../options.ts"

/** Where a job function that runs in threads is found, and how its thread is dealt with. */
export interface ThreadModule {
    readonly url: string
    readonly exportName: string
    /** How long after its signal was aborted a job function's thread is ended; null for never. */
    readonly forceAfterMs: number | null
}

/** The options of a definition that say where its job function runs. */
export interface ThreadModuleOptions {
    runIn?: unknown
    module?: unknown
    exportName?: unknown
    forceAfterMs?: unknown
    jobFunction?: unknown
}

/** The defaults of definitions that run in threads. */
export const THREAD_DEFAULTS = Object.freeze({
    exportName: "default",
    forceAfterMs: 5_000,
})

/** The options that mean something only where the job function runs in a thread. */
const THREAD_OPTIONS = ["module", "exportName", "forceAfterMs"] as const

/**
 * The module that a definition's job function is in; null when it is given as a function.
 *
 * @throws InvalidOptionError for an option that is out of its range, or that does not go with `runIn`.
 */
export function toThreadModule(options: ThreadModuleOptions): ThreadModule | null {
    const { runIn = "process", forceAfterMs = THREAD_DEFAULTS.forceAfterMs } = options
    if (runIn === "process") {
        for (const option of THREAD_OPTIONS)
            if (options[option] !== undefined) refuse(option, `only with \`runIn: "thread"\``)
        return null
    }
    if (runIn !== "thread") refuse("runIn", `to be "process" or "thread"`)
    if (options.jobFunction !== undefined)
        refuse("jobFunction", `not to be given with \`runIn: "thread"\`, which takes it from \`module\``)
    return Object.freeze({
        url: toURL(options.module),
        exportName: nameText("exportName", options.exportName ?? THREAD_DEFAULTS.exportName),
        forceAfterMs: forceAfterMs === null ? null : durationMs("forceAfterMs", forceAfterMs),
    })
}

/**
 * Whether the file is there is not asked: a process that only defers need not have it, and what compiles modules as they
 * are loaded may find it under another name.
 */
function toURL(module: unknown): string {
    const url = parse(module)
    if (url === undefined || !["file:", "data:"].includes(url.protocol))
        refuse(
            "module",
            "to be the URL of a file, such as `new URL(…, import.meta.url)`, or an absolute path",
        )
    return url.href
}

/** Of an object that is not what it seems to be, even its class cannot be asked. */
function parse(module: unknown): URL | undefined {
    try {
        if (module instanceof URL) return new URL(module.href)
        if (typeof module !== "string" || module.includes("\u0000")) return undefined
        return isAbsolute(module) ? pathToFileURL(module) : new URL(module)
    } catch {
        return undefined
    }
}

function refuse(option: string, expected: string): never {
    throw new InvalidOptionError({ option, message: `expected \`${option}\` ${expected}` })
}
