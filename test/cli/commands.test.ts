import { beforeEach, describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { type JobDefinition, Unretryable } from "../../src/index.ts"
import { performSlice } from "../../src/operate/operation-run.ts"
import { type CliResult, type CliWorld, runCli, startCli } from "../support/cli.ts"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, hasServer, makeQueue, type Queue, queueURL } from "../support/with-schema.ts"

const HOSTILE = "bad \u001b[2J news\u202e"

let queue: Queue
let mail: JobDefinition<Record<string, unknown>, unknown>

/** Runs a command line on the queue of the test. */
function run(argv: readonly string[], world: CliWorld = {}): Promise<CliResult> {
    return runCli([...argv, "--schema", queue.schemaName], worldOf(world))
}

function start(argv: readonly string[], world: CliWorld = {}) {
    return startCli([...argv, "--schema", queue.schemaName], worldOf(world))
}

/** The way of the leg. */
function worldOf(world: CliWorld): CliWorld {
    return { ...world, env: { DATABASE_URL: queueURL(), ...world.env } }
}

async function json(
    argv: readonly string[],
    world: CliWorld = {},
): Promise<{ code: number; value: unknown }> {
    const { code, stdout } = await run([...argv, "--json"], world)
    return { code, value: JSON.parse(stdout) }
}

/** Text without what is another one each time. */
function steady(text: string): string {
    return text
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<instant>")
        .replaceAll(/~\d+|about \d+/g, "<estimate>")
        .replaceAll(/ +\d+(ms|s)\b/g, " <age>")
        .replaceAll(/ +$/gm, "")
}

