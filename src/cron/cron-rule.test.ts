import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { CronExpression, namesEveryHour } from "./cron-expression.ts"
import { CronRule } from "./cron-rule.ts"
import { TimeZone } from "./time-zone.ts"

const PAGE = readFileSync(new URL("../../docs/schedules.md", import.meta.url), "utf8")

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** The lines of the table in docs/schedules.md. */
const ROWS = (PAGE.split("<!-- dst -->")[1] ?? "")
    .split("\n")
    .filter((line) => /^\| \w+(\/\w+)* \|/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, zone]) => zone !== "Zone")
    .map(([, timeZone = "", clocks = "", expression = "", after = "", due = ""]) => ({
        timeZone,
        clocks,
        expression: expression.replaceAll("`", ""),
        after,
        due: due.split(", "),
    }))

function instantOf(text: string): number {
    return Date.parse(`${text.replace(" ", "T")}Z`)
}

function textOf(instantMs: number | undefined): string {
    return instantMs === undefined
        ? "never"
        : new Date(instantMs).toISOString().slice(0, 16).replace("T", " ")
}

function ticksOf(rule: CronRule, params: { afterMs: number; untilMs: number }): number[] {
    const ticks: number[] = []
    for (let ms = rule.after(params.afterMs); ms !== undefined && ms <= params.untilMs; ms = rule.after(ms))
        ticks.push(ms)
    return ticks
}

describe("the table of docs/schedules.md", () => {
    it("is about twelve zones", () => {
        expect(new Set(ROWS.map(({ timeZone }) => timeZone)).size).toBe(12)
        expect(ROWS.length).toBeGreaterThan(30)
    })

    it.each(ROWS)("$timeZone, $clocks: $expression", ({ timeZone, expression, after, due }) => {
        const rule = new CronRule({ expression, timeZone })
        const ticks: string[] = []
        let ms: number | undefined = instantOf(after)
        for (const _ of due) {
            ms = ms === undefined ? undefined : rule.after(ms)
            ticks.push(textOf(ms))
        }
        expect(ticks).toEqual(due)
    })
})

/** The rule once more, as someone would follow it who looks at the clock every minute. */
function ticksByTheClock(params: {
    expression: string
    timeZone: string
    afterMs: number
    untilMs: number
}): number[] {
    const expression = new CronExpression(params.expression)
    const zone = new TimeZone(params.timeZone)
    const isForEveryHour = namesEveryHour(params.expression)
    let latestMs = params.afterMs + zone.offsetMs(params.afterMs)
    const ticks: number[] = []
    for (let ms = params.afterMs + MINUTE_MS; ms <= params.untilMs; ms += MINUTE_MS) {
        const shownMs = ms + zone.offsetMs(ms)
        // Shown now, or at the latest now for the first time.
        const namedMs = expression.after(isForEveryHour ? shownMs - 1 : latestMs)
        if (namedMs !== undefined && namedMs <= shownMs) ticks.push(ms)
        latestMs = Math.max(latestMs, shownMs)
    }
    return ticks
}

const EXPRESSIONS = ["*/7 * * * *", "0 * * * *", "0,15,45 2 * * *", "*/20 0-3,23 * * *"]
/** The first tick of each line is near a change, if there is one. */
const CHANGES = ROWS.filter(
    ({ timeZone, after }, i) => ROWS[i - 1]?.timeZone !== timeZone || ROWS[i - 1]?.after !== after,
).map(({ timeZone, due }) => ({ timeZone, at: due[0] ?? "" }))

describe("ticks about a change of the clock", () => {
    it.each(CHANGES)("are what the clock shows: $timeZone, $at", ({ timeZone, at }) => {
        for (const expression of EXPRESSIONS) {
            const atMs = instantOf(at)
            const span = { afterMs: atMs - 4 * HOUR_MS, untilMs: atMs + 4 * HOUR_MS }
            const rule = new CronRule({ expression, timeZone })
            const ticks = ticksOf(rule, span)
            expect([expression, ...ticks.map(textOf)]).toEqual([
                expression,
                ...ticksByTheClock({ expression, timeZone, ...span }).map(textOf),
            ])
            // From wherever one asks.
            for (let ms = span.afterMs; ms < span.untilMs; ms += 37 * MINUTE_MS + 123) {
                const next = ticks.find((tick) => tick > ms)
                if (next !== undefined) expect(textOf(rule.after(ms))).toBe(textOf(next))
                const last = ticks.findLast((tick) => tick <= ms)
                expect(textOf(rule.last({ afterMs: span.afterMs, untilMs: ms }))).toBe(textOf(last))
            }
        }
    })

    it("are as many seconds as there are, for an expression of each second", () => {
        const rule = new CronRule({ expression: "* * * * * *", timeZone: "Europe/Berlin" })
        for (const day of ["2026-03-29", "2026-10-25"]) {
            const afterMs = Date.parse(`${day}T00:30:00Z`)
            expect(ticksOf(rule, { afterMs, untilMs: afterMs + HOUR_MS })).toHaveLength(3_600)
        }
    })
})

describe("an expression", () => {
    it.each([
        ["@hourly", true],
        ["* * * * *", true],
        ["5 0-23 * * *", true],
        ["5 */1 * * *", true],
        ["1 2 ? * * *", true],
        ["5 0-11,12-23 * * MON", true],
        ["5 */2 * * *", false],
        ["5 1-23 * * *", false],
        ["@daily", false],
    ])("%s names every hour: %s", (expression, is) => {
        expect(namesEveryHour(expression)).toBe(is)
    })

    it("may be far away, and may have no time that comes", () => {
        const nextOf = (expression: string, timeZone = "Europe/Berlin") =>
            textOf(new CronRule({ expression, timeZone }).after(Date.UTC(2026, 10, 28)))
        expect(nextOf("0 12 29 2 *")).toBe("2028-02-29 11:00")
        expect(nextOf("0 * 29 2 *")).toBe("2028-02-28 23:00")
        expect(nextOf("0 * 1 7 *")).toBe("2027-06-30 22:00")
        expect(nextOf("0 0 31 2 *")).toBe("never")
        expect(nextOf("0 * 31 2 *")).toBe("never")
    })
})
