import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Planner, textOf } from "./plans.ts"
import { Random } from "./random.ts"
import { JOB_KINDS, type JobKind, type Plan } from "./workload.ts"

const ACKED = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, jobID: String(i) }))

function plans(params: { seed: number; num: number; kinds?: readonly JobKind[]; prefix?: string }): Plan[] {
    const planner = new Planner({
        random: new Random(params.seed),
        prefix: params.prefix ?? "p",
        kinds: new Set(params.kinds ?? JOB_KINDS),
        jobsPerSecond: 100,
    })
    return Array.from({ length: params.num }, () => planner.next(ACKED))
}

describe("Planner", () => {
    it("draws the same jobs for the same seed, and others for another", () => {
        assert.deepEqual(plans({ seed: 1, num: 200 }), plans({ seed: 1, num: 200 }))
        assert.notDeepEqual(plans({ seed: 1, num: 200 }), plans({ seed: 2, num: 200 }))
    })

    it("gives each job a key of its own", () => {
        const all = [
            ...plans({ seed: 1, num: 300, prefix: "a" }),
            ...plans({ seed: 1, num: 300, prefix: "b" }),
        ]
        assert.equal(new Set(all.map(({ key }) => key)).size, 600)
    })

    it("draws every kind but those of ticks", () => {
        const kinds = new Set(plans({ seed: 1, num: 60_000 }).map(({ kind }) => kind))
        assert.deepEqual(
            [...kinds].sort(),
            JOB_KINDS.filter((kind) => kind !== "repeat" && kind !== "schedule").sort(),
        )
    })

    it("draws only kinds that the peer has", () => {
        const kinds = new Set(
            plans({ seed: 1, num: 2_000, kinds: ["noop", "flaky"] }).map(({ kind }) => kind),
        )
        assert.deepEqual([...kinds].sort(), ["flaky", "noop"])
    })

    it("draws as many costly jobs a second as are meant, whatever the rate", () => {
        const num = plans({ seed: 3, num: 100_000 }).filter(({ kind }) => kind === "limited").length
        // 0.4 a second: 0.4 in a hundred.
        assert.ok(num > 350 && num < 450, String(num))
    })

    it("requires up to eight jobs that were acknowledged, each once", () => {
        const required = plans({ seed: 1, num: 20_000 }).flatMap(({ requires }) =>
            requires === undefined ? [] : [requires],
        )
        const known = new Set(ACKED.map(({ key }) => key))
        for (const keys of required) {
            assert.equal(new Set(keys).size, keys.length)
            assert.ok(keys.every((key) => known.has(key)))
        }
        assert.equal(Math.min(...required.map(({ length }) => length)), 1)
        assert.equal(Math.max(...required.map(({ length }) => length)), 8)
    })

    it("draws something that requires nothing when there is nothing to require", () => {
        const planner = new Planner({
            random: new Random(1),
            prefix: "p",
            kinds: new Set(["dependent"]),
            jobsPerSecond: 100,
        })
        assert.deepEqual(planner.next([]), { key: "p/1", kind: "noop" })
    })
})

describe("the text of a key", () => {
    for (const kind of ["big", "hostile"] as const) {
        it(`is the same each time, its own, and survives JSON: ${kind}`, () => {
            const text = textOf(kind, "a/1")
            assert.equal(textOf(kind, "a/1"), text)
            assert.notEqual(textOf(kind, "a/2"), text)
            assert.equal(JSON.parse(JSON.stringify({ text })).text, text)
            assert.ok(text.isWellFormed())
        })
    }

    it("is 256 KiB when it is big", () => {
        assert.equal(textOf("big", "a/1").length, 256 * 1_024)
    })
})