describe.skipIf(!hasServer())("the command line", () => {
    // One queue a test, and few tests: what each command prints is looked at one after the other.
    beforeEach(async () => {
        queue = await makeQueue()
        mail = define(
            queue.config,
            ({ how }) => {
                if (how === "fail") throw new Unretryable(HOSTILE)
                return { how: how ?? null }
            },
            { name: "mail", channel: "post" },
        )
    })

    it("shows jobs, and lets them be cancelled, tried again, paused and resumed", async () => {
        const { config } = queue
        const [bad = 0, good = 0] = await mail.deferMany([
            { payload: { how: "fail" } },
            { payload: { how: "日本" } },
        ])
        const worker = queue.worker({ channel: "post", name: "postman" })
        await finalized(queue, 2)
        worker.stop()
        await worker.join()
        const later = await mail.defer({ payload: {}, delayMs: 3_600_000 })

        expect(steady((await run(["jobs"])).stdout)).toMatchInlineSnapshot(`
          "ID  DEFINITION  STATE      ATTEMPTS  CREATED                   WORKER   REMARK
           3  mail        delayed           0  <instant>  -
           2  mail        succeeded         1  <instant>  postman
           1  mail        failed            1  <instant>  postman  error; bad \\u001b[2J news\\u202e
          "
        `)
        expect(
            steady((await run(["job", String(bad)])).stdout.replaceAll(/ {4}at .*\n/g, "")),
        ).toMatchInlineSnapshot(`
          "job:        1
          definition: mail
          channel:    post
          state:      failed
          reason:     error
          priority:   0
          keys:       -
          attempts:   1
          created:    <instant>
          due:        <instant>
          claimed:    <instant>
          expires:    -
          finalized:  <instant>
          worker:     postman
          payload:
            {
              "how": "fail"
            }
          error of attempt 1:
            Unretryable: bad \\u001b[2J news\\u202e
          "
        `)
        expect((await run(["job", "999999999"])).code).toBe(1)
        expect((await run(["explain", String(later)])).stdout).toMatch(
            /^It is due at \S+ \(in 60 minutes\)\.\n$/,
        )
        expect((await run(["explain", "999999999"])).code).toBe(1)
        expect(await json(["jobs", "--state", "failed", "--definition", "mail"])).toMatchObject({
            code: 0,
            value: { jobs: [{ jobID: bad, reason: "error", errorMessage: HOSTILE }], next: null },
        })
        expect(await json(["jobs", "--payload", '{"how":"日本"}', "--created-after", "1h"])).toMatchObject({
            value: { jobs: [{ jobID: good, state: "succeeded" }] },
        })
        expect(await json(["job", String(good)])).toMatchObject({
            value: { jobID: good, result: { how: "日本" } },
        })
        expect(await json(["job", "999999999"])).toEqual({ code: 1, value: null })

        // Nothing is done before somebody has said so.
        const declined = await run(["cancel", String(later)], { answer: "n" })
        expect([declined.code, declined.stdout]).toEqual([1, ""])
        expect(declined.stderr).toBe(
            `This cancels job ${later}, and fails what depends on it. [y/N] nothing was done\n`,
        )
        const cancelled = await json(["cancel", String(later), "999999999", "--reason", "why not", "--yes"])
        expect(cancelled).toEqual({
            code: 1,
            value: {
                results: [
                    { jobID: later, result: "done" },
                    { jobID: 999999999, result: "not-found" },
                ],
            },
        })

        expect((await run(["retry", String(bad), String(good)])).stdout).toBe(
            `job ${bad} begins again\njob ${good} is not one that failed for good\n`,
        )
        expect(await json(["retry", "--error-text", "nothing like it", "--yes"])).toMatchObject({
            code: 0,
            value: { kind: "replay", by: "tester", state: "waiting", progress: { numExpected: 0 } },
        })
        const chosen = ["retry", "--reason", "cancelled", "--rate", "10", "--limit", "5"]
        const retried = await json([...chosen, "--failed-after", "1h", "--by", "ada"], { answer: "yes" })
        expect(retried).toMatchObject({
            code: 0,
            value: {
                ...{ kind: "replay", by: "ada", details: { ratePerSecond: 10, limit: 5 } },
                ...{ target: { filter: { reason: "cancelled" } }, progress: { numExpected: 1 } },
            },
        })
        expect((await run([...chosen, String(good)])).code).toBe(2)
        while (await performSlice({ core: coreOf(config), holder: "an orchestrator" }));

        expect((await run(["pause", "--definition", "mail", "--reason", "a break"])).stdout).toBe(
            "paused: definition mail\n",
        )
        expect((await run(["pause", "--everything", "--yes"])).code).toBe(0)
        expect(await config.pauses()).toMatchObject([
            { target: { definition: "mail" }, reason: "a break" },
            { target: { everything: true } },
        ])
        expect(steady((await run(["status"])).stdout)).toMatchInlineSnapshot(`
          "DEFINITION  CHANNEL  READY  DELAYED  BLOCKED  RUNNING  FAILING  FAILED  OLDEST
          mail        post         2        0        0        0        0       0 <age>  paused
          total                    2        0        0        0        0       0

          history: <estimate>   workers: 0 live, 0 of 0 slots taken   orchestrators: 0 live
          paused: definition mail, since <instant>: a break
          paused: everything, since <instant>
          "
        `)
        expect(await json(["resume", "--everything"])).toEqual({
            code: 0,
            value: { target: { everything: true }, wasPaused: true },
        })
        expect((await run(["resume", "--channel", "post"])).code).toBe(1)
        await mail.defer({ payload: {} })
        expect(await json(["status"])).toMatchObject({
            code: 0,
            value: {
                counts: { definitions: [{ definition: "mail", channel: "post", isPaused: true }] },
                workers: [],
                orchestrators: [],
                pauses: [{ target: { definition: "mail" } }],
            },
        })
    })

    it("changes jobs, and all that fit, and shows what was done and by whom", async () => {
        const ids = await mail.deferMany([1, 2, 3].map((n) => ({ payload: { n }, delayMs: 3_600_000 })))
        const [one = 0, two = 0, three = 0] = ids
        const declined = await run(["run-now", "--state", "delayed"], { answer: "n" })
        expect([declined.code, declined.stdout]).toEqual([1, ""])
        expect(declined.stderr).toBe(
            'This makes 3 jobs with {"state":"delayed"} due now. [y/N] nothing was done\n',
        )
        expect((await run(["set-due-time", String(one), "--due", "2h"])).stdout).toBe(
            `job ${one} has the due time\n`,
        )
        expect((await run(["set-priority", String(one), "--priority=-5", "--by", HOSTILE])).code).toBe(0)
        expect((await queue.config.jobs.cancel(three)) satisfies string).toBe("cancelled")
        expect(await json(["run-now", String(two), String(three), "999999999"])).toEqual({
            code: 1,
            value: {
                results: [
                    { jobID: two, result: "done" },
                    { jobID: three, result: "wrong-state" },
                    { jobID: 999999999, result: "not-found" },
                ],
            },
        })
        const submitted = await run(["cancel", "--definition", "mail", "--yes"])
        expect(submitted.stdout).toBe("operation 4 waiting: 0 of 2\n")
        expect(submitted.stderr).toBe("no orchestrator lives: the operation waits until one is started\n")
        expect(steady((await run(["operations"])).stdout)).toMatchInlineSnapshot(`
          "ID  AT                        BY                        KIND          STATE    JOBS               ABOUT
           4  <instant>  tester                    cancel        waiting  0 of 2             {"filter":{"definition":"mail"}}
           3  <instant>  tester                    run-now       done     1 of 3, 2 skipped  {"jobIDs":[2,3,999999999]}
           2  <instant>  bad \\u001b[2J news\\u202e  set-priority  done     1 of 1             {"jobIDs":[1],"priority":-5}
           1  <instant>  tester                    set-due-time  done     1 of 1             {"jobIDs":[1],"dueAt":"<instant>"}
          "
        `)
        expect((await run(["operations", "--running"])).stdout.split("\n")).toHaveLength(3)
        expect((await run(["operations", "999"])).code).toBe(1)
        expect((await run(["operations", "--watch"])).code).toBe(2)
        expect(await json(["operations", "4", "--cancel", "--yes"])).toEqual({
            code: 0,
            value: { operationID: 4, isCancelled: true },
        })
        expect((await run(["operations", "4", "--cancel"], { answer: "y" })).code).toBe(1)
        expect((await run(["operations", "4", "--watch"])).code).toBe(1)

        queue.orchestrator()
        const waited = await run(["cancel", "--all", "--wait", "--yes"])
        expect([waited.code, waited.stderr.split("\n").at(-2)]).toEqual([0, "operation 6 done: 2 of 2"])
        expect(steady((await run(["operations", "6"])).stdout)).toMatchInlineSnapshot(`
          "operation: 6
          kind:      cancel
          by:        tester
          at:        <instant>
          target:    {"filter":{}}
          details:   {}
          state:     done
          jobs:      2 of 2
          started:   <instant>
          ended:     <instant>
          "
        `)
        expect(await json(["delete", String(one), "--yes"])).toMatchObject({ code: 0 })
        expect((await run(["delete", "--all"])).code).toBe(2)
    })

    it("defers jobs by the name of their definition, and says whether the queue is healthy", async () => {
        define(queue.config, () => undefined, { name: "keyed", group: { key: () => "a" } }).defer({
            payload: {},
        })
        await eventually(async () => (await queue.jobs()).length === 1)
        await mail.defer({ payload: {} })
        const { value } = await json([
            "defer",
            "mail",
            "--payload",
            '{"how":"now"}',
            "--due",
            "1h",
            "--priority",
            "7",
        ])
        const { jobID } = value as { jobID: number }
        expect(await json(["job", String(jobID)])).toMatchObject({
            value: { state: "delayed", priority: 7, payload: { how: "now" } },
        })
        expect((await run(["defer", "keyed"])).stderr).toContain("keys.group")
        expect((await run(["defer", "keyed", "--group-key", "b"])).code).toBe(0)
        expect(await run(["defer", "nothing"])).toMatchObject({ code: 2, stdout: "" })
        expect(await run(["health"])).toMatchObject({
            code: 1,
            stdout: expect.stringContaining("problem orchestrators: no orchestrator lives\n"),
        })
        queue.orchestrator()
        queue.worker({ channel: "post" })
        queue.worker()
        await eventually(async () => (await run(["health"])).code === 0)
        expect(await json(["health"])).toMatchObject({ value: { isHealthy: true } })
    })

    it("shows workers, schedules and the state of the schema, and follows what happens", async () => {
        const { config } = queue
        define(config, () => undefined, { name: "nightly", channel: "post", repeatIntervalMs: 7_200_000 })
        await config.schedules.upsert({
            ...{ name: "weekly", definition: mail, payload: {} },
            cron: { expression: "0 9 * * 1", timeZone: "Europe/Berlin" },
        })
        const tail = start(["tail"])
        const tailJson = start(["tail", "--json", "--definition", "mail"])
        queue.worker({ channel: "post", name: "postman", concurrency: 3 })
        queue.orchestrator({ name: "conductor" })
        const jobID = await mail.defer({ payload: { how: "fail" } })
        await eventually(() => tail.stdout().includes("mail failed"))
        tail.interrupt()
        expect((await tail.result).code).toBe(130)
        expect(tail.stdout()).toContain(
            ` ${jobID} mail failed attempt 1 worker postman error; bad \\u001b[2J news\\u202e\n`,
        )
        await eventually(() => tailJson.stdout().includes('"state":"failed"'))
        tailJson.interrupt()
        expect((await tailJson.result).code).toBe(130)
        const last = tailJson.stdout().trim().split("\n").at(-1) ?? ""
        expect(JSON.parse(last)).toMatchObject({ jobID, state: "failed", errorMessage: HOSTILE })

        await eventually(async () => (await run(["workers"])).stdout.includes("conductor"))
        const { stdout: workers } = await run(["workers"], { columns: 200 })
        expect(workers).toMatch(
            /postman +worker +\S*live\S* +post +0\/3 +\S+ +\d+ +\S+ +\d+m?s +mail, nightly\n/,
        )
        const narrow = (await run(["workers", "--no-color"], { columns: 40 })).stdout.split("\n")
        expect(narrow.every((line) => line.length <= 40)).toBe(true)
        expect(narrow[1]).toMatch(/^postman +worker +live +post/)
        expect(await json(["workers"])).toMatchObject({
            value: {
                workers: [{ name: "postman", channel: "post" }],
                orchestrators: [{ name: "conductor" }],
            },
        })
        await eventually(async () => (await run(["schedules"])).stdout.includes("every 2h"))
        expect(steady((await run(["schedules"])).stdout)).toMatchInlineSnapshot(`
          "SCHEDULE  DEFINITION  RULE                       NEXT                      LAST JOB
          weekly    mail        0 9 * * 1 (Europe/Berlin)  <instant>         -
          -         nightly     every 2h                   <instant>         -
          "
        `)

        const healthy = await run(["doctor"])
        expect(healthy.code).toBe(0)
        expect(healthy.stdout).toMatch(/^ok {7}schema: all \d+ migrations of this release are applied\n/)
        const top = start(["top"], { columns: 100 })
        await eventually(() => top.stdout().includes("nightly"))
        top.press("q")
        const { code, stdout } = await top.result
        expect(code).toBe(0)
        expect(stdout.startsWith("\u001b[?1049h\u001b[?25l")).toBe(true)
        expect(stdout.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true)
        const plain = start(["top"])
        await eventually(() => plain.stdout().split("cuckmq ").length > 2)
        plain.interrupt()
        expect((await plain.result).code).toBe(130)
        expect(plain.stdout()).not.toContain("\u001b")

        // Colours only where somebody sees them, and wants them.
        expect((await run(["status"], { columns: 80 })).stdout).toContain("\u001b[1m")
        for (const world of [{ columns: 80, env: { NO_COLOR: "1" } }, {}])
            expect((await run(["status"], world)).stdout).not.toContain("\u001b")
        expect((await run(["status", "--no-color"], { columns: 80 })).stdout).not.toContain("\u001b")
    })

    it("prints what a job has logged, and follows it until it is finalized", async () => {
        const gate = makeGate()
        const talk = define(
            queue.config,
            async (_, { log, setProgress }) => {
                log(`begins ${HOSTILE}`)
                setProgress({ done: 1 })
                await gate.opened
                log("ends")
            },
            { name: "talk" },
        )
        queue.worker()
        const id = String(await talk.defer({ payload: {} }))
        const follow = start(["logs", id, "--follow"])
        const stopped = start(["logs", id, "--follow"])
        await eventually(() => follow.stdout().includes("begins") && stopped.stdout().includes("begins"))
        stopped.interrupt()
        expect((await stopped.result).code).toBe(130)
        gate.open()
        const { code, stdout } = await follow.result
        expect([code, steady(stdout)]).toEqual([
            0,
            "<instant> 1 begins bad \\u001b[2J news\\u202e\n<instant> 1 ends\n",
        ])
        expect(await run(["logs", id])).toMatchObject({ code: 0, stdout })
        const lines = (await run(["logs", id, "--json"])).stdout.trim().split("\n")
        expect(lines.map((line) => JSON.parse(line))).toMatchObject([
            { attempt: 1, message: `begins ${HOSTILE}` },
            { attempt: 1, message: "ends" },
        ])
        const shown = steady((await run(["job", id])).stdout)
        expect(shown).toContain("ends\n")
        expect(shown).toContain("done")
        expect((await run(["logs", "999999999"])).code).toBe(1)
    })

    it("prepares a schema, says what is missing of it, and finds its faults", async () => {
        const { sql, schema } = queue
        expect((await run(["migrate"])).stdout).toBe("nothing is missing\n")
        expect((await run(["migrate", "--print"])).stdout).toBe("")
        expect((await run(["migrate"], { env: { DATABASE_URL: queueURL() } })).code).toBe(0)
        await sql.query(`drop schema ${schema} cascade`)
        expect(await run(["status"])).toMatchObject({
            code: 3,
            stdout: "",
            stderr: `cuckmq: the schema ${schema} is not prepared: run \`cuckmq migrate\`\n`,
        })
        const bare = await json(["doctor"])
        expect(bare).toMatchObject({ code: 1, value: { verdict: "problem" } })
        const dry = await json(["migrate", "--dry-run"])
        expect(dry).toMatchObject({
            code: 0,
            value: { missing: expect.arrayContaining([{ version: 1, name: "create-tables" }]) },
        })
        const { stdout: text } = await run(["migrate", "--print"])
        expect(text).toContain(`create schema if not exists ${schema};\n`)
        expect(await json(["migrate", "--print"])).toEqual({ code: 0, value: { sql: text } })
        const own = { env: { DATABASE_URL: queueURL("postgres") } }
        expect(await json(["migrate"], own)).toMatchObject({
            code: 0,
            value: { applied: (dry.value as { missing: unknown }).missing },
        })
        expect((await run(["migrate", "--dry-run"], own)).stdout).toBe("nothing is missing\n")
    })

    it("ends at once when it is interrupted, and then ends its connections", async () => {
        const slow = start(["status"])
        slow.interrupt()
        expect((await slow.result).code).toBe(130)
    })
})
