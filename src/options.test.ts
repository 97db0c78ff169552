import { describe, expect, it } from "vitest"
import { InvalidOptionError } from "./errors.ts"
import {
    callable,
    durationMs,
    hasMethods,
    instant,
    jobID,
    knownOptions,
    listOf,
    nameText,
    positiveMs,
    wholeNumber,
} from "./options.ts"

describe("the checks of options", () => {
    it("pass what is in range", () => {
        expect(durationMs("delayMs", 0)).toBe(0)
        expect(durationMs("delayMs", 0.5)).toBe(0.5)
        expect(durationMs("delayMs", 3_155_760_000_000)).toBe(3_155_760_000_000)
        expect(positiveMs("delayMs", Number.MIN_VALUE)).toBe(Number.MIN_VALUE)
        expect(wholeNumber("count", 7, 7)).toBe(7)
        expect(nameText("name", "a".repeat(255))).toHaveLength(255)
        expect(jobID("id", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
        const now = new Date()
        expect(instant("runAt", now)).toEqual(now)
    })

    it("say what they expected, and what they got", () => {
        expect(() => positiveMs("repeatIntervalMs", -5)).toThrow(
            "expected `repeatIntervalMs` to be a positive number of milliseconds, at most 100 years, got: -5",
        )
        expect(() => nameText("name", "")).toThrow('got: ""')
        expect(() => wholeNumber("count", [1], 3)).toThrow("from 0 to 3, got: an array")
        expect(() => jobID("dependencies", { id: 1 })).toThrow("got: an object")
        expect(() => jobID("dependencies", Symbol("x"))).toThrow("got: Symbol(x)")
    })

    it("refuse what is just out of range", () => {
        expect(() => durationMs("delayMs", 3_155_760_000_001)).toThrow(InvalidOptionError)
        expect(() => positiveMs("delayMs", 0)).toThrow(InvalidOptionError)
        expect(() => wholeNumber("count", 8, 7)).toThrow(InvalidOptionError)
        expect(() => nameText("name", "a".repeat(256))).toThrow(InvalidOptionError)
        expect(() => jobID("id", 2 ** 53)).toThrow(InvalidOptionError)
        expect(() => instant("runAt", new Date(Date.now() + 3_155_760_100_000))).toThrow(InvalidOptionError)
    })

    it("refuse what only passes for a Date", () => {
        for (const fake of [Object.create(Date.prototype), new Proxy(new Date(), {}), { getTime: () => 0 }])
            expect(() => instant("runAt", fake)).toThrow(InvalidOptionError)
        const unlike = Object.assign(new Date(0), { getTime: () => Number.NaN })
        expect(instant("runAt", unlike).getTime()).toBe(0)
    })

    it("refuse what cannot even be looked at", () => {
        const { proxy, revoke } = Proxy.revocable([], {})
        revoke()
        for (const check of [durationMs, positiveMs, nameText, instant, jobID, callable])
            expect(() => check("option", proxy as never)).toThrow(InvalidOptionError)
        expect(() => knownOptions("Worker", proxy, [])).toThrow(InvalidOptionError)
        expect(hasMethods(proxy, ["query"])).toBe(false)
        expect(() => listOf({ option: "list", expected: "a list", value: proxy, check: jobID })).toThrow(
            InvalidOptionError,
        )
    })

    it("take the holes of a list for what they are", () => {
        const list = Object.assign([1], { 2: 3 })
        const check = (_option: string, value: unknown) => value
        expect(listOf({ option: "list", expected: "a list", value: list, check })).toEqual([1, undefined, 3])
    })

    it("name the options that exist when one does not", () => {
        expect(() => knownOptions("Worker", { chanel: 1 }, ["config", "channel"])).toThrow(
            "Worker has no option `chanel`; it has: config, channel",
        )
        expect(() => knownOptions("Worker", JSON.parse('{"__proto__": 1}'), ["config"])).toThrow(
            "`__proto__`",
        )
    })
})
