import type { ComponentChildren } from "preact"
import { useRef } from "preact/hooks"
import { ScrollBox } from "./scroll-box.tsx"

/** A column of a table. */
export interface Column<Row> {
    title: string
    cell: (row: Row) => ComponentChildren
    /** Numbers stand on the right. */
    isNumber?: boolean
    /** Takes what room there is. */
    isWide?: boolean
}

/** Which rows are selected, by their keys. */
export interface Selection {
    keys: ReadonlySet<string>
    set: (keys: ReadonlySet<string>) => void
}

interface Props<Row> {
    /** What the table is of. */
    label: string
    columns: readonly Column<Row>[]
    rows: readonly Row[]
    keyOf: (row: Row) => string
    /** What to say where there are no rows. */
    empty: ComponentChildren
    selection?: Selection | undefined
}

/**
 * Rows with columns. Where there is little room each row becomes a card, which takes the meaning of table elements from
 * them, so their roles are given.
 */
export function Table<Row>(props: Props<Row>) {
    const { label, columns, rows, keyOf, empty, selection } = props
    const select = useSelecting(rows.map(keyOf), selection)
    if (rows.length === 0) return <p class="empty muted">{empty}</p>
    return (
        <ScrollBox class="scroll" label={label}>
            <table role="table" aria-label={label}>
                <thead role="rowgroup">
                    <tr role="row">
                        {selection !== undefined && (
                            <th role="columnheader" scope="col" class="pick">
                                <label>
                                    <input
                                        type="checkbox"
                                        checked={select.isAll}
                                        onChange={select.toggleAll}
                                    />
                                    <span class="only-read">Select all rows that are shown</span>
                                </label>
                            </th>
                        )}
                        {columns.map((column) => (
                            <th role="columnheader" scope="col" key={column.title} class={classOf(column)}>
                                {column.title}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    {rows.map((row) => (
                        <Row
                            key={keyOf(row)}
                            row={row}
                            columns={columns}
                            isSelected={selection?.keys.has(keyOf(row))}
                            onSelect={(isRange) => select.toggle(keyOf(row), isRange)}
                        />
                    ))}
                </tbody>
            </table>
        </ScrollBox>
    )
}

function Row<Row>(props: {
    row: Row
    columns: readonly Column<Row>[]
    isSelected: boolean | undefined
    onSelect: (isRange: boolean) => void
}) {
    const { row, columns, isSelected, onSelect } = props
    return (
        <tr role="row" class={isSelected === true ? "selected" : undefined}>
            {isSelected !== undefined && (
                <td role="cell" class="pick">
                    <input
                        type="checkbox"
                        aria-label="Select this row"
                        title="With shift: all rows from the last one to this one"
                        checked={isSelected}
                        onClick={(event) => onSelect(event.shiftKey)}
                    />
                </td>
            )}
            {columns.map((column) => (
                <td role="cell" key={column.title} class={classOf(column)} data-title={column.title}>
                    {column.cell(row)}
                </td>
            ))}
        </tr>
    )
}

function classOf<Row>({ isNumber, isWide }: Column<Row>): string | undefined {
    return isNumber === true ? "right" : isWide === true ? "wide" : undefined
}

/** What ticking a box does: with shift it does the same to all rows since the last one. */
function useSelecting(keys: readonly string[], selection: Selection | undefined) {
    const last = useRef<string | null>(null)
    const selected = selection?.keys ?? new Set<string>()
    const isAll = keys.length > 0 && keys.every((key) => selected.has(key))
    return {
        isAll,
        toggleAll: () => selection?.set(new Set(isAll ? [] : keys)),
        toggle: (key: string, isRange: boolean) => {
            const to = keys.indexOf(key)
            const from = isRange && last.current !== null ? keys.indexOf(last.current) : to
            const range = keys.slice(Math.min(to, from < 0 ? to : from), Math.max(to, from) + 1)
            const next = new Set(selected)
            const isAdded = !selected.has(key)
            for (const one of range) isAdded ? next.add(one) : next.delete(one)
            last.current = key
            selection?.set(next)
        },
    }
}
