/**
 * What a terminal obeys rather than shows: control characters, and those that turn the direction of writing round, by which
 * text can be made to read as what it is not.
 */
const OBEYED = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

/** Text from anywhere, so that a terminal and a log show it and do nothing else. */
export function harmless(text: string): string {
    return text.replace(OBEYED, (character) => NAMED[character] ?? codeOf(character))
}

/** A value as JSON that is harmless, and still the same value. */
export function toJson(value: unknown, indent?: number): string {
    return JSON.stringify(value, null, indent).replace(OBEYED, (character) =>
        character === "\n" ? character : codeOf(character),
    )
}

function codeOf(character: string): string {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const PLAIN = /^[\u0020-\u007e]*$/
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u

/** What terminals show two cells wide: East Asian scripts and full-width forms, and most emoji. */
const WIDE =
    /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u

/** How many cells of a terminal a text takes. */
export function widthOf(text: string): number {
    if (PLAIN.test(text)) return text.length
    let width = 0
    for (const { segment } of GRAPHEMES.segment(text)) width += widthOfGrapheme(segment)
    return width
}

function widthOfGrapheme(grapheme: string): number {
    if (NO_WIDTH.test(grapheme)) return 0
    return WIDE.test(grapheme) ? 2 : 1
}

/** As much of a text as there is room for. */
export function cut(text: string, width: number): string {
    if (widthOf(text) <= width) return text
    let kept = ""
    let room = width - 1
    for (const { segment } of GRAPHEMES.segment(text)) {
        room -= widthOfGrapheme(segment)
        if (room < 0) break
        kept += segment
    }
    return width < 1 ? "" : `${kept}…`
}
