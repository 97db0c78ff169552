import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"

/** `npm run demo` is `cuckmq demo` of this checkout, which has to be built. This builds it if need be. */
const ROOT = join(import.meta.dirname, "..")

/** How often to look whether npm is still there. */
const PARENT_CHECK_MS = 250

function newestMs(folder: string): number {
    if (!existsSync(folder)) return 0
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    return Math.max(...files.map((file) => statSync(join(folder, file)).mtimeMs))
}

function isBuilt(): boolean {
    const built = statSync(join(ROOT, "dist/cli.js"), { throwIfNoEntry: false })
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

/** The shell between npm and us takes a SIGTERM for itself: that it is gone is then all we learn. */
function watchParent(): void {
    const parent = process.ppid
    const timer = setInterval(() => {
        if (process.ppid === parent) return
        clearInterval(timer)
        process.kill(process.pid, "SIGTERM")
    }, PARENT_CHECK_MS)
    timer.unref()
}

if (!isBuilt()) build()
watchParent()
process.argv.splice(2, 0, "demo")
await import(pathToFileURL(join(ROOT, "dist/cli.js")).href)
