/**
 * Lists travel as one text parameter, which every driver passes on unchanged and no driver has to escape item by
 * item: numbers as an array literal, texts joined by a character that JSON never contains unescaped.
 */

/** The ASCII record separator; `chr(30)` in SQL. */
const SEPARATOR = "\x1e"

/** Numbers as a Postgres array literal. */
export function numberList(values: readonly (number | null)[]): string {
    let text = "{"
    for (let i = 0; i < values.length; i++) text += `${i === 0 ? "" : ","}${values[i] ?? "NULL"}`
    return `${text}}`
}

/** JSON texts, joined; the empty text stands for null. SQL takes it apart with `string_to_array($n, chr(30), '')`. */
export function jsonList(values: readonly (string | null)[]): string {
    return values.map((value) => value ?? "").join(SEPARATOR)
}
