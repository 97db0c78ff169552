import { execFile, spawn } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import pg from "pg"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import {
    type Consumer,
    makeConsumer,
    type PackedPackage,
    packPackage,
    typeErrors,
} from "../support/consumer.ts"
import { makeDatabase } from "../support/database.ts"
import { type Snippet, snippets } from "../support/readme.ts"
import { ROOT } from "../support/root.ts"

const runFile = promisify(execFile)

const TSX = ["--import", join(ROOT, "node_modules/tsx/dist/esm/index.mjs")]

/** What a fragment takes for granted, unless it imports or declares it. `pool` and `config` come first. */
const TAKEN_FOR_GRANTED = ["JobDefinition", "Orchestrator", "Worker"]

/** The queue around a fragment that is run. */
const HARNESS = `
import { Config, Daemon, JobDefinition, Orchestrator, Worker } from "cuckmq"
import { Pool } from "pg"

export const pool = new Pool({ connectionString: process.env.DATABASE_URL })
export const config = new Config({ pool })
await config.prepareSchema()

/** Runs what was deferred, until no job is left. */
export async function finish(definitions: { register(): void }[], daemons: Daemon[]): Promise<void> {
    for (const definition of definitions) definition.register()
    daemons.push(new Worker({ config, processIntervalMs: 100 }), new Orchestrator({ config }))
    for (;;) {
        const { rows } = await pool.query(
            "select exists (select from _cuckmq.job_history) and not exists (select from _cuckmq.job) as is_done",
        )
        if (rows[0].is_done) break
        await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const daemon of daemons) daemon.stop()
    await Promise.all(daemons.map((daemon) => daemon.join()))
    await pool.end()
}
`

/** What a fragment declares as constants of a class. */
function constantsOf(text: string, className: string): string[] {
    return [...text.matchAll(new RegExp(`const (\\w+) = new ${className}(?:<.+>)?\\(`, "g"))].map(
        ([, name = ""]) => name,
    )
}

/** The same without types: Node starts in half of the time then. */
function compile(text: string): string {
    const { ESNext } = ts.ModuleKind
    const compiled = ts.transpile(text, {
        target: ts.ScriptTarget.ES2022,
        module: ESNext,
        verbatimModuleSyntax: true,
    })
    return compiled.replaceAll('.ts"', '.js"')
}

const compiledOf = (file: string) => file.replace(/\.ts$/, ".js")

function preludeOf({ text, mark }: Snippet): string {
    const names = TAKEN_FOR_GRANTED.filter((name) => !new RegExp(`import .*\\b${name}\\b`).test(text))
    const daemons = mark === "types" ? "declare const daemons: import('cuckmq').Daemon[]\n" : ""
    return `import { ${names.join(", ")} } from "cuckmq"\nimport { config, finish, pool } from "./harness.ts"\n${daemons}`
}

function programOf(snippet: Snippet): string {
    const { text, mark } = snippet
    if (mark === "run: program") return text
    const definitions = constantsOf(text, "JobDefinition").filter(
        (name) => !text.includes(`${name}.register()`),
    )
    const finish = `\nawait finish([${definitions}], [${constantsOf(text, "Worker")}])\n`
    return preludeOf(snippet) + text + finish
}

