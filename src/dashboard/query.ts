import { badRequest } from "./refusal.ts"

/** What stands behind the question mark of a request. */
export class Query {
    readonly #values: ReadonlyMap<string, string>

    /** @throws Refusal with 400 for a name that is not known, or given twice. */
    constructor(params: URLSearchParams, known: readonly string[]) {
        const values = new Map<string, string>()
        for (const [name, value] of params) {
            if (!known.includes(name))
                throw badRequest(
                    `there is no parameter ${shown(name)} here; there ${known.length === 0 ? "is none" : `are: ${known.join(", ")}`}`,
                )
            if (values.has(name)) throw badRequest(`the parameter \`${name}\` is given twice`)
            values.set(name, value)
        }
        this.#values = values
    }

    /** A parameter as it is. */
    text(name: string): string | undefined {
        return this.#values.get(name)
    }

    /** A number. Its range is for the inspector to check. */
    number(name: string): number | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        if (!/^-?\d{1,16}(\.\d{1,16})?$/.test(text)) throw expected(name, "a number", text)
        return Number(text)
    }

    /** An instant. */
    instant(name: string): Date | undefined {
        const text = this.text(name)
        return text === undefined ? undefined : instantOf(name, text)
    }

    /** `true` or `false`. */
    boolean(name: string): boolean | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        if (text !== "true" && text !== "false") throw expected(name, "true or false", text)
        return text === "true"
    }

    /** A JSON object. */
    object(name: string): object | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        try {
            const value: unknown = JSON.parse(text)
            if (typeof value === "object" && value !== null) return value
        } catch {}
        throw expected(name, "a JSON object", text)
    }

    /** What a parameter must be there for. */
    required<Value>(name: string, value: Value | undefined): Value {
        if (value === undefined) throw badRequest(`the parameter \`${name}\` is missing`)
        return value
    }
}

const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/

/** Reads an instant; a date alone is midnight UTC. */
export function instantOf(name: string, value: unknown): Date {
    const at = typeof value === "string" && INSTANT.test(value) ? new Date(value) : undefined
    if (at === undefined || Number.isNaN(at.getTime()))
        throw expected(name, "an instant such as 2026-01-31T12:00:00Z", value)
    return at
}

/** Options without those that were not given. */
export function given<Options extends object>(
    options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
        [Name in keyof Options]?: Exclude<Options[Name], undefined>
    }
}

function expected(name: string, what: string, got: unknown) {
    return badRequest(`expected \`${name}\` to be ${what}, got: ${shown(got)}`)
}

/** A value of the request in a message about it. */
function shown(value: unknown): string {
    const text = JSON.stringify(value) ?? typeof value
    return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
