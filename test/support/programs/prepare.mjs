/** Prepares a schema with the built package, as soon as a line comes on the standard input. */
import { once } from "node:events"
import { createInterface } from "node:readline"
import { Config } from "cuckmq"
import pg from "pg"

const [connectionString, schema] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: 1 })
await pool.query("select 1")
console.log("connected")
await once(createInterface({ input: process.stdin }), "line")
await new Config({ pool, schema }).prepareSchema()
await pool.end()
console.log("prepared")
process.exit()
