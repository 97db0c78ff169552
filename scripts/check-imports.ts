/**
 * Checks what STYLE demands of the sources and no linter knows: who may import whom, no cycles, SQL only where it
 * belongs and nothing unforeseen interpolated in it, files and functions of a readable size, no `any`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"

/** The rooms, from the bottom up, and what each may import besides itself. A file is in the first that fits it. */
const LEAVES =
    "errors|events|options|retry|clock|thrown|batcher|payload|log-values|gate|histogram|version|attempt-errors"
const ROOMS: [name: string, files: RegExp, mayImport: string[]][] = [
    ["leaf", new RegExp(`^src/(${LEAVES})\\.ts$`), []],
    ["cron", /^src\/cron\//, []],
    ["db", /^src\/db\//, ["leaf"]],
    ["job-context", /^src\/job-context\.ts$/, ["db"]],
    ["threads", /^src\/threads\//, ["job-context", "db", "leaf"]],
    ["schema", /^src\/schema\//, ["db"]],
    ["statements", /^src\/statements\//, ["schema", "cron", "db", "leaf"]],
    [
        "queue",
        /^src\/(core|registry|hints|listener|enqueuer|job-counter|job-logs|run-log|job-chunks|keyed-batcher|unique-jobs)\.ts$/,
        ["statements", "threads", "job-context", "cron", "db", "leaf"],
    ],
    [
        "endings",
        /^src\/(finalize|finalize-cancelled|complete|recover)\.ts$/,
        ["queue", "statements", "db", "leaf"],
    ],
    [
        "operations",
        /^src\/(jobs|dead-letters|dead-letter-options|pauses)\.ts$/,
        ["endings", "queue", "statements", "db", "leaf"],
    ],
    [
        "schedules",
        /^src\/(schedules|schedule-options|repeat-options)\.ts$/,
        ["queue", "statements", "cron", "db", "leaf"],
    ],
    ["config", /^src\/config\.ts$/, ["operations", "schedules", "queue", "schema", "db", "leaf"]],
    [
        "job-definition",
        /^src\/(job-definition|job-definition-options|limit-options|defer-options|unique-options|retry-options)\.ts$/,
        ["config", "schedules", "queue", "threads", "job-context", "cron", "db", "leaf"],
    ],
    ["temporary-queue", /^src\/temporary-queue\.ts$/, ["config", "statements", "db", "leaf"]],
    ["daemon", /^src\/daemon\.ts$/, ["leaf"]],
    ["heartbeat", /^src\/heartbeat\.ts$/, ["daemon", "queue", "statements", "db", "leaf"]],
    [
        "work",
        /^src\/work\//,
        ["endings", "daemon", "config", "queue", "statements", "threads", "job-context", "db", "leaf"],
    ],
    ["inspect", /^src\/inspect\//, ["config", "operations", "queue", "statements", "cron", "db", "leaf"]],
    [
        "operate",
        /^src\/operate\//,
        [
            ...["inspect", "job-definition", "config", "operations", "schedules", "endings", "queue"],
            ...["statements", "db", "leaf"],
        ],
    ],
    [
        "chores",
        /^src\/chores\//,
        ["operate", "endings", "config", "queue", "statements", "cron", "db", "leaf"],
    ],
    ["worker", /^src\/worker\.ts$/, ["work", "heartbeat", "daemon", "config", "leaf"]],
    ["orchestrator", /^src\/orchestrator\.ts$/, ["chores", "heartbeat", "daemon", "config", "queue", "leaf"]],
    [
        "inspector",
        /^src\/inspector\.ts$/,
        ["operate", "inspect", "config", "queue", "statements", "db", "leaf"],
    ],
    [
        "index",
        /^src\/index\.ts$/,
        [
            "worker",
            "orchestrator",
            "inspector",
            "temporary-queue",
            "inspect",
            "operate",
            "daemon",
            "job-definition",
            "job-context",
            "config",
            "operations",
            "schedules",
            "cron",
            "db",
            "leaf",
        ],
    ],
    ["embedded", /^src\/embedded(\.ts$|\/)/, ["db", "leaf"]],
    ["dashboard", /^src\/dashboard(\.ts$|\/)/, ["index"]],
    ["cli", /^src\/cli\//, ["index", "embedded", "dashboard"]],
]

/** What may be imported that is not ours, each after its room. */
const FOREIGN = /^\S+ node:|^embedded @electric-sql\/pglite$|^cron croner$|^cli pg$/

/** Names, besides `schema` and constants in capitals, that SQL text may interpolate, and where: all our own text. */
const INTERPOLATED: Record<string, RegExp> = {
    "src/statements/claim-gated-jobs.ts":
        /^(\w+Key\("[a-z]+\.lane"\)|(releasedRoom|pauseOfLane)\(schema, .+\)|slotBit\("[a-z]", .+\)|nameWithPausedKeys\(schema\)|isReadyIn\("wanted"\))$/,
    "src/statements/claim-grouped-jobs.ts":
        /^(groupKey\("first\.lane"\)|concurrencyKey\("job\.lane"\)|pauseOfLane\(schema, "first\.lane"\)|nameWithPausedKeys\(schema\)|isReadyIn\("wanted"\))$/,
    "src/statements/gate-rules.ts": /^(lane|kind|key|row)$/,
    "src/statements/hold-jobs.ts": /^rateKey\("job\.lane"\)$/,
    "src/statements/insert-jobs.ts": /^parts\.(name|first|edgeCondition|required|items|taking|results)$/,
    "src/statements/complete-job.ts": /^slot$/,
    "src/statements/dead-letters.ts": /^(name|columns|order|isBehind)$/,
    "src/statements/finalize-jobs.ts": /^(name|condition|slot|withError\("done\.errors", "done\.error"\))$/,
    "src/statements/explain-job.ts":
        /^((group|concurrency|rate)Key\("[a-z]+\.lane"\)|ms\("[a-z_.]+"\)|foundJob\(schema\)|isReadyIn\("(known|found)"\))$/,
    "src/statements/inspect-definitions.ts": /^ms\("[a-z_]+"\)$/,
    "src/statements/inspect-job.ts": /^(instant|ms\("[a-z_.()]+"\)|(foundJob|saidOf)\(schema\))$/,
    "src/statements/sweep-job-logs.ts": /^(table|isGone\(schema\))$/,
    "src/statements/list-jobs.ts":
        /^((group|concurrency|rate)Key\("chunk\.lane"\)|columns|from|isBehind|order|source|parts|chunk|fits\(schema\))$/,
    "src/statements/lock-fitting-jobs.ts": /^fits\(schema\)$/,
    "src/statements/operations.ts": /^ms\("[a-z_]+"\)$/,
    "src/statements/put-due.ts": /^(name|states|changes)$/,
    "src/statements/history-rings.ts": /^ring$/,
    "src/statements/history-slots.ts": /^slot$/,
    "src/statements/insert-ready-jobs.ts": /^(one|many)Text\(schema\)$/,
    "src/statements/insert-unique-jobs.ts": /^hasID\("held\.job_id"\)$/,
    "src/statements/job-errors.ts": /^(errors|error|dated)$/,
    "src/statements/paused-keys.ts": /^((group|concurrency|rate)Key\(lane\)|keysOf\((lane|"job\.lane")\))$/,
    "src/statements/query.ts": /^(id|claim|definitionID|hasID\(`\$\{claim\}\.id`\)|isOfClaim\(claim\))$/,
    "src/statements/sweep-unique-keys.ts": /^hasID\("held\.job_id"\)$/,
    "src/statements/find-due-repeats.ts": /^row\.(table\(schema\)|isMine|isDue)$/,
    "src/statements/throughput-rows.ts": /^(one|other|listSum\("known\.[a-z_]+", "excluded\.[a-z_]+"\))$/,
    "src/statements/repeat-jobs.ts": /^row\.(table\(schema\)|definitionID|payload|scheduleName|isDue)$/,
    "src/schema/migrate.ts": /^(params\.schema|lockKey|label|migration\.version)$/,
    "src/schema/migrations/0001-create-tables.ts": /^slot$/,
    "src/schema/migrations/0009-retention.ts": /^(slot|ring|retentionSlots\(ring\)\[0\])$/,
}
const ALWAYS_INTERPOLATED =
    /^(schema|[A-Z][A-Z_]+( - 1)?|jobSequence\(schema\)|(pausedDefinitions|hasPausedKey|hasNoPausedKey)\(schema\)|hasID\("[a-z]+\.id"\)|hasReadyJob\(schema, "[a-z_]+\.id"\)|isClaimedAs\("[a-z]+"\)|isOfClaim\("[a-z]+"\)|withError\("job\.errors", [\w".]+\))$/

/**
 * Functions for any type, not named with their schema. Postgres prefers one for exactly the types in question, wherever
 * in the search_path it is, so that whoever may make functions there could put their own in the place of these.
 */
const FOR_ANY_TYPE =
    /(?<![.\w])(unnest|cardinality|array_\w+|jsonb?_build_\w+|to_jsonb?|jsonb?_agg|jsonb?_object_agg)\(/

const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 60
const LOOKS_LIKE_SQL =
    /^\s*(--\s|select\s|insert into\s|update \S+\s+set\s|delete from\s|create (table|index)\s)/i

const problems: string[] = []
const imports = new Map<string, string[]>()

function visit(file: string, source: ts.SourceFile, node: ts.Node): void {
    const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line + 1
    const report = (problem: string) => problems.push(`${file}:${lineOf(node.getStart(source))}: ${problem}`)
    if (node.kind === ts.SyntaxKind.AnyKeyword) report("`any`: use `unknown` and narrow it")
    const target = importedBy(node)
    if (target?.startsWith(".")) imports.get(file)?.push(join(dirname(file), target))
    else if (target !== undefined && !FOREIGN.test(`${roomOf(file)?.[0]} ${target}`))
        report(`imports ${target}: the library has no dependencies, and the database comes in through Config`)
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && !node.exportClause)
        report("`export *` hides what is public")
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
        const length = lineOf(node.end) - lineOf(node.getStart(source)) + 1 - linesOfText(source, node)
        if (length > MAX_FUNCTION_LINES)
            report(`a function of ${length} lines: at most ${MAX_FUNCTION_LINES}`)
    }
    if (ts.isTemplateExpression(node) || ts.isStringLiteralLike(node)) {
        const isMarked = /\/\* sql \*\/\s*$/.test(source.text.slice(node.pos, node.getStart(source)))
        const text = node.getText(source).slice(1, -1)
        if ((isMarked || LOOKS_LIKE_SQL.test(text)) && !/^src\/(statements|schema)\//.test(file))
            report("SQL text outside of src/statements and src/schema")
        const [unqualified] = isMarked ? (FOR_ANY_TYPE.exec(text) ?? []) : []
        if (unqualified !== undefined) report(`SQL text calls ${unqualified}): name it with pg_catalog`)
        for (const { expression } of isMarked && ts.isTemplateExpression(node) ? node.templateSpans : []) {
            const name = expression.getText(source)
            if (!ALWAYS_INTERPOLATED.test(name) && !INTERPOLATED[file]?.test(name))
                report(
                    `SQL text interpolates \`${name}\`: pass values as parameters, or name it in INTERPOLATED`,
                )
        }
    }
    ts.forEachChild(node, (child) => visit(file, source, child))
}

/** What `import`, `export … from`, `import()` and the type `import("…")` name. */
function importedBy(node: ts.Node): string | undefined {
    let name: ts.Node | undefined
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        name = node.arguments[0]
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal
    return name !== undefined && ts.isStringLiteralLike(name) ? name.text : undefined
}

/** SQL text does not count: a statement of 80 lines is one thing. */
function linesOfText(source: ts.SourceFile, node: ts.Node): number {
    if (ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node))
        return node.getText(source).split("\n").length - 1
    let lines = 0
    ts.forEachChild(node, (child) => {
        lines += linesOfText(source, child)
    })
    return lines
}

function roomOf(file: string): (typeof ROOMS)[number] | undefined {
    return ROOMS.find(([, files]) => files.test(file))
}

function checkDirection(file: string): void {
    const [room, , mayImport] = roomOf(file) ?? []
    if (room === undefined) problems.push(`${file}: in no room: give it one in scripts/check-imports.ts`)
    for (const target of imports.get(file) ?? []) {
        const [targetRoom = "nothing"] = roomOf(target) ?? []
        if (targetRoom !== room && !mayImport?.includes(targetRoom))
            problems.push(`${file}: ${room} may not import ${targetRoom} (${target})`)
    }
}

function findCycles(file: string, path: string[], done: Set<string>): void {
    if (path.includes(file))
        problems.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`)
    if (path.includes(file) || done.has(file)) return
    for (const target of imports.get(file) ?? []) findCycles(target, [...path, file], done)
    done.add(file)
}

/** Does not go into what npm installed: there, a private folder's link to this package leads round and round. */
function filesIn(folder: string): string[] {
    if (!existsSync(folder)) return []
    return readdirSync(folder, { withFileTypes: true })
        .flatMap((entry) => {
            const path = `${folder}/${entry.name}`
            if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesIn(path)
            return path.endsWith(".ts") && !path.endsWith(".test.ts") ? [path] : []
        })
        .sort()
}

const files = filesIn("src")
for (const file of files) {
    const text = readFileSync(file, "utf8")
    imports.set(file, [])
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
    visit(file, source, source)
    const numLines = text.split("\n").length - 1
    if (numLines > MAX_FILE_LINES) problems.push(`${file}: ${numLines} lines: at most ${MAX_FILE_LINES}`)
}
const done = new Set<string>()
for (const file of files) {
    checkDirection(file)
    findCycles(file, [], done)
}
for (const file of ["demo", "examples", "bench", "chaos"].flatMap(filesIn)) {
    if (/from "(\.\.\/)+src\//.test(readFileSync(file, "utf8")))
        problems.push(`${file}: imports the package by its name, as a user does, and not from src`)
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
