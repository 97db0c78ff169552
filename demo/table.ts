import { dim } from "./paint.ts"

/** A column of a table. */
export interface Column {
    title: string
    width: number
    isNumber?: boolean
}

/** A table as lines, its cells cut or padded to the columns' widths. */
export function tableLines(columns: readonly Column[], rows: readonly (string | number)[][]): string[] {
    const titles = columns.map((column) => cell(column, column.title)).join("")
    return [
        dim(titles),
        ...rows.map((row) => columns.map((column, i) => cell(column, row[i] ?? "")).join("")),
    ]
}

/** One cell. A number has thousands separated; zero is left to a dot, so that what happened stands out. */
export function cell({ width, isNumber = false }: Column, value: string | number): string {
    const text = typeof value === "number" ? (value === 0 ? "·" : value.toLocaleString("en")) : value
    const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text
    return isNumber ? cut.padStart(width) : cut.padEnd(width)
}
