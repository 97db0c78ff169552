import type { DefinitionsAnswer } from "./answers.ts"
import { get } from "./http.ts"
import { type Loaded, useLoad } from "./load.ts"

const EVERY_MS = 30_000

/** All definitions, now and then; nothing where they are not needed. */
export function useDefinitions({ isNeeded = true } = {}): Loaded<DefinitionsAnswer> {
    return useLoad({
        key: isNeeded ? "definitions" : null,
        ask: (signal) => get<DefinitionsAnswer>("definitions", {}, signal),
        everyMs: EVERY_MS,
    })
}
