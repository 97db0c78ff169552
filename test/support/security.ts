import { readFileSync } from "node:fs"
import { join } from "node:path"
import { PASSWORD } from "./postgres-server.ts"
import { snippets } from "./readme.ts"
import { ROOT } from "./root.ts"

/** A block of SQL in docs/security.md: who runs it is in its text. */
export type SecurityBlock =
    | "roles"
    | "schema"
    | "runtime"
    | "producer"
    | "inspector"
    | "changing"
    | "hardening"

/** The text of docs/security.md. */
export const SECURITY = readFileSync(join(ROOT, "docs/security.md"), "utf8")

/** A block of SQL in docs/security.md, for a schema and with the tests' password. */
export function securitySql(block: SecurityBlock, schema = "_cuckmq"): string {
    const found = snippets(SECURITY).filter(({ mark }) => mark === `sql: ${block}`)
    if (found.length === 0) throw new Error(`docs/security.md has no block ${block}`)
    return found
        .map(({ text }) => text)
        .join("\n")
        .replaceAll("'choose one'", `'${PASSWORD}'`)
        .replace(/\b_cuckmq\b/g, () => schema)
}
