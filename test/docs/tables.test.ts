import { describe, expect, it } from "vitest"
import { CONFIG_DEFAULTS } from "../../src/config.ts"
import * as errors from "../../src/errors.ts"
import { LIST_JOBS_DEFAULTS } from "../../src/inspect/job-list.ts"
import { JOB_DEFINITION_DEFAULTS } from "../../src/job-definition-options.ts"
import { ORCHESTRATOR_DEFAULTS } from "../../src/orchestrator.ts"
import { THREAD_DEFAULTS } from "../../src/threads/thread-module.ts"
import { UNIQUE_DEFAULTS } from "../../src/unique-options.ts"
import { WORKER_DEFAULTS } from "../../src/worker.ts"
import { membersOf, publicDeclarations } from "../support/declarations.ts"
import { codeOf, tableAfter } from "../support/readme.ts"

/** The tables of the README that the project began with: names, whether required, and defaults. They stay. */
const ORIGINAL: Record<string, [name: string, isRequired: string, defaultValue: string][]> = {
    Config: [
        ["pool", "yes", "N/A"],
        ["schema", "no", "`_cuckmq`"],
    ],
    JobDefinition: [
        ["config", "yes", "N/A"],
        ["name", "yes", "N/A"],
        ["channel", "no", "`_default`"],
        ["numAttempts", "no", "`0`"],
        ["repeatIntervalMs", "no", "`null`"],
        ["releaseIntervalMs", "no", "`0`"],
        ["timeoutIntervalMs", "no", "`12 * 60 * 60_000`"],
        ["lockIntervalMs", "no", "`60_000`"],
        ["jobFunction", "yes", "N/A"],
    ],
    Worker: [
        ["config", "yes", "N/A"],
        ["name", "no", "`anon`"],
        ["channel", "no", "`_default`"],
        ["concurrency", "no", "`0`"],
        ["processIntervalMs", "no", "`1000`"],
        ["eventHandler", "no", "N/A"],
    ],
    Orchestrator: [
        ["config", "yes", "N/A"],
        ["name", "no", "`anon`"],
        ["repeatIntervalMs", "no", "`30_000`"],
        ["heartbeatIntervalMs", "no", "`60_000`"],
        ["cleanIntervalMs", "no", "`5 * 60_000`"],
        ["staleJobDefinitionSweepThresholdMs", "no", "`60_000 * 60`"],
        ["finalizedJobSweepThresholdMs", "no", "`12 * 60 * 60_000`"],
        ["eventHandler", "no", "N/A"],
    ],
}

const ORIGINAL_EVENTS = [
    ["DaemonStart", "daemon-start"],
    ["DaemonStopSignalSend", "daemon-stop-signal-send"],
    ["DaemonStop", "daemon-stop"],
    ["WorkerJobDequeue", "worker-job-dequeue"],
    ["WorkerJobFinalizeSuccess", "worker-job-finalize-success"],
    ["WorkerJobFinalizeFailureOrphaned", "worker-job-finalize-failure-orphaned"],
    ["WorkerJobError", "worker-job-error"],
    ["OrchestratorJobSchedule", "orchestrator-job-schedule"],
    ["OrchestratorHeartbeat", "orchestrator-heartbeat"],
]

const DEFAULTS: Record<string, Record<string, unknown>> = {
    Config: CONFIG_DEFAULTS,
    JobDefinition: JOB_DEFINITION_DEFAULTS,
    Worker: WORKER_DEFAULTS,
    Orchestrator: ORCHESTRATOR_DEFAULTS,
}

/** Defaults that are no constants. */
const COMPUTED = ["retryDelayMs"]

/** A default as the page writes it: a product of numbers, `null`, `true`, `false`, or a text. */
function defaultIn(cell: string): unknown {
    const text = codeOf(cell)
    if (/^(null|true|false)$/.test(text)) return JSON.parse(text)
    if (!/^[\d_ *]+$/.test(text)) return text
    return text.split("*").reduce((product, factor) => product * Number(factor.replaceAll("_", "")), 1)
}

const declarations = publicDeclarations()

