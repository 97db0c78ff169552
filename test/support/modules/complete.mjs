/** Job functions that complete their jobs in transactions of their own, in a thread. */
import pg from "pg"

async function inTransaction({ url, schema, context, options, end = "commit" }) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
        await client.query("begin")
        await client.query(`insert into ${schema}.effect (attempt) values ($1)`, [context.attempt])
        await context.complete({ client, ...options })
        if (end === "exit") process.exit(1)
        await client.query(end)
    } finally {
        await client.end()
    }
}

export default async function complete({ url, schema, result }, context) {
    await inTransaction({ url, schema, context, options: { result } })
    return "ignored"
}

/** The first attempt is rolled back, the second ends with its thread, the third commits. */
export async function completeAtLast({ url, schema }, context) {
    const end = ["rollback", "exit", "commit"][context.attempt - 1]
    await inTransaction({ url, schema, context, options: { result: context.attempt }, end })
}

export async function completeWrongly({ how }, context) {
    const client = { query: async () => ({ rows: [] }) }
    const options = {
        client: { client: {} },
        unknown: { client, outcome: 1 },
        nothing: undefined,
        result: { client, result: 1n },
    }
    await context.complete(options[how])
}
