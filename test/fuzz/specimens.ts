import fc from "fast-check"
import { oddities, type Specimen } from "./oddities.ts"

export type { Specimen }

/** The text of a value, or nothing where it has none. Values of any kind must not break what prints them. */
export function show(value: unknown): string {
    try {
        return fc.stringify(value).slice(0, 300)
    } catch {
        return "a value that cannot be shown"
    }
}

/** Texts that mean something to SQL, JSON, our own lists, or a terminal; and pieces of broken UTF-16. */
export const text: fc.Arbitrary<string> = fc
    .array(
        fc.oneof(
            fc.string({ unit: "binary", maxLength: 8 }),
            fc.constantFrom(
                "\u0000",
                "\ud83d",
                "\udc00",
                "\\u0000",
                "\\",
                "'",
                '"',
                "$1",
                "--",
                "/*",
                ";",
                "\n",
            ),
            fc.constantFrom(
                "\u001e",
                "\u001f",
                "{}",
                "NULL",
                "%s",
                "__proto__",
                "constructor",
                "🦆",
                "\u202e",
                "pg_",
            ),
            fc.constantFrom(
                "'; drop schema public cascade; --",
                '"."',
                "toString",
                "ß",
                "\u001b[31m",
                " ",
                "x",
            ),
        ),
        { maxLength: 6 },
    )
    .map((parts) => parts.join(""))

/** What JSON has a form for, with texts as above. */
const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.double(), text),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(text, tie("value"), { maxKeys: 4 }),
    ),
})).value

const anything: fc.Arbitrary<unknown> = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
})

const PLACES: Record<string, (value: unknown) => unknown> = {
    "": (value) => value,
    "in an object: ": (value) => ({ first: 1, value, last: "x" }),
    "in an array: ": (value) => [0, value, null],
    "deep down: ": (value) => ({ a: [{ b: { c: [[value]] } }] }),
    "twice: ": (value) => ({ once: value, again: value }),
}

/** About so many bytes are in some of the texts: a size that is allowed should be near. */
export const SIZE = 20_000

/** A value of any kind, by itself. */
export const bareSpecimen: fc.Arbitrary<Specimen> = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...oddities) },
    { weight: 3, arbitrary: json.map((value) => ({ label: show(value), make: () => value })) },
    { weight: 1, arbitrary: anything.map((value) => ({ label: show(value), make: () => value })) },
    {
        weight: 1,
        arbitrary: fc
            .integer({ min: -30, max: 30 })
            .map((n) => ({ label: `a text of ${SIZE + n} bytes`, make: () => "é".repeat((SIZE + n) / 2) })),
    },
)

/** A value of any kind, alone or within others. */
export const specimen: fc.Arbitrary<Specimen> = fc
    .tuple(fc.constantFrom(...Object.keys(PLACES)), bareSpecimen)
    .map(([place, { label, make, ...rest }]) => ({
        label: `${place}${label}`,
        make: () => PLACES[place]?.(make()),
        ...rest,
    }))

/** Values of the language itself that nobody may have changed. */
export function builtins(): unknown {
    return [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype].map(
        (prototype) => Reflect.ownKeys(prototype),
    )
}

/** Whether a value is what JSON made of another: the same texts, numbers, lists, and keys in their order. */
export function isSameAsJson(value: unknown, parsed: unknown): boolean {
    if (typeof value !== "object" || value === null) return value === parsed
    if (typeof parsed !== "object" || parsed === null || Array.isArray(value) !== Array.isArray(parsed))
        return false
    const keys = Array.isArray(value) ? Array.from(value, (_, index) => String(index)) : Object.keys(value)
    const parsedKeys = Object.keys(parsed)
    const [from, to] = [value as Record<string, unknown>, parsed as Record<string, unknown>]
    return (
        keys.length === parsedKeys.length &&
        keys.every((key, index) => key === parsedKeys[index] && isSameAsJson(from[key], to[key]))
    )
}
