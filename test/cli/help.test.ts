import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { COMMANDS } from "../../src/cli/commands/all.ts"
import { VERSION } from "../../src/version.ts"
import { runCli } from "../support/cli.ts"

describe("the help of the command line", () => {
    for (const { name } of COMMANDS)
        it(`is as it was, of ${name}`, async () => {
            const { code, stdout, stderr } = await runCli(["help", name])
            await expect(stdout).toMatchFileSnapshot(`help/${name}.txt`)
            expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
            expect((await runCli([name, "--help"])).stdout).toBe(stdout)
        })

    it("is as it was, of all", async () => {
        const { code, stdout } = await runCli([])
        await expect(stdout).toMatchFileSnapshot("help/all.txt")
        expect(code).toBe(0)
        for (const argv of [["help"], ["--help"], ["-h"]]) expect((await runCli(argv)).stdout).toBe(stdout)
        const { stdout: json } = await runCli(["help", "--json"])
        expect(JSON.parse(json)).toEqual({ help: stdout.trimEnd() })
    })

    it("fits in 110 columns", async () => {
        for (const { name } of COMMANDS) {
            const { stdout } = await runCli(["help", name])
            expect(stdout.split("\n").filter((line) => line.length > 110)).toEqual([])
        }
    })

    it("says which release this is", async () => {
        expect(await runCli(["version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" })
        expect((await runCli(["--version"])).stdout).toBe(`${VERSION}\n`)
        expect(JSON.parse((await runCli(["version", "--json"])).stdout)).toEqual({ version: VERSION })
    })
})

describe("completion", () => {
    it("has scripts for three shells, which know every command", async () => {
        for (const shell of ["bash", "zsh", "fish"]) {
            const { code, stdout } = await runCli(["completion", shell])
            await expect(stdout).toMatchFileSnapshot(`completion/${shell}.txt`)
            expect(code).toBe(0)
        }
        expect((await runCli(["completion", "tcsh"])).code).toBe(2)
    })

    it("completes commands, options and values in bash", async () => {
        const { stdout: script } = await runCli(["completion", "bash"])
        const complete = (...words: string[]) =>
            execFileSync("bash", [
                "-c",
                `${script}\nCOMP_WORDS=(cuckmq ${words.map((word) => `'${word}'`).join(" ")})\nCOMP_CWORD=${words.length}\n_cuckmq\necho "\${COMPREPLY[@]}"`,
            ])
                .toString()
                .trim()
        expect(complete("re")).toBe("retry resume")
        expect(complete("jobs", "--cre")).toBe("--created-after --created-before")
        expect(complete("jobs", "--state", "f")).toBe("failing failed")
        expect(complete("help", "mig")).toBe("migrate")
    })
})
