import { afterEach, expect } from "vitest"

/** A rejection that nobody handles would end the process of a user; here it fails the test. */
const unhandled: unknown[] = []
process.on("unhandledRejection", (reason) => unhandled.push(reason))

afterEach(() => {
    const found = unhandled.splice(0)
    expect(found).toEqual([])
})
