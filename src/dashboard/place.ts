/** What the path of a request names. */
export type Place =
    | { kind: "document" }
    /** The document, without the slash that what it loads is relative to. */
    | { kind: "redirect"; to: string }
    | { kind: "asset"; name: string }
    /** What may be meant: where the path before the dashboard has an `api` in it, the last one comes first. */
    | { kind: "api"; paths: string[][] }
    | { kind: "nothing" }

/**
 * Finds out what a path names by its end, since nobody says where the dashboard is mounted: what begins with `api/` after
 * any slash, `assets/NAME`, or else the document, whose path ends in a slash.
 */
export function placeOf(pathname: string): Place {
    const segments = pathname.split("/")
    const last = segments.at(-1) ?? ""
    if (last === "") return { kind: "document" }
    if (segments.at(-2) === "assets") return { kind: "asset", name: last }
    const paths = segments
        .flatMap((segment, index) => (segment === "api" && index < segments.length - 1 ? [index] : []))
        .reverse()
        .map((index) => segments.slice(index + 1))
    if (paths.length > 0) return { kind: "api", paths }
    return last.includes(".") ? { kind: "nothing" } : { kind: "redirect", to: withSlash(last) }
}

/** The same path with a slash, relative to itself: so it leads to the same host, whatever it looks like. */
export function withSlash(last: string): string {
    return `./${last}/`
}

/** Finds out what a path names whose beginning, where the dashboard is mounted, was taken off. */
export function placeWithin(pathname: string): Place {
    const [, first, ...rest] = pathname.split("/")
    if (pathname === "/") return { kind: "document" }
    if (first === "api" && rest.length > 0 && rest[0] !== "") return { kind: "api", paths: [rest] }
    const [name = ""] = rest
    if (first === "assets" && rest.length === 1 && name !== "") return { kind: "asset", name }
    return { kind: "nothing" }
}
