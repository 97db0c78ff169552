import { join } from "node:path"
import { expect, test } from "vitest"
import { openPage, useBrowser } from "../support/browser.ts"
import { define } from "../support/define.ts"
import { startProgram } from "../support/program.ts"
import { ROOT } from "../support/root.ts"
import { makeQueue, queueURL } from "../support/with-schema.ts"

useBrowser()

const TOKEN = "a-token-of-some-length"

test("the command line serves the pages to who has the token, and ends when it is interrupted", async () => {
    const queue = await makeQueue()
    await define(queue.config, () => {}, { name: "greet" }).defer({ payload: {}, delayMs: 3_600_000 })
    const env = { ...process.env, DATABASE_URL: queueURL(), CUCKMQ_SCHEMA: queue.schemaName }
    const start = (...args: string[]) =>
        startProgram(process.execPath, [join(ROOT, "dist/cli.js"), "dashboard", ...args], {
            env: args.includes("--host") ? env : { ...env, CUCKMQ_DASHBOARD_TOKEN: TOKEN },
        })
    const refused = start("--host", "0.0.0.0")
    expect(await refused.ended).toEqual({ code: 2, signal: null })
    expect(refused.output()).toContain("`token`")

    const program = start("--port", "0")
    await program.hasPrinted(/http:\/\/127\.0\.0\.1:\d+\//)
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\//.exec(program.output()) ?? []
    expect((await fetch(url)).status).toBe(401)
    // The stream ends with the program.
    const { page } = await openPage(`${url}?token=${TOKEN}`, { mayFail: /Failed to load|ERR_/ })
    await page.getByText("Live", { exact: true }).waitFor()
    expect(page.url()).not.toContain(TOKEN)
    await page.locator(".tile.delayed b").getByText("1", { exact: true }).waitFor()
    program.signal("SIGINT")
    expect(await program.ended).toEqual({ code: 130, signal: null })
    await page.getByText("Not connected").first().waitFor()
})
