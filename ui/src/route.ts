import { createStore } from "./store.ts"

/** Where the page is: what the fragment of the address says, such as `#/jobs/17?tab=logs`. */
export interface Route {
    /** The parts of the path; none on the first page. */
    path: string[]
    query: URLSearchParams
}

/** Where the page is. */
export const route = createStore<Route>(parseRoute(location.hash))

window.addEventListener("hashchange", () => route.set(parseRoute(location.hash)))

/** Reads a fragment. What was typed wrongly is taken as it is, and leads to no page. */
export function parseRoute(hash: string): Route {
    const text = hash.replace(/^#\/?/, "")
    const at = text.indexOf("?")
    const path = at < 0 ? text : text.slice(0, at)
    return {
        path: path
            .split("/")
            .filter((part) => part !== "")
            .map(decoded),
        query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)),
    }
}

/** The address of a page. What is undefined or empty is left out of the query. */
export function href(
    path: readonly (string | number)[],
    query: Record<string, string | undefined> = {},
): string {
    const given = Object.entries(query).flatMap(([name, value]) =>
        value === undefined || value === "" ? [] : [[name, value]],
    )
    const tail = given.length === 0 ? "" : `?${new URLSearchParams(given)}`
    return `#/${path.map((part) => encodeURIComponent(part)).join("/")}${tail}`
}

/** Goes to an address as if a link to it had been followed. */
export function go(address: string): void {
    location.hash = address
}

function decoded(part: string): string {
    try {
        return decodeURIComponent(part)
    } catch {
        return part
    }
}
