import { statementText } from "../db/identifier.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasReadyJob, type Query } from "./query.ts"

/** By one look into an index for each definition. */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: select-ready-channels
select distinct definition.channel
from ${schema}.job_definition as definition
where definition.retired_by is null and definition.id <> all(${pausedDefinitions(schema)})
    and ${hasReadyJob(schema, "definition.id")}
order by definition.channel`,
)

/** The channels that have ready jobs which no pause of a definition, a channel or everything holds back. */
export async function selectReadyChannels({ run, schema }: Query): Promise<string[]> {
    return (await run(text(schema), [])).map(([channel]) => channel ?? "")
}
