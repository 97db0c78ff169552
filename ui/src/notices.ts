import { messageOf } from "./http.ts"
import { createStore } from "./store.ts"

/** Something that was done, or could not be. */
export interface Notice {
    id: number
    isError: boolean
    text: string
}

/** What has been told and was not put away. */
export const notices = createStore<Notice[]>([])

const SHOWN_MS = 6_000
const MAX_SHOWN = 4
let lastID = 0

/** Tells that something was done. It goes away by itself. */
export function tell(text: string): void {
    const id = add(text, false)
    setTimeout(() => dismiss(id), SHOWN_MS)
}

/** Tells that something failed. It stays until it is put away. */
export function tellError(error: unknown): void {
    add(messageOf(error), true)
}

export function dismiss(id: number): void {
    notices.set(notices.get().filter((notice) => notice.id !== id))
}

function add(text: string, isError: boolean): number {
    const id = ++lastID
    notices.set([...notices.get(), { id, isError, text }].slice(-MAX_SHOWN))
    return id
}
