import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { typeErrors } from "../support/consumer.ts"
import { snippets } from "../support/readme.ts"
import { ROOT } from "../support/root.ts"

const DOCUMENT = readFileSync(join(ROOT, "docs/dashboard.md"), "utf8")
/** Below the frameworks, whose types are found from there. */
const FOLDER = join(ROOT, "test/adapters/.tmp/snippets")

/** The blocks of code below a heading. */
function below(heading: string): string {
    const start = DOCUMENT.indexOf(`\n${heading}\n`)
    if (start < 0) throw new Error(`docs/dashboard.md has no heading ${heading}`)
    const rest = DOCUMENT.slice(start + heading.length + 1)
    const end = rest.search(/^#/m)
    return snippets(end < 0 ? rest : rest.slice(0, end))
        .filter(({ language }) => language === "typescript")
        .map(({ text }) => text)
        .join("\n")
}

/** The code in the row of a framework, in the table of how to mount it. */
function inRow(framework: string): string {
    const row = DOCUMENT.split("\n").find((line) => line.startsWith(`| ${framework}`))
    const code = /`([^`]*\bdashboard\b[^`]*)`/.exec(row ?? "")?.[1]
    if (code === undefined) throw new Error(`docs/dashboard.md does not say how to mount it in ${framework}`)
    return code
}

const DASHBOARD = `import { dashboard } from "./dashboard.ts"`

/** What the documentation says, behind what it leaves to its readers. */
const FILES: Record<string, string> = {
    "jobs.ts": `import type { Config } from "cuckmq"\nexport declare const config: Config`,
    "dashboard.ts": `declare function userOf(request: Request): Promise<{ isAdmin: boolean; email: string } | null>
        ${below("## In an app of yours")}`,
    "express.ts": `import express from "express"\n${DASHBOARD}
        const app = express()
        ${inRow("Express")}`,
    "nest.ts": `import { NestFactory } from "@nestjs/core"\n${DASHBOARD}
        const app = await NestFactory.create(class {})
        ${inRow("NestJS")}`,
    "fastify.ts": `import Fastify, { type FastifyReply, type FastifyRequest } from "fastify"\n${DASHBOARD}
        const app = Fastify()
        ${below("### Fastify")}`,
    "koa.ts": `import Koa from "koa"\nimport bodyParser from "koa-bodyparser"\n${DASHBOARD}
        const app = new Koa()
        app.use(bodyParser())
        ${below("### Koa")}`,
    "hono.ts": `import { Hono } from "hono"\n${DASHBOARD}
        const app = new Hono()
        ${inRow("Hono")}`,
    "next.ts": `${DASHBOARD}\n${below("### Next")}`,
    "own.ts": `import { healthResponse, serveDashboard } from "cuckmq/dashboard"
        import { config } from "./jobs.ts"
        declare const [port, host, token]: [number, string, string]
        const { url, close } = await ${/`(serveDashboard\([^`]*\))`/.exec(DOCUMENT)?.[1]}
        export const response: Response = ${/`(await healthResponse\([^`]*\))`/.exec(DOCUMENT)?.[1]}
        console.log(url.length, close())`,
}

beforeAll(() => {
    mkdirSync(FOLDER, { recursive: true })
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(FOLDER, name), text)
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

function errorsIn(files: string[]): string[] {
    return typeErrors(FOLDER, files, { typeRoots: [join(ROOT, "node_modules/@types")] })
}

it("what docs/dashboard.md says to write in each framework is what the framework takes", () => {
    expect(errorsIn(Object.keys(FILES))).toEqual([])
})

it("what a framework does not take is found", () => {
    for (const [name, right, wrong] of [
        ["express.ts", "dashboard.node", "dashboard"],
        // Nest takes anything for a middleware.
        ["nest.ts", "app.use", "app.mount"],
        ["fastify.ts", "reply.raw", "reply"],
        ["koa.ts", "ctx.res)", "ctx.response)"],
        ["hono.ts", "c.req.raw", "c.req"],
        ["next.ts", "fetch(request)", "fetch(request.url)"],
    ] as const) {
        const text = FILES[name] ?? ""
        expect(text).toContain(right)
        writeFileSync(join(FOLDER, `wrong-${name}`), text.replace(right, wrong))
        expect([name, errorsIn([`wrong-${name}`]).length]).not.toEqual([name, 0])
    }
})
