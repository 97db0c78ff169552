import { useEffect, useState } from "preact/hooks"
import { type Loaded, useLoad } from "./load.ts"

/** A page of a list. */
interface Page<Row> {
    rows: readonly Row[]
    next: string | null
}

interface Params<Row> {
    /** What is listed. */
    key: string
    /** How many rows a whole page has. */
    limit: number
    ask: (page: { after: string | undefined; limit: number }, signal: AbortSignal) => Promise<Page<Row>>
    everyMs?: number
}

/** A list that is read page by page, and what leads to the others. */
export interface Paging<Row> {
    page: Loaded<Page<Row>>
    /** To the page before; null on the first. */
    toNewer: (() => void) | null
    /** To the page after; null on the last. */
    toOlder: (() => void) | null
    /** More for this page, where it came back short; null where it is whole. */
    goOn: (() => void) | null
}

/** Where a page begins, and the places that were looked on from to fill it. */
interface Place {
    key: string
    /** Where the pages so far began, this one last; undefined is the beginning. */
    starts: (string | undefined)[]
    /** Where this page was gone on from. */
    more: string[]
}

/** Reads a list page by page, by the places that each page tells of. */
export function usePaging<Row>({ key, limit, ask, everyMs }: Params<Row>): Paging<Row> {
    const [held, setPlace] = useState<Place>({ key, starts: [undefined], more: [] })
    const place = held.key === key ? held : { key, starts: [undefined], more: [] }
    useEffect(() => setPlace(place), [key])
    const page = useLoad<Page<Row>>({
        key: JSON.stringify([key, place.starts, place.more]),
        everyMs,
        ask: async (signal) => {
            const rows: Row[] = []
            let next: string | null = null
            for (const after of [place.starts.at(-1), ...place.more]) {
                const part = await ask({ after, limit: Math.max(1, limit - rows.length) }, signal)
                rows.push(...part.rows)
                next = part.next
                if (next === null || rows.length >= limit) break
            }
            return { rows, next }
        },
    })
    const { next = null, rows = [] } = page.value ?? {}
    const isShort = next !== null && rows.length < limit
    return {
        page,
        toNewer:
            place.starts.length === 1
                ? null
                : () => setPlace({ key, starts: place.starts.slice(0, -1), more: [] }),
        toOlder: next === null ? null : () => setPlace({ key, starts: [...place.starts, next], more: [] }),
        goOn: isShort ? () => setPlace({ ...place, more: [...place.more, next] }) : null,
    }
}
