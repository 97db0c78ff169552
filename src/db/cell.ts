/** The number in a cell of a row; null where the cell is, or is not there. */
export function numberOrNull(cell: string | null | undefined): number | null {
    return typeof cell === "string" ? Number(cell) : null
}
