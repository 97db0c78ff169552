import { randomBytes } from "node:crypto"
import { onTestFinished } from "vitest"
import { PASSWORD } from "./postgres-server.ts"
import { makeDirectPool } from "./with-schema.ts"

/**
 * Makes a role that goes with the test. Its settings are those that its sessions begin with, by whatever way they come:
 * PgBouncer passes no `options` on. It may do everything, unless it is made with `grants`: what to grant to it.
 */
export async function makeRole(params: {
    settings?: Record<string, string>
    grants?: readonly string[]
}): Promise<string> {
    const role = `role_${randomBytes(8).toString("hex")}`
    const pool = makeDirectPool()
    const right = params.grants === undefined ? "superuser" : "nosuperuser"
    await pool.query(`create role ${role} ${right} login password '${PASSWORD}'`)
    onTestFinished(async () => {
        await pool.query(`drop owned by ${role}`)
        await pool.query(`drop role ${role}`)
    })
    for (const [name, value] of Object.entries(params.settings ?? {}))
        await pool.query(`alter role ${role} set ${name} = '${value}'`)
    for (const grant of params.grants ?? []) await pool.query(`grant ${grant} to ${role}`)
    return role
}
