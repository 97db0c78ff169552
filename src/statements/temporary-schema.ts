import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** What a schema is for that nobody may need any more, for who finds one that was left over. */
const creations = statementText(
    (schema) => /* sql */ `-- cuckmq: create-temporary-schema
create schema ${schema}`,
)

const remarks = statementText(
    (schema) => /* sql */ `-- cuckmq: mark-temporary-schema
comment on schema ${schema} is 'A temporary queue of cuckmq. Once the process that made it has ended, it may be dropped.'`,
)

const drops = statementText(
    (schema) => /* sql */ `-- cuckmq: drop-temporary-schema
drop schema if exists ${schema} cascade`,
)

/** Makes a schema, in a transaction; fails when there is one of its name. */
export async function createTemporarySchema({ run, schema }: Query): Promise<void> {
    await run(creations(schema), [])
    await run(remarks(schema), [])
}

/** Drops a schema with all that is in it. Waits for statements that are still at work there. */
export async function dropTemporarySchema({ run, schema }: Query): Promise<void> {
    await run(drops(schema), [])
}
