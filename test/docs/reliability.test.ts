import { existsSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { expect, it } from "vitest"

const PAGE = join(import.meta.dirname, "../../docs/reliability.md")

it("docs/reliability.md names tests that there are", () => {
    const links = [...readFileSync(PAGE, "utf8").matchAll(/\[([^\]]+)\]\(([^)#]+)\)/g)]
    const tests = links.filter(([, , path]) => path?.endsWith(".test.ts"))
    expect(tests.length).toBeGreaterThan(40)
    for (const [, name, path = ""] of tests) {
        expect(existsSync(join(dirname(PAGE), path)), path).toBe(true)
        expect(basename(path)).toBe(`${name}.test.ts`)
    }
})
