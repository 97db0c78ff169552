import { quoteSchema } from "../db/identifier.ts"
import { MIGRATIONS } from "./migrate.ts"

/** What migrations make, by name. */
export interface SchemaObjects {
    /** Tables and their columns. A partition has those of the table that it is of. */
    tables: Map<string, string[]>
    /** Indexes that are made by statements of their own. */
    indexes: string[]
}

let known: SchemaObjects | undefined

/**
 * What all migrations of this release together make, read from their own statements, so that it cannot lag behind them.
 * A test compares it with what they made. Read once, since it takes some milliseconds.
 */
export function schemaObjects(): SchemaObjects {
    known ??= readObjects()
    return known
}

function readObjects(): SchemaObjects {
    const tables = new Map<string, string[]>()
    const indexes = new Set<string>()
    const schema = quoteSchema("s")
    for (const statement of MIGRATIONS.flatMap((migration) => migration.statements(schema))) {
        const [, created, body] = /^create table "s"\.(\w+) (?:\((.*)\)|partition)/s.exec(statement) ?? []
        if (created !== undefined) tables.set(created, columnsIn(body ?? ""))
        const [, altered] = /^alter table "s"\.(\w+)/.exec(statement) ?? []
        const added = [...statement.matchAll(/\badd column (\w+)/g)].map(([, column]) => column ?? "")
        if (altered !== undefined) tables.set(altered, [...(tables.get(altered) ?? []), ...added])
        const [, index] = /^create (?:unique )?index (\w+)/.exec(statement) ?? []
        if (index !== undefined) indexes.add(index)
        const [, dropped] = /^drop index "s"\.(\w+)/.exec(statement) ?? []
        if (dropped !== undefined) indexes.delete(dropped)
    }
    return { tables, indexes: [...indexes] }
}

/** Each stands on a line of its own. */
function columnsIn(body: string): string[] {
    const names = [...body.matchAll(/^ *(\w+) \S/gm)].map(([, name]) => name ?? "")
    return names.filter((name) => name !== "constraint")
}
