import { cut, harmless, widthOf } from "./text.ts"

const COLOURS = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, dim: 2, bold: 1 } as const

/** A colour, or another way to stand out. */
export type Colour = keyof typeof COLOURS

/** A piece of text, from anywhere, and perhaps a colour for it. */
export type Cell = string | number | { text: string; colour: Colour | null }

/** A column of a table. */
export interface Column {
    title: string
    /** Numbers stand on the right. */
    isNumber?: boolean
}

/** A column is not made narrower than this. */
const LEAST_WIDTH = 8

/** Gives text its colour. */
export function paint(colour: Colour | null, text: string | number): Cell {
    return { text: String(text), colour }
}

/** How text is laid out where it is shown. All that passes through it is made harmless. */
export class Look {
    /** How many cells a line has; infinity where lines may be as long as they are. */
    readonly width: number
    readonly #isColoured: boolean

    constructor(params: { width: number; isColoured: boolean }) {
        this.width = params.width
        this.#isColoured = params.isColoured
    }

    /** A line, as long as it is. */
    line(...cells: Cell[]): string {
        return cells.map((cell) => this.#painted(cell, harmless(textOf(cell)))).join("")
    }

    /** A line, cut to the width. */
    fitted(...cells: Cell[]): string {
        let room = this.width
        return cells
            .map((cell) => {
                const text = cut(harmless(textOf(cell)), room)
                room -= widthOf(text)
                return this.#painted(cell, text)
            })
            .join("")
    }

    /** Text of several lines. */
    block(text: string, indent = ""): string[] {
        return text.split(/\r?\n/).map((line) => indent + this.line(line))
    }

    /** Names and values, below each other. */
    fields(fields: readonly (readonly [name: string, value: Cell])[]): string[] {
        const width = Math.max(0, ...fields.map(([name]) => widthOf(name)))
        return fields.map(
            ([name, value]) => this.line(paint("dim", `${name}:`.padEnd(width + 2))) + this.line(value),
        )
    }

    /** Rows below each other, cut to the width. */
    table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string[] {
        const texts = rows.map((row) => columns.map((_, index) => harmless(textOf(row[index] ?? ""))))
        const widths = columns.map(({ title }, index) =>
            Math.max(widthOf(title), ...texts.map((row) => widthOf(row[index] ?? ""))),
        )
        this.#shrink(widths)
        const numShown = numFitting(widths, this.width)
        const lay = (row: readonly string[], cellOf: (index: number) => Cell) =>
            columns
                .slice(0, numShown)
                .map(({ isNumber = false }, index) => {
                    const width = widths[index] ?? 0
                    const text = cut(row[index] ?? "", width)
                    const gap = " ".repeat(width - widthOf(text))
                    const painted = this.#painted(cellOf(index), text)
                    if (isNumber) return gap + painted
                    return index === numShown - 1 ? painted : painted + gap
                })
                .join("  ")
        const titles = columns.map(({ title }) => title)
        return [
            lay(titles, () => paint("bold", "")),
            ...texts.map((row, at) => lay(row, (index) => rows[at]?.[index] ?? "")),
        ]
    }

    /** Takes from the widest column until all fit. */
    #shrink(widths: number[]): void {
        const total = () => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1))
        while (total() > this.width) {
            const widest = widths.indexOf(Math.max(...widths))
            const width = widths[widest] ?? 0
            if (width <= LEAST_WIDTH) return
            widths[widest] = Math.max(LEAST_WIDTH, width - (total() - this.width), secondOf(widths))
            if (widths[widest] === width) widths[widest] = width - 1
        }
    }

    #painted(cell: Cell, text: string): string {
        const colour = typeof cell === "object" ? cell.colour : null
        return this.#isColoured && colour !== null && text !== ""
            ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m`
            : text
    }
}

/** How many columns there is room for, beginning with the first. */
function numFitting(widths: readonly number[], width: number): number {
    let room = width + 2
    const first = widths.findIndex((taken) => {
        room -= taken + 2
        return room < 0
    })
    return first < 0 ? widths.length : Math.max(1, first)
}

function secondOf(widths: readonly number[]): number {
    return [...widths].sort((a, b) => b - a)[1] ?? 0
}

function textOf(cell: Cell): string {
    return typeof cell === "object" ? cell.text : String(cell)
}
