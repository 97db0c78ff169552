import { execFile } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import { promisify } from "node:util"
import pg from "pg"
import { publint } from "publint"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
    type Consumer,
    makeConsumer,
    type PackedPackage,
    packPackage,
    typeErrors,
} from "../support/consumer.ts"
import { makeDatabase } from "../support/database.ts"
import { ROOT } from "../support/root.ts"
import { eventually } from "../support/with-schema.ts"

const runFile = promisify(execFile)

/**
 * The dashboard is 110,000 of them, two thirds of which are its pages, packed once for both module systems. Everything else
 * is there twice, and declarations with their comments: 521,000 in all.
 */
const MAX_TARBALL_BYTES = 560_000
const MAX_UNPACKED_BYTES = 2_000_000

/** Takes one job through the whole of the library, and prints what became of it. */
const BODY = `
async function main() {
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
    const config = new Config({ pool })
    await config.prepareSchema()
    const add = new JobDefinition({
        config,
        name: "add",
        jobFunction: async (payload) => ({ sum: payload.a + payload.b }),
    })
    add.register()
    const daemons = [
        new Worker({
            config,
            eventHandler: ({ event }) => {
                if (event.eventType !== "worker-job-finalize-success") return
                for (const daemon of daemons) daemon.stop()
            },
        }),
        new Orchestrator({ config }),
    ]
    const id = await add.defer({ payload: { a: 1, b: 2 } })
    await Promise.all(daemons.map((daemon) => daemon.join()))
    const { rows } = await pool.query("select id, outcome, result from _cuckmq.job_history")
    console.log(rows.length === 1 && Number(rows[0].id) === id, rows[0].outcome, rows[0].result.sum)
    const refused = await add.defer({ payload: { a: NaN } }).catch((error) => error)
    console.log(refused instanceof CuckmqError, refused.name, refused.code, refused.path)
    await pool.end()
}
main()
`
const PRINTED = "true succeeded 3\ntrue InvalidPayloadError CUCKMQ_INVALID_PAYLOAD payload.a\n"
const NAMES = "{ Config, CuckmqError, JobDefinition, Orchestrator, Worker }"

/** Runs jobs in a thread that succeed, end for good, and are told why they are aborted; prints what they threw. */
const THREADS_BODY = `
async function main() {
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
    const config = new Config({ pool })
    await config.prepareSchema()
    const job = new JobDefinition({
        config,
        name: "job",
        runIn: "thread",
        module: MODULE,
        numAttempts: 1,
        retryDelayMs: 0,
        attemptTimeoutMs: 2_000,
    })
    job.register()
    let numEnded = 0
    const worker = new Worker({
        config,
        eventHandler: ({ event }) => {
            if (event.eventType === "worker-job-error") console.log(event.error.name, event.error.message)
            if (event.eventType.startsWith("worker-job-finalize") && ++numEnded === 3) worker.stop()
        },
    })
    await job.deferMany(["return", "end", "wait"].map((how) => ({ payload: { how } })))
    await worker.join()
    const { rows } = await pool.query("select result from _cuckmq.job_history where outcome = 'succeeded'")
    console.log(JSON.stringify(rows))
    await pool.end()
}
main()
`

/** Its signal's reason is of the class that it knows, though the error was made on the other side. */
const THREAD_JOB = `
async function run({ how }, { attempt, signal }) {
    if (how === "return") return { isMainThread }
    if (how === "end") throw new Unretryable("no use")
    if (attempt === 2) return "again"
    await new Promise((resolve) => signal.addEventListener("abort", resolve))
    console.log(signal.reason instanceof AttemptTimeoutError, signal.reason instanceof LeaseLostError)
    throw signal.reason
}
`

const EMBEDDED_BODY = `
async function main() {
    const pool = await embeddedPool()
    await new Config({ pool }).prepareSchema()
    const { rows } = await pool.query("select count(*)::int as n from _cuckmq.job")
    console.log(rows[0].n)
    await pool.end()
    const error = await embeddedPool({ folder: "x" }).catch((error) => error)
    console.log(error instanceof CuckmqError, error.code)
}
main()
`

