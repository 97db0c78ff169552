import { describe, expect, it } from "vitest"
import { PreparedStatements } from "./prepared.ts"

async function made(): Promise<PreparedStatements> {
    const prepared = new PreparedStatements()
    await prepared.learn(7, async () => "7")
    return prepared
}

function took(params: {
    isKept: boolean
    durationMs: number
    numRows?: number
    keep?: "always" | "while-quick"
}) {
    return { text: "select 1", keep: "while-quick", numRows: 0, ...params } as const
}

const NAME = /^cuckmq_[0-9a-f]{32}$/

describe("prepared statements", () => {
    it("have a name for each text, and none where they are not asked for", async () => {
        const prepared = await made()
        const name = prepared.nameOf("select 1", "always")
        expect(name).toMatch(NAME)
        expect(prepared.nameOf("select 1", "while-quick")).toBe(name)
        expect(prepared.nameOf("select 2", "always")).not.toBe(name)
        expect(prepared.nameOf("select 1", undefined)).toBeUndefined()
    })

    it("are planned anew for a while when the kept plan takes long again and again, and a new one does not", async () => {
        const prepared = await made()
        for (let n = 0; n < 3; n++) {
            expect(prepared.nameOf("select 1", "while-quick")).toMatch(NAME)
            prepared.took(took({ isKept: true, durationMs: 60, numRows: 1 }))
            expect(prepared.nameOf("select 1", "while-quick")).toBeUndefined()
            prepared.took(took({ isKept: false, durationMs: 40 }))
        }
        expect(prepared.nameOf("select 1", "while-quick")).toBeUndefined()
        prepared.took(took({ isKept: false, durationMs: 400 }))
        expect(prepared.nameOf("select 1", "while-quick")).toBeUndefined()
        expect(prepared.nameOf("select 3", "while-quick")).toMatch(NAME)
    })

    it("stay prepared when they took long once, or for many rows, or planned anew as well, or are small", async () => {
        const prepared = await made()
        const isKept = true
        for (let n = 0; n < 5; n++) {
            prepared.took(took({ isKept, durationMs: 45 }))
            prepared.took(took({ isKept, durationMs: 200, numRows: 1_000 }))
            prepared.took(took({ isKept, durationMs: 5_000, keep: "always" }))
            expect(prepared.nameOf("select 1", "while-quick")).toMatch(NAME)
            prepared.took(took({ isKept, durationMs: 60 }))
            expect(prepared.nameOf("select 1", "while-quick")).toBeUndefined()
            prepared.took(took({ isKept: false, durationMs: 60 }))
            expect(prepared.nameOf("select 1", "while-quick")).toMatch(NAME)
        }
        // One of two that are under way at once.
        prepared.took(took({ isKept: false, durationMs: 60 }))
        expect(prepared.nameOf("select 1", "while-quick")).toMatch(NAME)
    })

    it("are no more once a connection did not know one", async () => {
        const prepared = await made()
        prepared.giveUp()
        expect(prepared.nameOf("select 1", "always")).toBeUndefined()
    })

    it.each([
        [undefined, "7"],
        [8, "7"],
    ])("are none where the server has another process than a connection says: %s", async (processID, pid) => {
        const prepared = new PreparedStatements()
        await prepared.learn(processID, async () => pid)
        expect(prepared.nameOf("select 1", "always")).toBeUndefined()
    })

    it("are none before that is known, and it is asked once", async () => {
        const prepared = new PreparedStatements()
        expect(prepared.nameOf("select 1", "always")).toBeUndefined()
        let numAsked = 0
        for (let n = 0; n < 3; n++) await prepared.learn(7, async () => `${numAsked++ + 7}`)
        expect(numAsked).toBe(1)
        expect(prepared.nameOf("select 1", "always")).toMatch(NAME)
    })
})
