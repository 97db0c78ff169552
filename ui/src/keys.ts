import { go, href } from "./route.ts"

/** The pages, in the order of the navigation, and the letter that leads to each after `g`. */
export const PAGE_KEYS = [
    { path: "", title: "Overview", letter: "o" },
    { path: "jobs", title: "Jobs", letter: "j" },
    { path: "dead-letters", title: "Dead letters", letter: "x" },
    { path: "definitions", title: "Definitions", letter: "d" },
    { path: "schedules", title: "Schedules", letter: "s" },
    { path: "limits", title: "Limits", letter: "l" },
    { path: "workers", title: "Workers", letter: "w" },
    { path: "operations", title: "Operations", letter: "a" },
    { path: "doctor", title: "Doctor", letter: "h" },
] as const

/** How long after `g` a letter counts. */
const WAIT_MS = 1_500

/** What keys do that are not of one page. */
interface KeyActions {
    onHelp: () => void
    onAdd: () => void
}

/** Listens to keys, wherever the focus is but in a field or a dialog. Returns what ends that. */
export function listenToKeys({ onHelp, onAdd }: KeyActions): () => void {
    let goesUntil = 0
    const onKey = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
        if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return
        if (event.timeStamp < goesUntil) {
            goesUntil = 0
            const page = PAGE_KEYS.find(({ letter }) => letter === event.key)
            if (page === undefined) return
            event.preventDefault()
            go(href(page.path === "" ? [] : [page.path]))
            return
        }
        if (event.key === "g") goesUntil = event.timeStamp + WAIT_MS
        else if (event.key === "/") focusFilter(event)
        else if (event.key === "?") onHelp()
        else if (event.key === "n") onAdd()
        else return
        if (event.key !== "g") event.preventDefault()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
}

function focusFilter(event: KeyboardEvent): void {
    const field = document.querySelector<HTMLElement>("[data-filter=true]")
    if (field === null) return
    event.preventDefault()
    field.focus()
}

function isTyping(target: EventTarget | null): boolean {
    return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select")
}
