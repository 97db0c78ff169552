import { describe, expect, it } from "vitest"
import { Look, paint } from "./look.ts"
import { cut, harmless, toJson, widthOf } from "./text.ts"

describe("text from a database", () => {
    it("loses what a terminal would obey, and nothing else", () => {
        expect(harmless("a\u001b[2Jb\u0007\u009b\u202ec\n\t\ud800")).toBe(
            "a\\u001b[2Jb\\u0007\\u009b\\u202ec\\n\\t\\ud800",
        )
        expect(harmless("Ünï 日本 👩‍🚀")).toBe("Ünï 日本 👩‍🚀")
    })

    it("stays the same value as JSON", () => {
        const value = { a: "\u001b\u009b\u202e\u2028\n", b: "é" }
        const json = toJson(value, 2)
        expect(JSON.parse(json)).toEqual(value)
        expect(harmless(json.replaceAll("\n", " "))).toBe(json.replaceAll("\n", " "))
    })

    it("is as wide as it is shown, and is cut between characters", () => {
        expect([widthOf("abc"), widthOf("日本"), widthOf("é"), widthOf("👩‍🚀"), widthOf("ｆ")]).toEqual([
            3, 4, 1, 2, 2,
        ])
        expect([cut("abcdef", 4), cut("日本語", 4), cut("abc", 3), cut("abc", 0)]).toEqual([
            "abc…",
            "日…",
            "abc",
            "",
        ])
    })
})

describe("a table", () => {
    const columns = [{ title: "ID", isNumber: true }, { title: "NAME" }, { title: "WHY" }]
    const rows = [
        [1, "日本", "short"],
        [22, "plain", "a text that is far too long for a small terminal"],
    ]

    it("lines up with wide characters, and is cut to the width", () => {
        const look = new Look({ width: 30, isColoured: false })
        expect(look.table(columns, rows)).toEqual([
            "ID  NAME   WHY",
            " 1  日本   short",
            "22  plain  a text that is far…",
        ])
        const wide = new Look({ width: Number.POSITIVE_INFINITY, isColoured: false })
        expect(wide.table(columns, rows)[2]).toBe(
            "22  plain  a text that is far too long for a small terminal",
        )
    })

    it("has colours only where they are wanted, and control characters never", () => {
        const cell = paint("red", "a\u001b[0mb")
        expect(new Look({ width: 80, isColoured: true }).line(cell)).toBe("\u001b[31ma\\u001b[0mb\u001b[0m")
        expect(new Look({ width: 80, isColoured: false }).line(cell)).toBe("a\\u001b[0mb")
    })
})
