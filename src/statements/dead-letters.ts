import type { Row } from "../db/driver.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { FailureReason } from "../events.ts"
import { FIRST_RETENTION_SLOT } from "./history-rings.ts"
import type { Query } from "./query.ts"

/** Which dead letters; what is null does not matter. */
export interface LetterFilter {
    definition: string | null
    reasons: readonly FailureReason[] | null
    /** Milliseconds since 1970; from this one on. */
    failedAfterMs: number | null
    /** Up to this one, without it. */
    failedBeforeMs: number | null
    /** A part of the message of the last attempt's error. */
    errorText: string | null
}

/** A place among the dead letters, in the order in which their jobs failed. */
export interface LetterPlace {
    /** Microseconds since 1970, which is as fine as the database counts. */
    failedAtUs: number
    id: number
}

/** A dead letter as history has it. */
export interface LetterRow extends LetterPlace {
    name: string
    reason: FailureReason
    attempt: number
    createdAtMs: number
    dueAtMs: number
    worker: string | null
    /** JSON text. */
    payload: string
    /** JSON text of the list of what the attempts threw. */
    errors: string | null
}

/** Where to look for dead letters. */
export interface Look extends Query {
    filter: LetterFilter
    /** Where the last part ended; null at the beginning. */
    after: LetterPlace | null
    /** How many to return at the most. */
    limit: number
    /** How many to look through at the most, for those that fit. */
    numLooks: number
}

/** A part of the dead letters. */
export interface Letters<Letter> {
    letters: Letter[]
    /** Where the next part begins; null when this was the last. */
    next: LetterPlace | null
}

/** Microseconds since 1970, as SQL. */
const AT_US = /* sql */ `(extract(epoch from finalized_at) * 1000000::numeric)::bigint`

/**
 * Each definition's dead letters are in the order of an index, partition by partition, and nothing else is: so a flood of
 * successes is in nobody's way. By reason and error they are looked through, no more than `$9` in one statement. The
 * first two columns say where that ended, if there may be more.
 */
function lettersText(params: {
    schema: QuotedSchema
    name: string
    columns: string
    order: "asc" | "desc"
}): string {
    const { schema, name, columns, order } = params
    const isBehind = order === "asc" ? ">" : "<"
    return /* sql */ `-- cuckmq: ${name}
with chunk as materialized (
    select letter.*, definition.name
    from ${schema}.job_definition as definition
    cross join lateral (
        select * from ${schema}.job_history as letter
        where letter.definition_id = definition.id and letter.outcome = 'failed' and letter.slot >= ${FIRST_RETENTION_SLOT}
            and letter.finalized_at >= coalesce(to_timestamp($2::double precision / 1000::double precision), '-infinity')
            and letter.finalized_at < coalesce(to_timestamp($3::double precision / 1000::double precision), 'infinity')
            and ($6::bigint is null or (letter.finalized_at, letter.id) ${isBehind}
                (timestamptz 'epoch' + $6::double precision * interval '1 microsecond', $7::bigint))
        order by letter.finalized_at ${order}, letter.id ${order}
        limit $9::integer
    ) as letter
    where $1::text is null or definition.name = $1
    order by letter.finalized_at ${order}, letter.id ${order}
    limit $9::integer
), looked as (
    select ${AT_US} as at_us, id from chunk
    order by finalized_at ${order}, id ${order}
    offset $9::integer - 1
), found as (
    select * from chunk
    where ($4::text is null or reason = any(string_to_array($4, ',')))
        and ($5::text is null or strpos(errors -> -1 ->> 'message', $5) > 0)
    order by finalized_at ${order}, id ${order}
    limit $8::integer
)
select looked.at_us, looked.id, ${AT_US}, found.id, ${columns}
from (select) as one
left join looked on true
left join found on true
order by found.finalized_at ${order}, found.id ${order}`
}

const readText = statementText((schema) =>
    lettersText({
        schema,
        name: "read-dead-letters",
        columns: /* sql */ `found.name, found.reason, found.attempt,
            date_part('epoch', found.created_at) * 1000::double precision,
            date_part('epoch', found.due_at) * 1000::double precision, found.worker, found.payload, found.errors`,
        order: "desc",
    }),
)

/** Reads dead letters, the last ones first. */
export async function readDeadLetters(look: Look): Promise<Letters<LetterRow>> {
    return lettersOf(look, await look.run(readText(look.schema), valuesOf(look)), (row, place) => ({
        ...place,
        name: row[4] ?? "",
        reason: row[5] as FailureReason,
        attempt: Number(row[6]),
        createdAtMs: Number(row[7]),
        dueAtMs: Number(row[8]),
        worker: row[9] ?? null,
        payload: row[10] ?? "null",
        errors: row[11] ?? null,
    }))
}

const findText = statementText((schema) =>
    lettersText({ schema, name: "find-dead-letters", columns: /* sql */ `found.name`, order: "asc" }),
)

/** Finds dead letters, the first ones first. */
export async function findDeadLetters(look: Look): Promise<Letters<LetterPlace>> {
    return lettersOf(look, await look.run(findText(look.schema), valuesOf(look)), (_, place) => place)
}

/** Now, by the clock that says when jobs failed: milliseconds since 1970. */
export async function letterClockMs({ run }: Query): Promise<number> {
    const [row] = await run(
        /* sql */ `select date_part('epoch', clock_timestamp()) * 1000::double precision`,
        [],
    )
    return Number(row?.[0])
}

function valuesOf({ filter, after, limit, numLooks }: Look): unknown[] {
    return [
        filter.definition,
        filter.failedAfterMs,
        filter.failedBeforeMs,
        filter.reasons === null ? null : filter.reasons.join(","),
        filter.errorText,
        after?.failedAtUs ?? null,
        after?.id ?? null,
        limit,
        numLooks,
    ]
}

function lettersOf<Letter extends LetterPlace>(
    { limit }: Look,
    rows: readonly Row[],
    toLetter: (row: Row, place: LetterPlace) => Letter,
): Letters<Letter> {
    const letters = rows.flatMap((row) => {
        const place = placeIn(row[2], row[3])
        return place === null ? [] : [toLetter(row, place)]
    })
    const last = letters.length === limit ? letters.at(-1) : undefined
    return { letters, next: last ?? placeIn(rows[0]?.[0], rows[0]?.[1]) }
}

function placeIn(at: string | null | undefined, id: string | null | undefined): LetterPlace | null {
    return typeof at === "string" ? { failedAtUs: Number(at), id: Number(id) } : null
}
