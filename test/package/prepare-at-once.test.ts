import { fileURLToPath } from "node:url"
import { expect, inject, it } from "vitest"
import { startProgram } from "../support/program.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const PROGRAM = fileURLToPath(new URL("../support/programs/prepare.mjs", import.meta.url))

it.skipIf(!hasServer())("twenty processes may prepare a schema at the same time", async () => {
    const queue = await makeQueue({ isPrepared: false })
    const programs = Array.from({ length: 20 }, () =>
        startProgram(process.execPath, [PROGRAM, inject("connectionString"), queue.schemaName]),
    )
    // All of them are connected before the first one begins.
    for (const program of programs) await program.hasPrinted("connected")
    for (const program of programs) program.write("go\n")
    for (const program of programs) {
        expect(await program.ended, program.output()).toEqual({ code: 0, signal: null })
        expect(program.output()).toBe("connected\nprepared\n")
    }
    const { rows } = await queue.sql.query(`select version from ${queue.schema}.migration`)
    expect(rows.length).toBeGreaterThan(0)
})