describe("the snippets of README.md", () => {
    let packed: PackedPackage
    let consumer: Consumer
    const all = snippets()
    const typescript = all.filter(({ language }) => language === "typescript")
    const marked = (mark: string) => typescript.filter((snippet) => snippet.mark.startsWith(mark))
    const fileOf = (snippet: Snippet) => `line-${snippet.line}.ts`

    beforeAll(async () => {
        packed = await packPackage()
        consumer = await makeConsumer({ packed, name: "readme", type: "module" })
        const write = (file: string, text: string) =>
            consumer.write({ [file]: text, [compiledOf(file)]: compile(text) })
        write("harness.ts", HARNESS)
        for (const { mark, text } of marked("file: ")) write(mark.slice(6), text)
        for (const snippet of marked("run")) write(fileOf(snippet), programOf(snippet))
        for (const snippet of marked("types")) {
            consumer.write({ [fileOf(snippet)]: preludeOf(snippet) + snippet.text })
        }
    })
    afterAll(() => packed?.remove())

    async function run(
        file: string,
        env: Record<string, string>,
    ): Promise<{ stdout: string; stderr: string }> {
        const { stdout, stderr } = await runFile(process.execPath, [compiledOf(file)], {
            cwd: consumer.folder,
            env: { ...process.env, ...env },
            timeout: 120_000,
        })
        return { stdout, stderr }
    }

    it("all say how they are checked", () => {
        const unknown = typescript.filter(
            ({ mark }) => !/^(file: \S+|run|run: program|types|event handler)$/.test(mark),
        )
        expect(unknown.map(({ line }) => line)).toEqual([])
        expect(typescript.length).toBeGreaterThan(15)
    })

    it("compile", () => {
        const files = [...marked("run"), ...marked("types")].map(fileOf)
        const named = marked("file: ").map(({ mark }) => mark.slice(6))
        expect(typeErrors(consumer.folder, [...files, ...named])).toEqual([])
    })

    it("give the type of event handlers as it is", () => {
        const [snippet] = marked("event handler")
        consumer.write({
            "event-handler.ts": `
                import type { Event, EventHandler } from "cuckmq"
                type Documented = ${snippet?.text}
                type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
                export const isSame: Same<Parameters<Documented>, Parameters<EventHandler>> = true
                export const isSameResult: Same<ReturnType<Documented>, ReturnType<EventHandler>> = true
            `,
        })
        expect(typeErrors(consumer.folder, ["event-handler.ts"])).toEqual([])
    })

    it("of the quick start defer a job, run it, and end on SIGINT", async () => {
        const env = { DATABASE_URL: await makeDatabase() }
        expect(await run("send.ts", env)).toEqual({ stdout: "", stderr: "" })
        const worker = spawn(process.execPath, [...TSX, "worker.ts"], {
            cwd: consumer.folder,
            env: { ...process.env, ...env },
            stdio: ["ignore", "pipe", "inherit"],
        })
        onTestFinished(() => void worker.kill("SIGKILL"))
        const ended = new Promise((resolve) => worker.once("exit", (code, signal) => resolve(code ?? signal)))
        const output = marked("file: worker.ts")[0]?.output
        let printed = ""
        await new Promise<void>((resolve) => {
            worker.stdout.on("data", (chunk: Buffer) => {
                printed += chunk.toString()
                if (printed.length >= (output?.length ?? 0)) resolve()
            })
            worker.once("exit", () => resolve())
        })
        worker.kill("SIGINT")
        expect(await ended).toBe(0)
        expect(printed).toBe(output)
    })

    it("leave no process waiting: one that only deferred ends when its pool has", async () => {
        consumer.write({
            "ends.js": `
                import { config, pingJob, pool } from "./jobs.js"
                await config.prepareSchema()
                await pingJob.defer({ payload: { message: "Hello" } })
                await pool.end()
                const endedMs = performance.now()
                process.on("exit", () => console.log(performance.now() - endedMs < 5_000))
            `,
        })
        const { stdout } = await run("ends.js", { DATABASE_URL: await makeDatabase() })
        expect(stdout).toBe("true\n")
    })

    for (const snippet of marked("run")) {
        it(`print what the page says: line ${snippet.line}`, async () => {
            const env = { DATABASE_URL: await makeDatabase() }
            expect(snippet.output).toBeDefined()
            expect(await run(fileOf(snippet), env)).toEqual({ stdout: snippet.output, stderr: "" })
        })
    }

    it("in SQL run, and read what a worker wrote", async () => {
        const [sumJob] = marked("run").filter(
            ({ text }) => text.includes("deferMany") && text.includes("sum"),
        )
        const connectionString = await makeDatabase()
        await run(fileOf(sumJob as Snippet), { DATABASE_URL: connectionString })
        const client = new pg.Client({ connectionString })
        await client.connect()
        onTestFinished(() => client.end())
        const sql = all.filter(({ language }) => language === "sql")
        expect(sql).toHaveLength(1)
        const { rows } = await client.query(sql[0]?.text ?? "")
        expect(rows).toHaveLength(2)
        expect(rows[0]).toMatchObject({ name: "sum", outcome: "succeeded", reason: null, attempt: 1 })
    })
})
