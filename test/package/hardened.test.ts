import { fileURLToPath } from "node:url"
import { expect, inject, it } from "vitest"
import { startProgram } from "../support/program.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const PROGRAM = fileURLToPath(new URL("../support/programs/hardened.mjs", import.meta.url))

it.skipIf(!hasServer())(
    "jobs with names and payloads such as __proto__ run in a process without it, with frozen intrinsics",
    async () => {
        const queue = await makeQueue()
        const program = startProgram(process.execPath, [
            "--disable-proto=delete",
            "--frozen-intrinsics",
            PROGRAM,
            inject("connectionString"),
            queue.schemaName,
        ])
        expect(await program.ended, program.output()).toEqual({ code: 0, signal: null })
        const lines = program.output().split("\n")
        expect(lines).toContain("finished __proto__ constructor toString")
        expect(lines).toContain("untouched true")
        expect(program.output()).not.toMatch(/daemon-error|failure/)
        const rows = await queue.history()
        expect(rows.map(({ outcome, attempt }) => `${outcome} ${attempt}`)).toEqual(
            Array(3).fill("succeeded 2"),
        )
    },
)
