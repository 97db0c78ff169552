import { randomBytes } from "node:crypto"
import pg from "pg"
import { inject, onTestFinished } from "vitest"

/** Makes a database of its own on the tests' Postgres, for programs that use the default schema. */
export async function makeDatabase(): Promise<string> {
    const name = `test_${randomBytes(8).toString("hex")}`
    const client = new pg.Client({ connectionString: inject("connectionString") })
    await client.connect()
    onTestFinished(async () => {
        await client.query(`drop database ${name} with (force)`)
        await client.end()
    })
    await client.query(`create database ${name}`)
    const url = new URL(inject("connectionString"))
    url.pathname = `/${name}`
    return url.href
}
