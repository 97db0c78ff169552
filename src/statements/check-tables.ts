import { statementText } from "../db/identifier.ts"
import { schemaObjects } from "../schema/objects.ts"
import type { Query } from "./query.ts"

/** How large the table of live jobs is, by the server's statistics. */
export interface JobTable {
    numBytes: number
    numLive: number
    numDead: number
    isVacuumed: boolean
    /** Milliseconds since 1970; null when it never was, as far as statistics go back. */
    lastVacuumAtMs: number | null
}

/** What is not as migrations made it, and the table of live jobs. */
export interface TableFacts {
    missing: string[]
    invalidIndexes: string[]
    job: JobTable | null
}

/** `$1` is the schema, quoted, since names are looked up as text. */
const text = statementText(
    () => /* sql */ `-- cuckmq: check-tables
with relation as materialized (
    select pg_class.oid, relname, relkind, reloptions
    from pg_catalog.pg_class
    where relnamespace = $1::text::regnamespace
)
select pg_catalog.jsonb_build_object(
    'tables', (
        select pg_catalog.jsonb_object_agg(relname, (
            select pg_catalog.jsonb_agg(attname) from pg_catalog.pg_attribute
            where attrelid = relation.oid and attnum > 0 and not attisdropped
        ))
        from relation
        where relkind in ('r', 'p')
    ),
    'indexes', (select pg_catalog.jsonb_agg(relname) from relation where relkind in ('i', 'I')),
    'invalidIndexes', coalesce((
        select pg_catalog.jsonb_agg(relname order by relname)
        from relation
        join pg_catalog.pg_index on indexrelid = relation.oid
        where not indisvalid or not indisready
    ), '[]'),
    'job', (
        select pg_catalog.jsonb_build_object(
            'numBytes', pg_relation_size(relation.oid),
            'numLive', pg_stat_get_live_tuples(relation.oid), 'numDead', pg_stat_get_dead_tuples(relation.oid),
            'isVacuumed', not coalesce('autovacuum_enabled=false' = any(reloptions), false),
            'lastVacuumAtMs', date_part('epoch', greatest(
                pg_stat_get_last_vacuum_time(relation.oid), pg_stat_get_last_autovacuum_time(relation.oid)
            )) * 1000::double precision
        )
        from relation
        where relname = 'job' and relkind = 'r'
    )
)::text`,
)

/** Compares the schema with what migrations make, and reads how large the table of live jobs is. */
export async function checkTables({ run, schema }: Query): Promise<TableFacts> {
    const [row] = await run(text(schema), [schema])
    const found = JSON.parse(row?.[0] ?? "{}") as Pick<TableFacts, "invalidIndexes" | "job"> & {
        tables: Record<string, string[] | null> | null
        indexes: string[] | null
    }
    const expected = schemaObjects()
    const missing: string[] = []
    for (const [table, columns] of expected.tables) {
        const actual = new Map(Object.entries(found.tables ?? {})).get(table)
        if (actual === undefined) missing.push(`table ${table}`)
        else
            missing.push(
                ...columns
                    .filter((column) => !actual?.includes(column))
                    .map((column) => `column ${table}.${column}`),
            )
    }
    missing.push(
        ...expected.indexes.filter((name) => !found.indexes?.includes(name)).map((name) => `index ${name}`),
    )
    return { missing, invalidIndexes: found.invalidIndexes, job: found.job }
}
