import { cpSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it, onTestFinished } from "vitest"
import { type EmbeddedPoolOptions, embeddedPool } from "../../src/embedded.ts"
import {
    Config,
    DatabaseError,
    EmbeddedInUseError,
    InvalidOptionError,
    JobDefinition,
    Worker,
} from "../../src/index.ts"
import { type Program, startProgram } from "../support/program.ts"
import { eventually, hasServer } from "../support/with-schema.ts"

const SOURCES = join(import.meta.dirname, "../../src")
const TSX = import.meta.resolve("tsx")

/** Starting a database takes seconds, and a test starts up to three. */
const TIMEOUT_MS = 90_000

// With the leg of PGlite only: they would take a tenth of the time of all tests on a server.
describe.skipIf(hasServer())("embeddedPool", { timeout: TIMEOUT_MS }, () => {
    it("runs jobs in memory, and may be ended twice", async () => {
        const pool = await open()
        const config = new Config({ pool })
        await config.prepareSchema()
        const double = new JobDefinition({
            config,
            name: "double",
            jobFunction: (payload: { value: number }) => ({ value: payload.value * 2 }),
        })
        double.register()
        const worker = new Worker({ config, concurrency: 2 })
        const id = await double.defer({ payload: { value: 21 } })
        const query = "select outcome::text, result from _cuckmq.job_history where id = $1"
        const [row] = await eventually(async () => {
            const { rows } = await pool.query(query, [id])
            return rows.length > 0 && rows
        })
        expect(row).toEqual({ outcome: "succeeded", result: { value: 42 } })
        worker.stop()
        await worker.join()
        await pool.end()
        await pool.end()
        expect(pool.closed).toBe(true)
    })

    it("keeps what is in a folder for the next time, and gives it free by whatever name it is ended", async () => {
        const dataDir = join(makeFolder(), "deep", "folder")
        const first = await open({ dataDir })
        await first.query("create table note as select 'kept' as text")
        await first.end()
        expect(existsSync(join(dataDir, "cuckmq.lock"))).toBe(false)
        const second = await open({ dataDir })
        expect((await second.query("select text from note")).rows).toEqual([{ text: "kept" }])
        await second.close()
        expect(existsSync(join(dataDir, "cuckmq.lock"))).toBe(false)
    })

    it("refuses a folder that this process has open already", async () => {
        const dataDir = makeFolder()
        await open({ dataDir })
        const refused = open({ dataDir })
        await expect(refused).rejects.toThrow(EmbeddedInUseError)
        await expect(refused).rejects.toMatchObject({ code: "CUCKMQ_EMBEDDED_IN_USE", retryable: false })
        await expect(refused).rejects.toThrow(`process ${process.pid}`)
    })

    it("refuses a folder that another process has open, and takes it over when that one was killed", async () => {
        const dataDir = makeFolder()
        const other = runChild(`
            const pool = await embeddedPool({ dataDir: ${JSON.stringify(dataDir)} })
            await pool.query("create table note as select 'committed' as text")
            console.log("open")
            setInterval(() => undefined, 1_000)
        `)
        await other.hasPrinted("open")
        await expect(open({ dataDir })).rejects.toThrow(`process ${other.pid}`)
        other.signal("SIGKILL")
        await other.ended
        const pool = await open({ dataDir })
        expect((await pool.query("select text from note")).rows).toEqual([{ text: "committed" }])
    })

    it.runIf(existsSync("/proc/self/stat"))(
        "takes over a lock whose process number belongs to another process by now",
        async () => {
            const dataDir = makeFolder()
            const before = { pid: process.pid, startedAt: "1", id: "before-the-restart" }
            writeFileSync(join(dataDir, "cuckmq.lock"), JSON.stringify(before))
            const pool = await open({ dataDir })
            expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }])
        },
    )

    it("gives a stale lock to one of several processes that find it at the same time", async () => {
        const path = join(makeFolder(), "cuckmq.lock")
        writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: null, id: "gone" }))
        // Left by one that died while it was replacing the first.
        writeFileSync(`${path}.gone`, JSON.stringify({ pid: 2 ** 22 + 2, startedAt: null, id: "gone-too" }))
        const children = Array.from({ length: 4 }, () =>
            runChild(`
                console.log("ready")
                await new Promise((resolve) => process.stdin.once("data", resolve))
                const lock = lockFile(${JSON.stringify(path)})
                console.log("release" in lock ? "taken" : "refused")
                await new Promise((resolve) => process.stdin.once("end", resolve).resume())
            `),
        )
        await Promise.all(children.map((child) => child.hasPrinted("ready")))
        for (const child of children) child.write("go")
        await Promise.all(children.map((child) => child.hasPrinted(/taken|refused/)))
        expect(children.filter((child) => child.output().includes("taken"))).toHaveLength(1)
        expect(readdirSync(join(path, ".."))).toEqual(["cuckmq.lock"])
    })

    it("says what to install when PGlite is not there", async () => {
        const elsewhere = makeFolder()
        cpSync(SOURCES, join(elsewhere, "src"), { recursive: true })
        writeFileSync(join(elsewhere, "package.json"), `{ "type": "module" }`)
        const child = runChild(
            `await embeddedPool().catch((error) => console.log(error.name, error.code, error.message))`,
            join(elsewhere, "src"),
        )
        await child.ended
        expect(child.output()).toContain("EmbeddedNotInstalledError CUCKMQ_EMBEDDED_NOT_INSTALLED")
        expect(child.output()).toContain("npm install @electric-sql/pglite")
    })

    it("refuses options that do not exist or are no folder's path", async () => {
        for (const options of [
            { dataDir: 1 },
            { dataDir: "" },
            { dataDir: "memory://" },
            { folder: "x" },
            null,
        ]) {
            await expect(open(options as never)).rejects.toThrow(InvalidOptionError)
        }
    })

    it("does not pass on raw errors when the folder cannot be used, and gives it free", async () => {
        const folder = makeFolder()
        writeFileSync(join(folder, "file"), "")
        await expect(open({ dataDir: join(folder, "file") })).rejects.toThrow(DatabaseError)
        // Looks like a database, and is none.
        writeFileSync(join(folder, "PG_VERSION"), "18\n")
        await expect(open({ dataDir: folder })).rejects.toThrow(DatabaseError)
        expect(existsSync(join(folder, "cuckmq.lock"))).toBe(false)
    })
})

async function open(options?: EmbeddedPoolOptions) {
    const pool = await embeddedPool(options)
    onTestFinished(() => pool.end())
    return pool
}

function makeFolder(): string {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "cuckmq-embedded-")))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    return folder
}

/** Runs a program in a process of its own, with what the sources in a folder export. */
function runChild(program: string, sources = SOURCES): Program {
    const from = (path: string) => JSON.stringify(pathToFileURL(join(sources, path)).href)
    const imports = `
        const { embeddedPool } = await import(${from("embedded.ts")})
        const { lockFile } = await import(${from("embedded/file-lock.ts")})
    `
    const args = ["--import", TSX, "--input-type=module", "--eval", imports + program]
    return startProgram(process.execPath, args)
}
