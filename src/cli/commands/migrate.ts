import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"

/** Brings the schema up to this release, or says what that takes. */
export const migrate: Command = {
    name: "migrate",
    summary: "create the tables, or bring them up to this release",
    options: [
        { name: "print", help: "print the SQL of what is missing, in one transaction, and apply nothing" },
        { name: "dry-run", help: "say which migrations are missing, and apply nothing" },
    ],
    details: [
        "Any number of processes may do so at the same time. Migrations only add, so processes of the",
        "release before go on working.",
    ],
    run: async ({ args, out, queue }) => {
        const { config } = await queue()
        if (args.has("print")) {
            const sql = await config.migrationSQL()
            if (out.isJson) out.show({ sql }, () => [])
            else if (sql === "") out.note("nothing is missing")
            else out.raw(sql)
            return EXIT.ok
        }
        const missing = (await config.migrations())
            .filter(({ appliedAt }) => appliedAt === null)
            .map(({ version, name }) => ({ version, name }))
        const isDry = args.has("dry-run")
        if (!isDry) await config.prepareSchema()
        out.show(isDry ? { missing } : { applied: missing }, (look) =>
            missing.length === 0
                ? [look.line("nothing is missing")]
                : missing.map(({ version, name }) =>
                      look.line(isDry ? "missing " : "applied ", version, " ", name),
                  ),
        )
        return EXIT.ok
    },
}
