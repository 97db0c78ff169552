import { cpSync, readdirSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
    type Consumer,
    makeConsumer,
    type PackedPackage,
    packPackage,
    typeErrors,
} from "../support/consumer.ts"
import { ROOT } from "../support/root.ts"

const { ModuleKind, ModuleResolutionKind } = ts
const FIXTURES = join(ROOT, "test/types/fixtures")

/** How users' projects find packages. */
const RESOLUTIONS: [name: string, options: ts.CompilerOptions][] = [
    ["nodenext", { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext }],
    ["node16", { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 }],
    ["esnext with a bundler", { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler }],
    [
        "commonjs with a bundler",
        { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Bundler },
    ],
]

describe("the types of the package", () => {
    let packed: PackedPackage
    const consumers = new Map<string, Consumer>()

    beforeAll(async () => {
        packed = await packPackage()
        for (const type of ["module", "commonjs"] as const) {
            const consumer = await makeConsumer({ packed, name: `types-${type}`, type })
            cpSync(FIXTURES, join(consumer.folder, "fixtures"), { recursive: true })
            consumers.set(type, consumer)
        }
    })
    afterAll(() => packed?.remove())

    const fixtures = readdirSync(FIXTURES).map((name) => `fixtures/${name}`)

    for (const type of ["module", "commonjs"]) {
        for (const [name, options] of RESOLUTIONS) {
            for (const exactOptionalPropertyTypes of [true, false]) {
                const exact = exactOptionalPropertyTypes ? "exact" : "loose"
                it(`accept what is right and refuse what is wrong: ${type}, ${name}, ${exact} optional properties`, () => {
                    const folder = consumers.get(type)?.folder ?? ""
                    expect(typeErrors(folder, fixtures, { ...options, exactOptionalPropertyTypes })).toEqual(
                        [],
                    )
                })
            }
        }
    }

    it("hold in our declarations themselves", () => {
        const folder = consumers.get("module")?.folder ?? ""
        expect(typeErrors(folder, fixtures, { skipLibCheck: false })).toEqual([])
    })

    it("are not vacuous: a mistake in a fixture is reported", () => {
        const consumer = consumers.get("module")
        consumer?.write({
            "wrong.ts": `import { Config } from "cuckmq"\nnew Config({ pool: 1 })\nnew Config()\n`,
        })
        expect(typeErrors(consumer?.folder ?? "", ["wrong.ts"])).toHaveLength(2)
    })
})
