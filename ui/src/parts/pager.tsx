import { counted } from "../format.ts"
import type { Paging } from "../paging.ts"
import { Button } from "./button.tsx"

/** What leads through the pages of a list. `numLooks` is how many rows one request looks through. */
export function Pager<Row>(props: { paging: Paging<Row>; isOldestFirst?: boolean; numLooks?: number }) {
    const { paging, isOldestFirst = false, numLooks } = props
    const { page, toNewer, toOlder, goOn } = paging
    if (page.value === undefined) return null
    const num = page.value.rows.length
    const [back, forth] = isOldestFirst ? ["← Older", "Newer →"] : ["← Newer", "Older →"]
    return (
        <nav class="pager" aria-label="Pages of the list">
            <span class="muted" role="status">
                {counted(num, "row")}
                {goOn !== null &&
                    numLooks !== undefined &&
                    `, after looking through up to ${counted(numLooks, "job")}. There may be more behind.`}
            </span>
            {goOn !== null && <Button onClick={goOn}>Go on</Button>}
            <Button isDisabled={toNewer === null} onClick={() => toNewer?.()}>
                {back}
            </Button>
            <Button isDisabled={toOlder === null} onClick={() => toOlder?.()}>
                {forth}
            </Button>
        </nav>
    )
}
