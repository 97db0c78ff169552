import { describe, expect, it } from "vitest"
import { EmbeddedNotInstalledError } from "../../src/errors.ts"
import { runCli, startCli } from "../support/cli.ts"
import { eventually, hasServer, makeDirectPool, ownerURL } from "../support/with-schema.ts"

/** The schemas that demos have made, and not dropped. */
async function schemas(): Promise<string[]> {
    const text = "select nspname from pg_namespace where nspname ~ '^cuckmq_demo_[0-9a-f]{24}$'"
    return (await makeDirectPool().query(text)).rows.map(({ nspname }) => nspname)
}

describe.skipIf(!hasServer())("cuckmq demo", () => {
    it("runs jobs of every kind, serves them meanwhile and afterwards, and leaves nothing behind", async () => {
        const run = startCli(["demo", "--dashboard", "--json"], { env: { DATABASE_URL: ownerURL() } })
        const documents = () =>
            run
                .stdout()
                .split("\n")
                .filter((line) => line !== "")
                .map((line) => JSON.parse(line))
        const { url } = await eventually(() => documents()[0])
        expect((await fetch(url)).status).toBe(200)
        const { outcomes, closest } = await eventually(() => documents()[1], 30_000)
        expect((await fetch(url)).status).toBe(200)
        run.interrupt()
        expect(await run.result).toMatchObject({ code: 0, stderr: "" })
        expect(
            outcomes.map((one: Record<string, unknown>) => [
                one.definition,
                one.numFailed,
                one.numQueued,
                one.numAttempts,
            ]),
        ).toEqual([
            ["count-file", 0, 0, expect.any(Number)],
            ["publish-digest", 0, 0, expect.any(Number)],
            ["flaky-upload", 0, 0, 3],
            ["doomed-read", 1, 0, 2],
            ["reminder", 0, 0, 1],
            ["heartbeat", 0, expect.any(Number), expect.any(Number)],
            ["report", 0, 0, 1],
        ])
        expect(closest[0].ms).toBeGreaterThanOrEqual(250)
        expect(await schemas()).toEqual([])
    })

    it("draws on a terminal, and when it is interrupted says what became of the jobs", async () => {
        const run = startCli(["demo"], { env: { DATABASE_URL: ownerURL() }, columns: 100 })
        await eventually(() => run.stdout().includes("flaky-upload \u001b[2m#"))
        run.interrupt()
        const { code, stdout } = await run.result
        expect(code).toBe(130)
        expect(stdout).toContain("Stopping: what runs may end")
        expect(stdout).toMatch(/Summary[\s\S]+publish-digest +\S+ +·\S* +[1-9]/)
        expect(await schemas()).toEqual([])
    })
})

describe("cuckmq demo without a database", () => {
    it("says what would be one", async () => {
        const loadEmbedded = async () => ({
            embeddedPool: () => Promise.reject(new EmbeddedNotInstalledError({ cause: undefined })),
        })
        const { code, stderr } = await runCli(["demo"], { env: { DATABASE_URL: "" }, loadEmbedded })
        expect(code).toBe(2)
        expect(stderr).toContain("npm install @electric-sql/pglite")
        const kept = await runCli(["demo", "--keep"], { env: { DATABASE_URL: "" }, loadEmbedded })
        expect(kept).toMatchObject({ code: 2, stderr: expect.stringContaining("--database-url") })
    })
})
