import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { INVARIANTS } from "../checker/invariants/index.ts"
import { faultsOf } from "../faults/index.ts"
import { MUTANTS, mutate } from "./index.ts"

const SRC = join(import.meta.dirname, "../../src")

describe("each mutant", () => {
    for (const mutant of MUTANTS) {
        it(`finds the guard that it removes: ${mutant.name}`, () => {
            const text = readFileSync(join(SRC, mutant.file), "utf8")
            assert.notEqual(mutate(mutant, text), text)
        })

        it(`names faults and invariants that exist: ${mutant.name}`, () => {
            assert.equal(faultsOf(mutant.faults).length, mutant.faults.length)
            const ids = new Set<string>(INVARIANTS.map(({ id }) => id))
            for (const id of mutant.caughtBy) assert.ok(ids.has(id), id)
        })
    }

    it("has a name of its own", () => {
        assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
    })

    it("is refused when the guard is not there", () => {
        const [mutant] = MUTANTS
        assert.ok(mutant)
        assert.throws(() => mutate(mutant, "nothing"), /0 times/)
    })
})
