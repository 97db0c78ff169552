import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { defineConfig, type UserConfig } from "tsdown"

const common = {
    platform: "node",
    target: "node20",
    fixedExtension: false,
    // Doc comments are in the declarations, where editors look. Twice in the code they were a quarter of the tarball.
    outputOptions: { comments: { jsdoc: false, annotation: true, legal: true } },
} satisfies UserConfig

const BUILD_UI = "scripts/build-ui.ts"
const PAGES = "src/dashboard/ui-files.ts"

/** The pages are built as well, wherever the build is started from, unless they are newer than all that they are made of. */
function buildPages(): void {
    const sources = readdirSync("ui", { recursive: true, encoding: "utf8" }).map((file) => `ui/${file}`)
    const newestMs = Math.max(
        ...[...sources, BUILD_UI, "package-lock.json"].map((file) => statSync(file).mtimeMs),
    )
    if (existsSync(PAGES) && statSync(PAGES).mtimeMs >= newestMs) return
    execFileSync(process.execPath, ["--import", "tsx", BUILD_UI], { stdio: "inherit" })
}

if (existsSync(BUILD_UI)) buildPages()

/** Has what is imported from a file of ours be imported from one that is built, and not be brought a second time. */
const fromBuilt = (name: string, source: RegExp, built: string) => ({
    name,
    resolveId: (imported: string) => (source.test(imported) ? { id: built, external: true } : null),
})

export default defineConfig([
    {
        ...common,
        entry: ["src/index.ts", "src/embedded.ts", "src/dashboard.ts"],
        format: ["esm", "cjs"],
        dts: true,
        // The pages are the larger part of the dashboard: both module systems load them from the same file.
        plugins: [fromBuilt("pages-once", /^\.\/ui-files\.ts$/, "./dashboard-pages.cjs")],
    },
    {
        ...common,
        entry: { "dashboard-pages": "src/dashboard/ui-files.ts" },
        format: "cjs",
        dts: false,
        clean: false,
    },
    {
        ...common,
        entry: { cli: "src/cli/start.ts" },
        format: "esm",
        dts: false,
        clean: false,
        // The command line uses the package as everybody does, by its doors.
        plugins: [
            fromBuilt("library-by-its-door", /^(\.\.\/)+index\.ts$/, "./index.js"),
            fromBuilt("embedded-by-its-door", /^(\.\.\/)+embedded\.ts$/, "./embedded.js"),
            fromBuilt("dashboard-by-its-door", /^(\.\.\/)+dashboard\.ts$/, "./dashboard.js"),
        ],
    },
])
