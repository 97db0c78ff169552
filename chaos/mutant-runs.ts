import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Report } from "./checker/report.ts"
import type { Fault } from "./faults/fault.ts"
import { faultsOf } from "./faults/index.ts"
import { buildMutant, MUTANTS } from "./mutants/index.ts"
import type { RunOptions } from "./options.ts"

/**
 * Runs campaigns against builds of cuckmq that lack one guard each. The checker must see it: a campaign that finds
 * nothing proves as little as a test that cannot fail.
 */
export async function runMutants(params: {
    options: RunOptions
    run: (mutated: { cuckmqPath: string; faults: readonly Fault[] }) => Promise<Report>
}): Promise<boolean> {
    const { options, run } = params
    const chosen =
        options.mutants === "all"
            ? MUTANTS
            : options.mutants.map((name) => {
                  const mutant = MUTANTS.find((mutant) => mutant.name === name)
                  if (mutant === undefined)
                      throw new RangeError(
                          `no mutant "${name}": ${MUTANTS.map(({ name }) => name).join(", ")}`,
                      )
                  return mutant
              })
    const folder = mkdtempSync(join(tmpdir(), "cuckmq-mutants-"))
    const lines: string[] = []
    let numCaught = 0
    try {
        for (const mutant of chosen) {
            const cuckmqPath = await buildMutant(mutant.name, folder)
            const faults = mutant.faults === undefined ? options.faults : faultsOf(mutant.faults)
            const report = await run({ cuckmqPath, faults })
            const violated = report.invariants.filter(({ violations }) => violations > 0).map(({ id }) => id)
            const isCaught = mutant.caughtBy.some((id) => violated.includes(id as (typeof violated)[number]))
            if (isCaught) numCaught++
            lines.push(
                `${isCaught ? "caught" : "MISSED"}  ${mutant.name}: expected ${mutant.caughtBy.join(" or ")}, ` +
                    `violated ${violated.length === 0 ? "nothing" : violated.join(" ")}`,
            )
            console.log(lines.at(-1))
        }
    } finally {
        rmSync(folder, { recursive: true, force: true })
    }
    console.log(
        ["", ...lines, "", `mutants caught ${numCaught}/${chosen.length}, seed ${options.seed}`].join("\n"),
    )
    return numCaught === chosen.length
}
