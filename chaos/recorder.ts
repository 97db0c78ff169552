import { openSync, writeSync } from "node:fs"
import { monotonicMicros } from "./clock.ts"
import type { ChaosRecord, Micros } from "./records.ts"

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never

/** A record without what each has: the process and, unless it is of another moment, the time. */
export type Entry = DistributiveOmit<ChaosRecord, "at" | "process"> & { at?: Micros }

/**
 * What a process of the campaign writes down, each record with one synchronous write to the end of its file: it is there
 * when the next line of the program begins, whatever becomes of the process then.
 */
export class Recorder {
    readonly #file: number
    readonly #process: string

    constructor(path: string, process: string) {
        this.#file = openSync(path, "a")
        this.#process = process
    }

    write(entry: Entry): void {
        this.writeAll([entry])
    }

    /** Several records of one moment. */
    writeAll(entries: readonly Entry[]): void {
        const at = monotonicMicros()
        const lines = entries.map(
            (entry) => `${JSON.stringify({ at, process: this.#process, ...entry } satisfies ChaosRecord)}\n`,
        )
        writeSync(this.#file, lines.join(""))
    }
}
