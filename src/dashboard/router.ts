import { notFound, Refusal } from "./refusal.ts"
import type { Route } from "./route.ts"

/** The route of a request, and what stands for `:id`. */
export interface Match {
    route: Route
    id: number
}

/**
 * Finds the route that one of several readings of a path names.
 *
 * @returns undefined where none of them names any.
 * @throws Refusal with 404 for an id that is none, 405 for a path that has other methods.
 */
export function match(
    routes: readonly Route[],
    method: string,
    paths: readonly (readonly string[])[],
): Match | undefined {
    for (const path of paths) {
        const found = routes.filter((route) => fits(route, path))
        if (found.length === 0) continue
        const route = found.find((one) => one.method === method)
        if (route === undefined) throw methodNotAllowed([...new Set(found.map((one) => one.method))].sort())
        return { route, id: idIn(route, path) }
    }
    return undefined
}

/** Refuses a method, and says which there are. */
export function methodNotAllowed(methods: readonly string[]): Refusal {
    return new Refusal({
        status: 405,
        code: "DASHBOARD_METHOD_NOT_ALLOWED",
        message: `expected the method ${methods.join(" or ")}`,
        headers: { allow: methods.join(", ") },
    })
}

function fits(route: Route, path: readonly string[]): boolean {
    const parts = route.path.split("/")
    return (
        parts.length === path.length &&
        parts.every((part, index) =>
            part === ":id" ? /^\d+$/.test(path[index] ?? "") : part === path[index],
        )
    )
}

function idIn(route: Route, path: readonly string[]): number {
    const index = route.path.split("/").indexOf(":id")
    if (index < 0) return 0
    const id = Number(path[index])
    if (!Number.isSafeInteger(id) || id < 1) throw notFound("there is nothing with such an id")
    return id
}