describe("the option tables of README.md", () => {
    for (const [owner, defaults] of Object.entries(DEFAULTS)) {
        const rows = tableAfter(`#### **${owner}#constructor**`)
        const rowOf = new Map(rows.map((row) => [codeOf(row[0]), row]))

        it(`keep every row of the original: ${owner}`, () => {
            for (const [name, isRequired, defaultValue] of ORIGINAL[owner] ?? []) {
                expect([name, ...(rowOf.get(name)?.slice(2, 4) ?? [])]).toEqual([
                    name,
                    isRequired,
                    defaultValue,
                ])
            }
        })

        it(`have the options that there are, in their order, and say which are required: ${owner}`, () => {
            const options = membersOf(declarations, `${owner}Options`)
            expect(rows.map((row) => codeOf(row[0]))).toEqual(options.map(({ name }) => name))
            for (const { name, isOptional } of options)
                expect([name, rowOf.get(name)?.[2]]).toEqual([name, isOptional ? "no" : "yes"])
        })

        it(`have the defaults of the code: ${owner}`, () => {
            const stated = rows
                .filter((row) => row[2] === "no" && row[3] !== "N/A" && !COMPUTED.includes(codeOf(row[0])))
                .map((row) => [codeOf(row[0]), defaultIn(row[3] ?? "")])
            expect(Object.fromEntries(stated)).toEqual(defaults)
        })
    }

    it("have the options of definitions that run in a thread, and their defaults", () => {
        const rows = tableAfter('#### **JobDefinition#constructor**, with `runIn: "thread"`')
        const options = membersOf(declarations, "ThreadJobDefinitionOptions")
        expect(rows.map((row) => [codeOf(row[0]), row[2]])).toEqual(
            options.map(({ name, isOptional }) => [name, isOptional ? "no" : "yes"]),
        )
        const stated = rows.filter((row) => row[2] === "no")
        const defaults = stated.map((row) => [codeOf(row[0]), defaultIn(row[3] ?? "")])
        expect(Object.fromEntries(defaults)).toEqual(THREAD_DEFAULTS)
    })

    it("have the defaults of unique jobs", () => {
        const stated = tableAfter("#### **UniqueOptions**").filter((row) => row[2] === "no")
        expect(Object.fromEntries(stated.map((row) => [codeOf(row[0]), defaultIn(row[3] ?? "")]))).toEqual(
            UNIQUE_DEFAULTS,
        )
    })

    it("have the defaults of lists of jobs", () => {
        const stated = tableAfter("#### **Inspector#jobs**").filter((row) => row[3] !== "N/A")
        expect(Object.fromEntries(stated.map((row) => [codeOf(row[0]), defaultIn(row[3] ?? "")]))).toEqual(
            LIST_JOBS_DEFAULTS,
        )
    })

    it("have the options of defer, complete, join and the embedded pool", () => {
        const names = (heading: string) => tableAfter(heading).map((row) => codeOf(row[0]))
        const optionsOf = (...types: string[]) =>
            types.flatMap((type) => membersOf(declarations, type).map(({ name }) => name))
        expect(names("#### **JobDefinition#defer**, **JobDefinition#deferMany**")).toEqual(
            optionsOf("DeferOptions", "DeferClient"),
        )
        expect(names("#### **UniqueOptions**")).toEqual(optionsOf("UniqueOptions"))
        expect(names("#### **Schedules#upsert**")).toEqual(
            optionsOf("ScheduleOptions", "ScheduleRuleOptions", "ScheduleClientOptions"),
        )
        expect(names("#### **Schedules#preview**")).toEqual(
            optionsOf("PreviewOptions", "ScheduleRuleOptions"),
        )
        expect(names("#### **JobContext#complete**")).toEqual(optionsOf("CompleteOptions"))
        expect(names("#### **Jobs#cancel**, **Jobs#cancelMany**")).toEqual(optionsOf("CancelOptions"))
        expect(names("#### **Config#pause**")).toEqual(optionsOf("PauseOptions"))
        expect(names("#### **Inspector#constructor**")).toEqual(optionsOf("InspectorOptions"))
        expect(names("#### **Inspector#throughput**")).toEqual(optionsOf("ThroughputOptions"))
        expect(names("#### **Inspector#jobs**")).toEqual(optionsOf("ListJobsOptions"))
        expect(names("#### **Daemon#join**")).toEqual(optionsOf("JoinOptions"))
        expect(names("#### **embeddedPool**")).toEqual(optionsOf("EmbeddedPoolOptions"))
        expect(names("#### **temporaryQueue**")).toEqual(optionsOf("TemporaryQueueOptions"))
    })
})

describe("the other tables of README.md", () => {
    it("have the events that there are, and every one of the original", () => {
        const rows = tableAfter("## Events").map((row) => [codeOf(row[0]), codeOf(row[1])])
        const members = declarations
            .filter(({ members }) => members.some(({ name }) => name === "eventType"))
            .map(({ name, members }) => [
                name,
                JSON.parse(members.find((member) => member.name === "eventType")?.type ?? ""),
            ])
        expect([...rows].sort()).toEqual([...members].sort())
        for (const event of ORIGINAL_EVENTS) expect(rows).toContainEqual(event)
    })

    it("have the errors that there are, with their codes and whether they are retryable", () => {
        const classes = Object.entries(errors).filter(([name]) => name !== "CuckmqError")
        const expected = classes.map(([name, ErrorClass]) => {
            const error = new (ErrorClass as new (params: object) => errors.CuckmqError)({ jobIDs: [] })
            // The database says whether its errors are; the class does not know.
            const retryable = name === "DatabaseError" ? "depends" : error.retryable ? "yes" : "no"
            return [error.code, name, retryable]
        })
        const rows = tableAfter("## Errors").map((row) => [codeOf(row[0]), codeOf(row[1]), row[3]])
        expect([...rows].sort()).toEqual([...expected].sort())
    })
})
