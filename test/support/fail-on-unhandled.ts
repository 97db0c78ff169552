import { afterAll, afterEach, expect } from "vitest"

/** A rejection that nobody handles would end the process of a user; here it fails the test. */
const unhandled: unknown[] = []
const keep = (reason: unknown) => unhandled.push(reason)
process.on("unhandledRejection", keep)

afterEach(() => {
    const found = unhandled.splice(0)
    expect(found).toEqual([])
})

// The next file may run in the same process.
afterAll(() => {
    process.off("unhandledRejection", keep)
})
