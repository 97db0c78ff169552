/**
 * Checks of ui/ what no linter knows: it talks to the server by HTTP alone, so nothing but types comes from src/, and those
 * through one file; it loads nothing but what it is meant to; no HTML is made of texts; no cycles; readable sizes.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"

const TYPES_OF_SERVER = "ui/src/answers.ts"
const FOREIGN = /^(preact|preact\/hooks|@dagrejs\/dagre)$/
/** What would make HTML or code of a text. */
const MAKES_HTML = /\b(dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b/
const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 60

const problems: string[] = []
const imports = new Map<string, string[]>()

const files = readdirSync("ui/src", { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(tsx?|css)$/.test(name))
    .map((name) => join("ui/src", name))
    .sort()
for (const file of files) check(file)
for (const file of files) findCycles(file, [])
for (const problem of new Set(problems)) console.error(problem)
if (problems.length > 0) process.exitCode = 1

function check(file: string): void {
    const text = readFileSync(file, "utf8")
    const numLines = text.split("\n").length - 1
    if (numLines > MAX_FILE_LINES) problems.push(`${file}: ${numLines} lines: at most ${MAX_FILE_LINES}`)
    if (file.endsWith(".css")) {
        if (/url\(|@import/.test(text)) problems.push(`${file}: loads something, which the policy may refuse`)
        return
    }
    const html = MAKES_HTML.exec(text)
    if (html !== null) problems.push(`${file}: ${html[0]}: show texts as texts`)
    imports.set(file, [])
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
    visit(file, source, source)
}

function visit(file: string, source: ts.SourceFile, node: ts.Node): void {
    const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line + 1
    const report = (problem: string) => problems.push(`${file}:${lineOf(node.getStart(source))}: ${problem}`)
    if (node.kind === ts.SyntaxKind.AnyKeyword) report("`any`: use `unknown` and narrow it")
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
        const isType = ts.isImportDeclaration(node)
            ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
            : node.isTypeOnly
        const name = node.moduleSpecifier
        if (name !== undefined && ts.isStringLiteral(name)) {
            const problem = problemOf(file, name.text, isType)
            if (problem !== undefined) report(problem)
            else if (name.text.startsWith(".")) imports.get(file)?.push(join(dirname(file), name.text))
        }
    }
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
        const length = lineOf(node.end) - lineOf(node.getStart(source)) + 1
        if (length > MAX_FUNCTION_LINES)
            report(`a function of ${length} lines: at most ${MAX_FUNCTION_LINES}`)
    }
    ts.forEachChild(node, (child) => visit(file, source, child))
}

function problemOf(file: string, name: string, isType: boolean): string | undefined {
    if (!name.startsWith("."))
        return FOREIGN.test(name)
            ? undefined
            : `imports ${name}: what is bundled is named in scripts/check-ui.ts`
    if (join(dirname(file), name).startsWith("ui/src/")) return undefined
    return isType && file === TYPES_OF_SERVER
        ? undefined
        : `imports ${name}: only types come from src/, through ${TYPES_OF_SERVER}`
}

function findCycles(file: string, path: string[]): void {
    if (path.includes(file)) {
        const cycle = [...path.slice(path.indexOf(file)), file]
        problems.push(`import cycle: ${cycle.join(" → ")}`)
        return
    }
    const targets = imports.get(file)
    // Once a file was looked through, so was all that it leads to.
    imports.delete(file)
    for (const target of targets ?? []) findCycles(target, [...path, file])
    if (targets !== undefined && path.length > 0) imports.set(file, [])
}
