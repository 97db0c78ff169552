import axe from "axe-core"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, expect, onTestFinished } from "vitest"

/** Where Debian installs it. */
const EXECUTABLE = process.env.CUCKMQ_CHROMIUM ?? "/usr/bin/chromium"

const ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
]

let browser: Browser | undefined

/** Starts a browser for the tests of a file. */
export function useBrowser(): void {
    beforeAll(async () => {
        browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS })
    })
    afterAll(() => browser?.close())
}

/** A page of the browser, and what went wrong on it so far. */
export interface OpenPage {
    page: Page
    /** What was told on the console, thrown, refused by the policy, or asked of somebody else. */
    problems: string[]
    /** Whether any script ran that is not ours: what hostile texts call. */
    numHacks: () => number
}

/**
 * Opens an address in a context of its own. The test fails when anything goes wrong on the page, but for what `mayFail`
 * fits.
 */
export async function openPage(
    url: string,
    { mayFail, ...options }: BrowserContextOptions & { mayFail?: RegExp } = {},
): Promise<OpenPage> {
    if (browser === undefined) throw new Error("no browser: call useBrowser in the file")
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const problems: string[] = []
    let numHacks = 0
    await context.exposeFunction("hacked", () => {
        numHacks++
    })
    await context.addInitScript(
        `addEventListener("securitypolicyviolation", (event) => console.error("CSP: " + event.violatedDirective + " " + event.blockedURI))`,
    )
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") problems.push(message.text())
    })
    page.on("pageerror", (error) => problems.push(`thrown: ${error.message}`))
    const { origin } = new URL(url)
    page.on("request", (request) => {
        if (new URL(request.url()).origin !== origin) problems.push(`asked elsewhere: ${request.url()}`)
    })
    onTestFinished(async () => {
        await context.close()
        expect(problems.filter((problem) => mayFail?.test(problem) !== true)).toEqual([])
        expect(numHacks).toBe(0)
    })
    await page.goto(url)
    return { page, problems, numHacks: () => numHacks }
}

/** Runs axe on a page as it is, and returns what it finds wrong, in short. */
export async function violationsOn(page: Page): Promise<string[]> {
    // It comes by the debugger, which the page's policy does not concern.
    await page.evaluate(axe.source)
    const { violations } = (await page.evaluate("axe.run(document)")) as axe.AxeResults
    return violations.map(
        ({ id, nodes }) =>
            `${id}: ${nodes
                .slice(0, 3)
                .map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary?.slice(0, 300)}`)
                .join("\n    ")}`,
    )
}

/** The same in the light and in the dark theme. */
export async function violationsInBothThemes(page: Page): Promise<string[]> {
    const found: string[] = []
    for (const colorScheme of ["light", "dark"] as const) {
        // Colours that turn slowly would be looked at half-way.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
        found.push(...(await violationsOn(page)).map((violation) => `${colorScheme}: ${violation}`))
    }
    return found
}
