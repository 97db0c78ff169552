/**
 * Builds the pages of the dashboard from ui/, and writes them as one module for src/dashboard to serve. Fails when the
 * scripts and styles are larger than they may be.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { extname, join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "vite"

/** How large all scripts and styles may be together, as gzip has them. */
const MAX_BYTES = 60 * 1024

const TYPES: Record<string, string> = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

const root = join(import.meta.dirname, "..")
const built = join(root, ".tmp", `ui-${process.pid}`)

interface BuiltFile {
    path: string
    type: string
    bytes: Buffer
}

await build({
    configFile: join(root, "ui", "vite.config.ts"),
    logLevel: "warn",
    build: { outDir: built },
})
const files = filesIn(built)
rmSync(built, { recursive: true })

const sizes = files
    .filter(({ path }) => /\.(js|css)$/.test(path))
    .map(({ path, bytes }) => [path, bytes.length] as const)
const numBytes = sizes.reduce((sum, [, size]) => sum + size, 0)
if (process.argv.includes("--sizes")) {
    for (const [path, size] of sizes) console.log(`${String(size).padStart(7)} ${path}`)
    console.log(`${String(numBytes).padStart(7)} of ${MAX_BYTES} bytes that scripts and styles may have`)
}
if (numBytes > MAX_BYTES) {
    console.error(`the pages have ${numBytes} bytes of scripts and styles, gzipped: at most ${MAX_BYTES}`)
    process.exitCode = 1
}
writeFileSync(join(root, "src", "dashboard", "ui-files.ts"), moduleOf(files))

function filesIn(folder: string): BuiltFile[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
            const file = join(entry.parentPath, entry.name)
            const path = file.slice(folder.length + 1).replaceAll("\\", "/")
            const type = TYPES[extname(path)]
            if (type === undefined) throw new Error(`no content type for ${path}`)
            return { path, type, bytes: gzipSync(readFileSync(file), { level: 9 }) }
        })
        .sort((one, other) => (one.path < other.path ? -1 : 1))
}

function moduleOf(all: readonly BuiltFile[]): string {
    const entries = all.map(({ path, type, bytes }) =>
        JSON.stringify({ path, type, gzip: bytes.toString("base64") }),
    )
    return `// Made by scripts/build-ui.ts from ui/.
import type { UiFile } from "./ui-file.ts"

/** The files of the pages. */
export const UI_FILES: readonly UiFile[] = [
    ${entries.join(",\n    ")},
]
`
}
