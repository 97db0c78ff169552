import { describe, expect, it } from "vitest"
import { runCli } from "../support/cli.ts"

describe("a command line that is wrong", () => {
    const wrong: [argv: string[], message: RegExp][] = [
        [["nonsense"], /there is no command nonsense/],
        [["jobs", "--nonsense"], /Unknown option '--nonsense'/],
        [["jobs", "extra"], /jobs does not take: extra/],
        [["job"], /job needs ID/],
        [["job", "-1"], /option/i],
        [["job", "x"], /expected the id of a job, a whole number, got: x/],
        [["jobs", "--state", "lost"], /state/],
        [["jobs", "--limit", "many"], /expected a number for --limit, got: many/],
        [["jobs", "--limit", "1000"], /limit/],
        [["jobs", "--payload", "{"], /expected a JSON object for --payload/],
        [["jobs", "--created-after", "soon"], /expected an instant such as/],
        [["retry"], /retry needs ids, options that choose jobs, or --all/],
        [["retry", "1", "--definition", "a"], /and not both/],
        [["retry", "--all"], /--yes/],
        [["cancel", "1"], /--yes/],
        [["pause"], /expected one of --definition, --channel and --everything/],
        [["pause", "--channel", "a", "--key", "b"], /--key goes with --definition/],
        [["pause", "--everything"], /--yes/],
        [["help", "nonsense"], /there is no command nonsense/],
        [["status", "--schema", ""], /schema/],
        [["bench", "--jobs", "5"], /from 100 to 1,000,000 for --jobs, got: 5/],
        [["bench", "--max-seconds", "7.5"], /a whole number from 5 to 3,600/],
        [["demo", "--schema", "mine"], /makes a schema of its own/],
        [["bench", "--schema", "mine"], /makes a schema of its own/],
    ]
    for (const [argv, message] of wrong)
        it(`is refused before anything is sent: ${argv.join(" ")}`, async () => {
            const env = { DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/none" }
            const { code, stdout, stderr } = await runCli(argv, { env })
            expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
            expect(stderr).toMatch(message)
            expect(stderr).not.toContain("secret")
        })
})

describe("a password", () => {
    const urls = [
        "postgres://me:s3cr3t@127.0.0.1:1/none",
        "postgres://me:s3c%23r3t@127.0.0.1:1/none",
        "postgres://me:s3c#r3t@127.0.0.1:1/none",
        "postgres://me:s3c/r3t@127.0.0.1:1/none",
        "postgres://127.0.0.1:1/none?user=me&password=s3cr3t",
    ]
    for (const url of urls)
        it(`is not printed, whatever is wrong: ${url}`, async () => {
            for (const argv of [
                ["status"],
                ["status", "--json"],
                ["status", url],
                ["--database-urll", url],
            ]) {
                const { code, stdout, stderr } = await runCli(argv, { env: { DATABASE_URL: url } })
                expect(code).toBeOneOf([2, 3])
                expect(stdout + stderr).not.toMatch(/s3c|r3t/)
            }
            const { stderr } = await runCli(["status", "--database-url", url])
            expect(stderr).not.toMatch(/s3c|r3t/)
        })
})

describe("a database that is not there", () => {
    it("ends a command with 3, as text or as JSON", async () => {
        const url = "postgres://me@127.0.0.1:1/none"
        const { code, stderr } = await runCli(["status", "--database-url", url])
        expect({ code, stderr }).toEqual({
            code: 3,
            stderr: "cuckmq: counts failed: connect ECONNREFUSED 127.0.0.1:1\n",
        })
        const json = await runCli(["status", "--database-url", url, "--json"])
        expect(JSON.parse(json.stderr)).toEqual({
            error: { code: "CUCKMQ_DATABASE", message: "counts failed: connect ECONNREFUSED 127.0.0.1:1" },
        })
        expect((await runCli(["status"], { env: { DATABASE_URL: "" } })).code).toBe(2)
    })

    it("is told from a driver that is not installed", async () => {
        const loadPg = () => Promise.reject(new Error("Cannot find package 'pg'"))
        const url = "postgres://me@127.0.0.1:1/none"
        const { code, stderr } = await runCli(["status", "--database-url", url], { loadPg })
        expect({ code, stderr }).toEqual({
            code: 3,
            stderr: "cuckmq: the package `pg`, which the command line connects with, is not installed: run `npm install pg`\n",
        })
    })
})
