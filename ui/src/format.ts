import { clock } from "./preferences.ts"

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const wholeNumbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })
const shortNumbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2, maximumSignificantDigits: 3 })
const compactNumbers = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 })

/** A whole number, with separators of thousands. */
export function number(value: number): string {
    return wholeNumbers.format(value)
}

/** A number that need not be whole, such as a rate. */
export function decimal(value: number): string {
    return Math.abs(value) >= 1_000 ? number(value) : shortNumbers.format(value)
}

/** A number where there is little room, such as `1.2M`. */
export function compact(value: number): string {
    return value < 10_000 ? decimal(value) : compactNumbers.format(value)
}

/** How many there are, and whether that is exact. */
export function count({ num, isExact }: { num: number; isExact: boolean }): string {
    return isExact ? number(num) : `~${number(num)}`
}

/** `1 job`, `2 jobs`. */
export function counted(num: number, one: string, several = `${one}s`): string {
    return `${number(num)} ${num === 1 ? one : several}`
}

/** How long something takes, in the two largest units, such as `1 m 20 s`. */
export function duration(ms: number): string {
    if (ms < 1) return ms <= 0 ? "0 ms" : "< 1 ms"
    if (ms < SECOND) return `${Math.round(ms)} ms`
    if (ms < 10 * SECOND) return `${shortNumbers.format(Math.round(ms / 10) / 100)} s`
    if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`
    if (ms < HOUR) return two(ms, [MINUTE, "m"], [SECOND, "s"])
    if (ms < DAY) return two(ms, [HOUR, "h"], [MINUTE, "m"])
    return two(ms, [DAY, "d"], [HOUR, "h"])
}

type Unit = readonly [ms: number, name: string]

function two(ms: number, [largeMs, large]: Unit, [smallMs, small]: Unit): string {
    const whole = Math.round(ms / smallMs) * smallMs
    const num = Math.floor(whole / largeMs)
    const rest = Math.round((whole % largeMs) / smallMs)
    return rest === 0 ? `${number(num)} ${large}` : `${number(num)} ${large} ${rest} ${small}`
}

/** How far an instant is from now, in one unit, such as `in 5 m` or `3 h ago`. */
export function relative(atMs: number, nowMs: number): string {
    const ms = Math.abs(atMs - nowMs)
    // What the server has just told of would else be in the future, for what is known of its clock comes late.
    if (ms < (atMs > nowMs ? 2 * SECOND : SECOND)) return "now"
    const [unit, name]: Unit =
        ms < MINUTE ? [SECOND, "s"] : ms < HOUR ? [MINUTE, "m"] : ms < 2 * DAY ? [HOUR, "h"] : [DAY, "d"]
    const text = `${number(Math.floor(ms / unit))} ${name}`
    return atMs > nowMs ? `in ${text}` : `${text} ago`
}

/** An instant by the clock that was chosen, such as `2026-11-29 06:20:07.123`. */
export function exact(atMs: number): string {
    const date = new Date(atMs)
    if (Number.isNaN(atMs)) return "an unknown time"
    if (clock.get() === "utc") return date.toISOString().replace("T", " ").replace("Z", " UTC")
    const local = new Date(atMs - date.getTimezoneOffset() * MINUTE)
    const offset = -date.getTimezoneOffset()
    const sign = offset < 0 ? "-" : "+"
    const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
    const zone = `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`
    return `${local.toISOString().replace("T", " ").replace("Z", "")} ${zone}`
}

/** A sentence with the instants in it by the clock that was chosen. What it quotes stays as it is. */
export function withExactTimes(sentence: string): string {
    return sentence.replaceAll(/"(?:[^"\\]|\\.)*"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (part) =>
        part.startsWith('"') ? part : exact(Date.parse(part)),
    )
}

/** The time of day, with the day where a chart goes over several. */
export function timeOfDay(atMs: number, spanMs: number): string {
    const text = exact(atMs)
    if (spanMs > 2 * DAY) return text.slice(5, 10)
    return spanMs < 5 * MINUTE ? text.slice(11, 19) : text.slice(11, 16)
}

/** What `<input type="datetime-local">` holds, read by the clock that was chosen, as ISO text. */
export function fromInput(value: string): string | undefined {
    if (value === "") return undefined
    const at = new Date(clock.get() === "utc" ? `${value}Z` : value)
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}

/** What `<input type="datetime-local">` is to hold for an instant, by the clock that was chosen. */
export function toInput(iso: string | undefined): string {
    const atMs = Date.parse(iso ?? "")
    return Number.isNaN(atMs) ? "" : exact(atMs).slice(0, 19).replace(" ", "T")
}

/** Control characters, and those that turn the direction of what follows: they would hide what a text says. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g

/** A text from outside, with what would not be seen made visible. */
export function visible(text: string): string {
    return text.replaceAll("\r\n", "\n").replaceAll(HIDDEN, (character) => {
        const code = character.charCodeAt(0)
        return code < 0x20
            ? String.fromCharCode(0x2400 + code)
            : `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`
    })
}
