import { execFile } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Mutant } from "./mutant.ts"
import { CLAIM_MUTANTS } from "./of-claims.ts"
import { LIMIT_MUTANTS } from "./of-limits.ts"
import { SETTLING_MUTANTS } from "./of-settling.ts"
import { OTHER_MUTANTS } from "./of-the-rest.ts"

export const MUTANTS: readonly Mutant[] = [
    ...CLAIM_MUTANTS,
    ...LIMIT_MUTANTS,
    ...SETTLING_MUTANTS,
    ...OTHER_MUTANTS,
]

const ROOT = join(import.meta.dirname, "../..")
const BUILD_BOUND_MS = 120_000

/** The text of the mutant's file without the guard. Throws when the guard is not there, or not only there. */
export function mutate(mutant: Mutant, text: string): string {
    const num = text.split(mutant.find).length - 1
    if (num !== 1)
        throw new Error(`mutant "${mutant.name}": its text is ${num} times in src/${mutant.file}, not once`)
    // A function, since the replacement's dollar signs are its own.
    return text.replace(mutant.find, () => mutant.replace)
}

/** Builds a copy of the library without a guard, in a folder of its own. Returns the path of its index.js. */
export async function buildMutant(name: string, parent: string): Promise<string> {
    const mutant = MUTANTS.find((mutant) => mutant.name === name)
    if (mutant === undefined) throw new RangeError(`no mutant "${name}"`)
    const folder = join(parent, name)
    mkdirSync(folder, { recursive: true })
    for (const path of ["src", "package.json", "tsconfig.json", "tsdown.config.ts"])
        cpSync(join(ROOT, path), join(folder, path), { recursive: true, dereference: true })
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"))
    const file = join(folder, "src", mutant.file)
    writeFileSync(file, mutate(mutant, readFileSync(file, "utf8")))
    const tsdown = join(
        createRequire(join(ROOT, "package.json")).resolve("tsdown/package.json"),
        "../dist/run.mjs",
    )
    // Types would take most of the time, and nobody reads them.
    await promisify(execFile)(
        process.execPath,
        [tsdown, "--no-dts", "--format", "esm", "--logLevel", "error"],
        {
            cwd: folder,
            timeout: BUILD_BOUND_MS,
        },
    )
    return join(folder, "dist/index.js")
}
