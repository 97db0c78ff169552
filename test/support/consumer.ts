import { execFile } from "node:child_process"
import {
    cpSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    realpathSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import ts from "typescript"
import { ROOT } from "./root.ts"

const runFile = promisify(execFile)

/** What a user has besides cuckmq. Linked, so that no test needs a network. */
const NEIGHBOURS = ["pg", "@types/pg", "@types/node", "@electric-sql/pglite"]

/** The package as it would be published. */
export interface PackedPackage {
    readonly tarball: string
    /** A folder for projects that use it. */
    readonly folder: string
    remove(): void
}

/** Builds the package into a folder of its own, so that it is the current one and `dist` stays as it is; packs it. */
export async function packPackage(): Promise<PackedPackage> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "cuckmq-package-")))
    const staged = join(folder, "staged")
    mkdirSync(staged)
    const tsdown = join(ROOT, "node_modules/.bin/tsdown")
    await runFile(tsdown, ["--out-dir", join(staged, "dist"), "--logLevel", "error"], { cwd: ROOT })
    for (const name of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"]) {
        cpSync(join(ROOT, name), join(staged, name))
    }
    await runFile("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: staged })
    const name = readdirSync(folder).find((file) => file.endsWith(".tgz"))
    if (name === undefined) throw new Error("npm pack made no tarball")
    return {
        tarball: join(folder, name),
        folder,
        remove: () => rmSync(folder, { recursive: true, force: true }),
    }
}

/** A project of a user of the package. */
export interface Consumer {
    readonly folder: string
    write(files: Record<string, string>): void
}

/** Makes an empty project and installs the tarball in it. */
export async function makeConsumer(params: {
    packed: PackedPackage
    name: string
    type: "module" | "commonjs"
}): Promise<Consumer> {
    const folder = join(params.packed.folder, params.name)
    const write = (files: Record<string, string>) => {
        for (const [name, text] of Object.entries(files)) {
            mkdirSync(dirname(join(folder, name)), { recursive: true })
            writeFileSync(join(folder, name), text)
        }
    }
    write({ "package.json": JSON.stringify({ name: params.name, private: true, type: params.type }) })
    const flags = [
        "--offline",
        "--ignore-scripts",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--legacy-peer-deps",
    ]
    await runFile("npm", ["install", ...flags, "--no-package-lock", params.packed.tarball], { cwd: folder })
    for (const neighbour of NEIGHBOURS) {
        mkdirSync(dirname(join(folder, "node_modules", neighbour)), { recursive: true })
        symlinkSync(join(ROOT, "node_modules", neighbour), join(folder, "node_modules", neighbour), "dir")
    }
    return { folder, write }
}

/** The compiler's complaints about files of a project and about our declarations, one text each. */
export function typeErrors(
    folder: string,
    files: readonly string[],
    options: ts.CompilerOptions = {},
): string[] {
    const program = ts.createProgram(
        files.map((file) => join(folder, file)),
        {
            target: ts.ScriptTarget.ES2022,
            lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
            module: ts.ModuleKind.NodeNext,
            moduleResolution: ts.ModuleResolutionKind.NodeNext,
            types: ["node"],
            typeRoots: [join(folder, "node_modules/@types")],
            strict: true,
            skipLibCheck: true,
            noEmit: true,
            allowImportingTsExtensions: true,
            ...options,
        },
    )
    // Other packages may declare what only browsers have.
    const diagnostics = ts
        .getPreEmitDiagnostics(program)
        .filter(({ file }) => file === undefined || file.fileName.startsWith(folder))
    return diagnostics.map((diagnostic) => {
        const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")
        if (diagnostic.file === undefined || diagnostic.start === undefined) return text
        const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start)
        return `${diagnostic.file.fileName}:${line + 1}: ${text}`
    })
}
