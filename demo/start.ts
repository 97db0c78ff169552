import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

/** The demo imports the package by its name, as you would; so it has to be built. This builds it if need be. */
const ROOT = join(import.meta.dirname, "..")

function newestMs(folder: string): number {
    if (!existsSync(folder)) return 0
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    return Math.max(...files.map((file) => statSync(join(folder, file)).mtimeMs))
}

function isBuilt(): boolean {
    const built = statSync(join(ROOT, "dist/index.js"), { throwIfNoEntry: false })
    const manifest = statSync(join(ROOT, "package.json")).mtimeMs
    const sources = Math.max(...["src", "ui"].map((folder) => newestMs(join(ROOT, folder))), manifest)
    return built !== undefined && built.mtimeMs >= sources
}

function build(): void {
    console.log("Building the package…")
    const tsdown = createRequire(import.meta.url).resolve("tsdown/package.json")
    const program = join(dirname(tsdown), "dist/run.mjs")
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--logLevel", "error"], {
        cwd: ROOT,
        encoding: "utf8",
    })
    if (status === 0) return
    console.error(stdout + stderr)
    process.exit(1)
}

if (!isBuilt()) build()
const { main } = await import("./main.ts")
await main()