/** The document, and what is told without a database. */
const DASHBOARD_BODY = `
async function main() {
    const config = new Config({ pool: new pg.Pool({ connectionString: "postgres://localhost:1/none" }) })
    const dashboard = createDashboard({ config, authorize: () => ({ user: "ada" }) })
    const ask = (path) => dashboard.fetch(new Request("http://localhost/queues/" + path))
    const page = await ask("")
    console.log(page.status, page.headers.get("content-type"))
    const me = await ask("api/me")
    console.log(me.status, (await me.json()).user)
    await dashboard.close()
}
main()
`

describe("the tarball", () => {
    let packed: PackedPackage
    let esm: Consumer
    let cjs: Consumer
    let installed: string

    beforeAll(async () => {
        packed = await packPackage()
        esm = await makeConsumer({ packed, name: "esm", type: "module" })
        cjs = await makeConsumer({ packed, name: "cjs", type: "commonjs" })
        installed = join(esm.folder, "node_modules/cuckmq")
    })
    afterAll(() => packed?.remove())

    const filesOf = (folder: string) =>
        readdirSync(folder, { recursive: true, encoding: "utf8" })
            .filter((name) => statSync(join(folder, name)).isFile())
            .sort()

    it("holds the built doors, what they share, and what one reads first, and nothing else", () => {
        const files = filesOf(installed)
        const shared = /^dist\/[a-z-]+-[\w-]{8}\.(js|cjs|d\.ts|d\.cts)$/
        const unshared = files.filter((name) => !shared.test(name) || name.startsWith("dist/dashboard-pages"))
        expect(unshared).toEqual([
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "dist/cli.js",
            "dist/dashboard-pages.cjs",
            "dist/dashboard.cjs",
            "dist/dashboard.d.cts",
            "dist/dashboard.d.ts",
            "dist/dashboard.js",
            "dist/embedded.cjs",
            "dist/embedded.d.cts",
            "dist/embedded.d.ts",
            "dist/embedded.js",
            "dist/index.cjs",
            "dist/index.d.cts",
            "dist/index.d.ts",
            "dist/index.js",
            "package.json",
        ])
    })

    it("is small", () => {
        expect(statSync(packed.tarball).size).toBeLessThan(MAX_TARBALL_BYTES)
        const sizes = filesOf(installed).map((name) => statSync(join(installed, name)).size)
        expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(MAX_UNPACKED_BYTES)
    })

    it("brings no dependencies and runs nothing when it is installed", () => {
        const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))
        expect(manifest.dependencies).toBeUndefined()
        expect(manifest.optionalDependencies).toBeUndefined()
        expect(Object.keys(manifest.peerDependencies)).toEqual(["@electric-sql/pglite", "pg"])
        for (const script of ["preinstall", "install", "postinstall"]) {
            expect(manifest.scripts).not.toHaveProperty(script)
        }
    })

    it("imports nothing but Node, PGlite for the embedded door, and pg for the command line", () => {
        const foreign = new Set<string>()
        for (const name of filesOf(join(installed, "dist"))) {
            if (!/\.c?js$/.test(name)) continue
            const text = readFileSync(join(installed, "dist", name), "utf8")
            for (const [, target = ""] of text.matchAll(/(?:from |import\(|require\()"([^"]+)"/g)) {
                if (!target.startsWith("./") && !isBuiltin(target)) foreign.add(target)
            }
        }
        expect([...foreign].sort()).toEqual(["@electric-sql/pglite", "pg"])
    })

    it("names no path of the machine that built it", () => {
        for (const name of filesOf(installed)) {
            expect(readFileSync(join(installed, name), "utf8")).not.toContain(ROOT)
        }
    })

    it("satisfies publint", async () => {
        const { messages } = await publint({ pkgDir: installed, pack: false })
        expect(messages).toEqual([])
    })

    it("satisfies arethetypeswrong", async () => {
        const attw = join(ROOT, "node_modules/.bin/attw")
        // `node10` resolution knows no `exports`, so it cannot see the embedded door.
        const { stdout } = await runFile(attw, [packed.tarball, "--profile", "node16", "--format", "json"])
        const found: { resolutionKind?: string }[] = Object.values(
            JSON.parse(stdout).problems ?? {},
        ).flat() as []
        expect(found.filter(({ resolutionKind }) => resolutionKind !== "node10")).toEqual([])
    })

    const programs = [
        { kind: "ESM", file: "main.mjs", head: `import pg from "pg"\nimport ${NAMES} from "cuckmq"` },
        {
            kind: "CommonJS",
            file: "main.cjs",
            head: `const pg = require("pg")\nconst ${NAMES} = require("cuckmq")`,
        },
    ]
    for (const { kind, file, head } of programs) {
        it(`runs a job in a project of ${kind}`, async () => {
            const { folder, write } = kind === "ESM" ? esm : cjs
            const connectionString = await makeDatabase()
            write({ [file]: head + BODY })
            const { stdout, stderr } = await runFile(process.execPath, [file], {
                cwd: folder,
                env: { ...process.env, DATABASE_URL: connectionString },
            })
            expect({ stdout, stderr }).toEqual({ stdout: PRINTED, stderr: "" })
        })
    }

    it("has a command line, which looks after a queue and says what it ends with", async () => {
        const env = { ...process.env, DATABASE_URL: await makeDatabase(), NO_COLOR: "1" }
        const cuckmq = join(esm.folder, "node_modules/.bin/cuckmq")
        const run = (...argv: string[]) => runFile(cuckmq, argv, { cwd: esm.folder, env })
        expect((await run("migrate")).stdout).toMatch(/^applied 1 create-tables\n/)
        expect(JSON.parse((await run("status", "--json")).stdout)).toMatchObject({ workers: [] })
        expect(await run("job", "7").catch((error) => error)).toMatchObject({
            code: 1,
            stderr: "there is no job 7\n",
        })
        const tail = runFile(cuckmq, ["tail"], { cwd: esm.folder, env })
        const ended = tail.catch((error) => error)
        const pool = new pg.Pool({ connectionString: env.DATABASE_URL, max: 1 })
        await eventually(async () => {
            const { rows } = await pool.query(
                "select 1 from pg_stat_activity where application_name = 'cuckmq' and datname = current_database()",
            )
            return rows.length > 0
        })
        tail.child.kill("SIGINT")
        expect(await ended).toMatchObject({ code: 130, stderr: "" })
        await pool.end()
    })

    it("shows itself at work on the files that were installed", async () => {
        const cuckmq = join(esm.folder, "node_modules/.bin/cuckmq")
        const { stdout, stderr } = await runFile(cuckmq, ["demo", "--json"], {
            cwd: esm.folder,
            env: { ...process.env, DATABASE_URL: "" },
        })
        expect(stderr).toBe("")
        const { outcomes } = JSON.parse(stdout)
        const [ofFiles, , , doomed] = outcomes
        expect(ofFiles).toMatchObject({ definition: "count-file", numFailed: 0, numQueued: 0 })
        expect(ofFiles.numSucceeded).toBeGreaterThan(10)
        expect(doomed).toMatchObject({ definition: "doomed-read", numFailed: 1, numAttempts: 2 })
    })

    const threads = [
        {
            kind: "ESM",
            file: "threads.mjs",
            head: `import pg from "pg"\nimport ${NAMES} from "cuckmq"\nconst MODULE = new URL("./job.mjs", import.meta.url)`,
            job: `import { isMainThread } from "node:worker_threads"
                import { AttemptTimeoutError, LeaseLostError, Unretryable } from "cuckmq"
                export default run`,
        },
        {
            kind: "CommonJS",
            file: "threads.cjs",
            head: `const pg = require("pg")\nconst ${NAMES} = require("cuckmq")\nconst MODULE = require.resolve("./job.cjs")`,
            job: `const { isMainThread } = require("node:worker_threads")
                const { AttemptTimeoutError, LeaseLostError, Unretryable } = require("cuckmq")
                module.exports = run`,
        },
    ]
    for (const { kind, file, head, job } of threads) {
        it(`runs jobs in threads in a project of ${kind}, which ends when its worker has`, async () => {
            const { folder, write } = kind === "ESM" ? esm : cjs
            const env = { ...process.env, DATABASE_URL: await makeDatabase() }
            write({ [file]: head + THREADS_BODY, [file.replace("threads", "job")]: job + THREAD_JOB })
            const { stdout, stderr } = await runFile(process.execPath, [file], { cwd: folder, env })
            expect(stderr).toBe("")
            const lines = stdout.trim().split("\n")
            expect(lines.sort()).toEqual(
                [
                    "AttemptTimeoutError attempt 1 of job 3 timed out",
                    "Unretryable no use",
                    '[{"result":{"isMainThread":false}},{"result":"again"}]',
                    "true false",
                ].sort(),
            )
        })
    }

    const embedded = [
        {
            kind: "ESM",
            file: "embedded.mjs",
            head: `import { Config, CuckmqError } from "cuckmq"\nimport { embeddedPool } from "cuckmq/embedded"`,
        },
        {
            kind: "CommonJS",
            file: "embedded.cjs",
            head: `const { Config, CuckmqError } = require("cuckmq")\nconst { embeddedPool } = require("cuckmq/embedded")`,
        },
    ]
    for (const { kind, file, head } of embedded) {
        it(`opens an embedded database in a project of ${kind}, with the errors of the main door`, async () => {
            const { folder, write } = kind === "ESM" ? esm : cjs
            write({ [file]: head + EMBEDDED_BODY })
            const { stdout } = await runFile(process.execPath, [file], { cwd: folder })
            expect(stdout).toBe("0\ntrue CUCKMQ_INVALID_OPTION\n")
        })
    }

    const dashboards = [
        {
            kind: "ESM",
            file: "dashboard.mjs",
            head: `import pg from "pg"\nimport { Config } from "cuckmq"\nimport { createDashboard } from "cuckmq/dashboard"`,
        },
        {
            kind: "CommonJS",
            file: "dashboard.cjs",
            head: `const pg = require("pg")\nconst { Config } = require("cuckmq")\nconst { createDashboard } = require("cuckmq/dashboard")`,
        },
    ]
    for (const { kind, file, head } of dashboards) {
        it(`answers requests for the dashboard in a project of ${kind}`, async () => {
            const { folder, write } = kind === "ESM" ? esm : cjs
            write({ [file]: head + DASHBOARD_BODY })
            const { stdout, stderr } = await runFile(process.execPath, [file], { cwd: folder })
            expect({ stdout, stderr }).toEqual({
                stdout: "200 text/html; charset=utf-8\n200 ada\n",
                stderr: "",
            })
        })
    }

    it("has types for projects of both kinds", () => {
        const text = `
            import { Config, type JobContext, JobDefinition, Worker } from "cuckmq"
            import { createDashboard } from "cuckmq/dashboard"
            import { embeddedPool } from "cuckmq/embedded"
            import { Pool } from "pg"
            const config = new Config({ pool: new Pool() })
            export const embedded = embeddedPool().then((pool) => new Config({ pool }))
            export const ping = new JobDefinition({
                config,
                name: "ping",
                jobFunction: async (payload: { message: string }, context: JobContext) => {
                    console.log(payload.message, context.attempt)
                },
            })
            export const id: Promise<number> = ping.defer({ payload: { message: "Hello" } })
            export const worker = new Worker({ config })
            export const dashboard = createDashboard({
                config,
                authorize: (request, { user }: { user: string }) => ({ user: user + request.url }),
            })
        `
        for (const { folder, write } of [esm, cjs]) {
            write({ "consumer.ts": text })
            expect(typeErrors(folder, ["consumer.ts"], { skipLibCheck: false })).toEqual([])
        }
    })
})
