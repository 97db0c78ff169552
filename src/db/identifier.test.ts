import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { InvalidOptionError } from "../errors.ts"
import { jobSequence, quoteSchema, statementText } from "./identifier.ts"

/** UTF-16 units of every kind, halves of surrogate pairs among them, and above all those that need care. */
const HOSTILE_TEXT = fc.string({
    unit: fc.oneof(
        fc.constantFrom("\u0000", '"', "'", "\\", ";", "\n", "\u001e", "\ud83d", "\udc00", "🦆", "ü", "a"),
        fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
    maxLength: 70,
})

describe("quoteSchema", () => {
    it("quotes every name", () => {
        expect(quoteSchema("_cuckmq")).toBe('"_cuckmq"')
        expect(quoteSchema('a"; drop table x; --')).toBe('"a""; drop table x; --"')
        expect(quoteSchema("Ünï côde")).toBe('"Ünï côde"')
    })

    it("counts bytes, as Postgres does", () => {
        expect(quoteSchema("ü".repeat(31))).toHaveLength(33)
        expect(() => quoteSchema("ü".repeat(32))).toThrow("64 bytes")
    })

    it("leaves no way out of the quotes (property)", () => {
        fc.assert(
            fc.property(HOSTILE_TEXT, (name) => {
                let quoted: string
                try {
                    quoted = quoteSchema(name)
                } catch (error) {
                    expect(error).toBeInstanceOf(InvalidOptionError)
                    return
                }
                expect(quoted).toMatch(/^"(?:[^"\0]|"")+"$/)
                expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name)
            }),
        )
    })
})

describe("jobSequence", () => {
    it("doubles single quotes within the text that it makes", () => {
        expect(jobSequence(quoteSchema(`it's "x"`))).toBe(`'"it''s ""x""".job_sequence'::regclass`)
    })
})

describe("statementText", () => {
    it("builds a text once for each schema", () => {
        let numBuilt = 0
        const text = statementText((schema) => `select ${schema} ${++numBuilt}`)
        const [one, other] = [quoteSchema("one"), quoteSchema("other")]
        expect([text(one), text(other), text(one)]).toEqual([
            'select "one" 1',
            'select "other" 2',
            'select "one" 1',
        ])
    })
})
