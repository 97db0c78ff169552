import { describe, expect, it } from "vitest"
import { DatabaseError } from "../errors.ts"
import { toCuckmqError, wasRolledBack } from "./failure.ts"

function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
}

describe("whatever a caller's client throws", () => {
    it.each<[string, unknown]>([
        ["a revoked proxy", revoked()],
        ["an object without a text", Object.create(null)],
        ["undefined", undefined],
        ["a symbol", Symbol("symbol")],
        [
            "an error whose message and code throw",
            Object.defineProperties(new Error(), {
                message: { get: () => revoked().toString() },
                code: { get: () => revoked().toString() },
            }),
        ],
    ])("becomes a DatabaseError: %s", (_what, thrown) => {
        expect(wasRolledBack(thrown)).toBe(false)
        const error = toCuckmqError({ error: thrown, action: "defer", schema: "schema" })
        expect(error).toBeInstanceOf(DatabaseError)
        expect(error.message).toMatch(/^defer failed: ./)
        expect(error.cause).toBe(thrown)
    })
})
