import { describe, expect, it } from "vitest"
import { PreparedStatements } from "./prepared.ts"

const NAME = /^cuckmq_[0-9a-f]{32}$/

describe("prepared statements", () => {
    it("have a name for each text, and none where they are not asked for", () => {
        const prepared = new PreparedStatements()
        const name = prepared.nameOf("select 1", "always")
        expect(name).toMatch(NAME)
        expect(prepared.nameOf("select 1", "while-quick")).toBe(name)
        expect(prepared.nameOf("select 2", "always")).not.toBe(name)
        expect(prepared.nameOf("select 1", undefined)).toBeUndefined()
    })

    it("are planned anew for a while when they took long for what they returned", () => {
        const prepared = new PreparedStatements()
        prepared.took("select 1", "while-quick", 45, 0)
        prepared.took("select 1", "while-quick", 200, 1_000)
        prepared.took("select 2", "always", 5_000, 0)
        expect(prepared.nameOf("select 1", "while-quick")).toMatch(NAME)
        expect(prepared.nameOf("select 2", "always")).toMatch(NAME)
        prepared.took("select 1", "while-quick", 60, 1)
        expect(prepared.nameOf("select 1", "while-quick")).toBeUndefined()
        expect(prepared.nameOf("select 3", "while-quick")).toMatch(NAME)
    })

    it("are no more once a connection did not know one", () => {
        const prepared = new PreparedStatements()
        prepared.giveUp()
        expect(prepared.nameOf("select 1", "always")).toBeUndefined()
    })
})
