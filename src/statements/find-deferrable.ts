import { statementText } from "../db/identifier.ts"
import type { Limits } from "../gate.ts"
import type { DeferralNeeds } from "./definitions.ts"
import type { Query } from "./query.ts"

/** A definition, as far as a job of it can be deferred without its code. */
export interface Deferrable {
    id: number
    channel: string
    limits: Limits | null
    /** Null where it was written down by a release that did not say. */
    deferral: DeferralNeeds | null
}

const text = statementText(
    (schema) => /* sql */ `-- cuckmq: find-deferrable
select pg_catalog.jsonb_build_object('id', id, 'channel', channel, 'limits', limits, 'deferral', deferral)::text
from ${schema}.job_definition
where name = $1::text and retired_by is null`,
)

/** The definition of a name; undefined when there is none, or it is retired. */
export async function findDeferrable({
    run,
    schema,
    name,
}: Query & { name: string }): Promise<Deferrable | undefined> {
    const [row] = await run(text(schema), [name])
    return row === undefined ? undefined : (JSON.parse(row[0] ?? "{}") as Deferrable)
}
