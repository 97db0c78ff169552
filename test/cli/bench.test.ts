import { describe, expect, it } from "vitest"
import { runCli, startCli } from "../support/cli.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makeDirectPool, ownerURL, queueURL } from "../support/with-schema.ts"

/** The schemas that benches have made, and not dropped. */
async function schemas(): Promise<string[]> {
    const text = "select nspname from pg_namespace where nspname ~ '^cuckmq_bench_[0-9a-f]{24}$'"
    return (await makeDirectPool().query(text)).rows.map(({ nspname }) => nspname)
}

describe.skipIf(!hasServer())("cuckmq bench", () => {
    it("measures, says on what, and leaves nothing behind", async () => {
        const argv = ["bench", "--jobs", "300", "--concurrency", "7", "--max-seconds", "5"]
        const env = { DATABASE_URL: ownerURL() }
        const { code, stdout, stderr } = await runCli([...argv, "--json"], { env })
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
        const { measurements, server, settings } = JSON.parse(stdout)
        expect(settings).toEqual({ numJobs: 300, concurrency: 7, maxSeconds: 5 })
        expect(server).toMatchObject({ version: expect.any(String), settings: { fsync: expect.any(String) } })
        expect(measurements).toMatchObject([
            { name: "defer-many", numJobs: 300, isWhole: true, p50Ms: null },
            { name: "run", numJobs: 300, isWhole: true, p50Ms: null },
            { name: "start", jobsPerSecond: null },
            { name: "defer-1-caller", isWhole: true },
            { name: "defer-20-callers", isWhole: true },
        ])
        for (const { p50Ms, p99Ms } of measurements.slice(2)) expect(p50Ms).toBeLessThanOrEqual(p99Ms)
        for (const { jobsPerSecond } of measurements.slice(0, 2)) expect(jobsPerSecond).toBeGreaterThan(0)
        expect(await schemas()).toEqual([])
    })

    it("ends when it is interrupted, without a schema that stays", async () => {
        const run = startCli(["bench", "--max-seconds", "3600"], { env: { DATABASE_URL: ownerURL() } })
        await eventually(() => run.stderr().includes("running them"))
        const [schema] = await schemas()
        expect(run.stderr()).toContain(`in the schema ${schema}, which is dropped at the end`)
        run.interrupt()
        expect(await run.result).toMatchObject({ code: 130, stdout: "" })
        expect(await schemas()).toEqual([])
    })

    it("says what a role needs that may not make schemas", async () => {
        const env = { DATABASE_URL: queueURL(await makeRole({ grants: [] })) }
        const { code, stderr } = await runCli(["bench"], { env })
        expect(code).toBe(3)
        expect(stderr).toContain("grant create on database")
    })
})

// With the leg of PGlite only, as other tests of it.
describe.skipIf(hasServer())("cuckmq bench --embedded", () => {
    it("measures a database inside the process", async () => {
        const argv = ["bench", "--embedded", "--jobs", "300", "--max-seconds", "5"]
        const { code, stdout, stderr } = await runCli(argv, { env: { DATABASE_URL: "" } })
        expect(code).toBe(0)
        expect(stdout).toMatch(/as PGlite inside this process/)
        expect(stdout).toMatch(/defer 1,000 in a call +\*? *300 /)
        expect(stderr).not.toContain("dropped at the end")
    })
})
