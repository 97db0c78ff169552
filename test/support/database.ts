import { randomBytes } from "node:crypto"
import pg from "pg"
import { inject, onTestFinished } from "vitest"
import { eventually } from "./with-schema.ts"

/** Makes a database of its own on the tests' Postgres, for programs that use the default schema. */
export async function makeDatabase(): Promise<string> {
    const name = `test_${randomBytes(8).toString("hex")}`
    const client = new pg.Client({ connectionString: inject("connectionString") })
    await client.connect()
    onTestFinished(async () => {
        // A pool has ended before the server has let its connections go, and one that is cut in that moment fails all tests.
        const isUnused = async () => {
            const text = "select from pg_stat_activity where datname = $1"
            return (await client.query(text, [name])).rowCount === 0
        }
        await eventually(isUnused, 2_000).catch(() => undefined)
        await client.query(`drop database ${name} with (force)`)
        await client.end()
    })
    await client.query(`create database ${name}`)
    const url = new URL(inject("connectionString"))
    url.pathname = `/${name}`
    return url.href
}
