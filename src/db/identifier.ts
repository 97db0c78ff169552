import { createHash } from "node:crypto"
import { InvalidOptionError } from "../errors.ts"

declare const quoted: unique symbol

/** A schema name in double quotes: the only thing that SQL text interpolates. */
export type QuotedSchema = string & { readonly [quoted]: true }

/** Postgres cuts longer identifiers short, so two names could become one. */
const MAX_IDENTIFIER_BYTES = 63

function refuse(reason: string): never {
    throw new InvalidOptionError({
        option: "schema",
        message: `expected \`schema\` to be a Postgres schema name, ${reason}`,
    })
}

/** Quotes a schema name, once. Takes every name that Postgres takes and throws `InvalidOptionError` for others. */
export function quoteSchema(name: unknown): QuotedSchema {
    if (typeof name !== "string" || name === "")
        refuse(`got: ${typeof name === "string" ? "an empty text" : typeof name}`)
    if (Buffer.byteLength(name) > MAX_IDENTIFIER_BYTES)
        refuse(`at most ${MAX_IDENTIFIER_BYTES} bytes, got: ${Buffer.byteLength(name)} bytes`)
    if (name.includes("\u0000") || !name.isWellFormed())
        refuse("got one with a NUL character or a lone surrogate")
    if (name.startsWith("pg_"))
        refuse(`which never starts with pg_ (Postgres reserves it), got: ${JSON.stringify(name)}`)
    return `"${name.replaceAll('"', '""')}"` as QuotedSchema
}

/** An identifier of ours for a text of any length: a hash of it, so that it needs no quotes and no other text has it. */
export function identifierOf(text: string): string {
    return `cuckmq_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`
}

/** The sequence that numbers jobs and their positions, as a constant for `nextval`. */
export function jobSequence(schema: QuotedSchema): string {
    return `'${schema.replaceAll("'", "''")}.job_sequence'::regclass`
}

/** Builds a statement's text once for every schema. The first line of each names it, for `pg_stat_activity`. */
export function statementText(build: (schema: QuotedSchema) => string): (schema: QuotedSchema) => string {
    const texts = new Map<QuotedSchema, string>()
    return (schema) => {
        const known = texts.get(schema)
        if (known !== undefined) return known
        const text = build(schema)
        texts.set(schema, text)
        return text
    }
}
