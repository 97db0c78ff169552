import { UNRETRYABLE } from "../retry.ts"
import { KINDS } from "../thrown.ts"

/**
 * What was thrown, as one thread tells another. The way that Node copies errors keeps neither names of their own nor
 * fields such as `code`, and refuses what holds a function.
 */
export type ThrownCopy = { readonly value: unknown } | { readonly error: ErrorCopy }

interface ErrorCopy {
    readonly name: string
    readonly message: string
    readonly stack: string
    /** The name of the built-in class that it extends, besides Error. */
    readonly base?: string | undefined
    /** The names and values of its own fields, as far as they can be copied. */
    readonly fields: readonly [name: string, value: unknown][]
    /** Which errors of cuckmq it is. */
    readonly kinds?: readonly string[] | undefined
    readonly isUnretryable?: boolean
    readonly cause?: ThrownCopy
    readonly errors?: readonly ThrownCopy[]
}

const BASES: Record<string, ErrorConstructor> = {
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
}

/** How far a chain of causes is followed. */
const MAX_CAUSES = 10

/** Makes of a copy something like what was thrown. */
export function reviveThrown(copy: ThrownCopy): unknown {
    if (!("error" in copy)) return copy.value
    const { name, message, stack, base, fields, kinds, isUnretryable, cause, errors } = copy.error
    const error = new (BASES[base ?? ""] ?? Error)(message)
    // As they are on errors that were thrown here: not among what is enumerated.
    const hide = (key: string | symbol, value: unknown) =>
        Object.defineProperty(error, key, { value, writable: true, configurable: true })
    if (name !== error.name) hide("name", name)
    hide("stack", stack)
    if (cause !== undefined) hide("cause", reviveThrown(cause))
    if (errors !== undefined) hide("errors", errors.map(reviveThrown))
    if (kinds !== undefined) hide(KINDS, kinds)
    if (isUnretryable === true) hide(UNRETRYABLE, true)
    for (const [key, value] of fields)
        Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true })
    return error
}

/** Copies what is thrown on this side: errors of ours, and what caused them. */
export function copyThrown(thrown: unknown, depth = 0): ThrownCopy {
    if (!(thrown instanceof Error)) return isCloneable(thrown) ? { value: thrown } : { value: undefined }
    const { name, message, stack = "", cause } = thrown
    const fields = Object.entries(thrown).filter((field) => field[0] !== "name" && isCloneable(field[1]))
    return {
        error: {
            name,
            message,
            stack,
            fields,
            kinds: KINDS in thrown ? (thrown[KINDS] as readonly string[]) : undefined,
            ...(cause === undefined || depth === MAX_CAUSES ? {} : { cause: copyThrown(cause, depth + 1) }),
        },
    }
}

function isCloneable(value: unknown): boolean {
    try {
        structuredClone(value)
        return true
    } catch {
        return false
    }
}
