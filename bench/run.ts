/**
 * Measures cuckmq beside its rivals. `npm run bench` at the root runs all scenarios but `control`, `npm run bench -- drain pickup`
 * some. `--rounds 1` and `--small` are for trying. `--postgres 14` measures on an older release, after
 * `npm --prefix test/postgres ci`, and `--peers cuckmq,bare` some systems only. Figures of a run that is small, or on an
 * older release, or of some systems, are printed and not kept.
 */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Redis } from "ioredis"
import pg from "pg"
import type { Rows } from "./measure.ts"
import { entryOf } from "./peers/index.ts"
import { printScenario } from "./print.ts"
import { writeReport } from "./report.ts"
import { keepResults, type ScenarioResult } from "./results.ts"
import type { SampleTask } from "./sample.ts"
import { DEFAULT_NAMES, scenarioOf } from "./scenarios/index.ts"
import { BenchServers, DEFAULT_POSTGRES, type Servers } from "./servers.ts"
import { Timetable } from "./timetable.ts"

const SAMPLE = fileURLToPath(new URL("sample.ts", import.meta.url))
const DEFAULT_ROUNDS = 3
const DEFAULT_TIMEOUT_MS = 60_000

const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        rounds: { type: "string" },
        small: { type: "boolean", default: false },
        postgres: { type: "string", default: String(DEFAULT_POSTGRES) },
        peers: { type: "string" },
    },
})
const version = Number(flags.postgres)
const onlyPeers = flags.peers?.split(",")
for (const id of onlyPeers ?? []) entryOf(id)
const isKept = !flags.small && version === DEFAULT_POSTGRES && onlyPeers === undefined
const names = positionals.length > 0 ? positionals : DEFAULT_NAMES
for (const name of names) scenarioOf(name)
const timetable = new Timetable(names)
let numSchemas = 0
const stopping = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort())

const servers = await BenchServers.start(version)
process.once("exit", () => servers.kill())
try {
    for (const name of names) {
        if (stopping.signal.aborted) break
        const startMs = performance.now()
        const result = await runScenario(name)
        printScenario(result)
        console.log(`${name} took ${Math.round((performance.now() - startMs) / 1_000)} s\n`)
        const isWhole = result.samples.length > 0 && !stopping.signal.aborted
        if (isKept && isWhole) keepResults(name, result)
    }
    if (isKept) writeReport()
} finally {
    await servers.stop()
}
process.exit(stopping.signal.aborted ? 1 : 0)

/** All systems in turn, then again: so that what the machine does meanwhile falls on all of them. */
async function runScenario(name: string): Promise<ScenarioResult> {
    const scenario = scenarioOf(name)
    const { addresses } = servers
    const peers = scenario.peers.filter(
        (id) =>
            (addresses.redisPort !== undefined || entryOf(id).family !== "bullmq-redis") &&
            onlyPeers?.includes(id) !== false,
    )
    const rounds = flags.rounds === undefined ? (scenario.rounds ?? DEFAULT_ROUNDS) : Number(flags.rounds)
    const result: ScenarioResult = { name, rounds: 0, isSmall: flags.small, samples: [], failures: [] }
    let roundMs = 0
    for (let round = 0; round < rounds; round++) {
        if (round === 0 ? timetable.isOver : !timetable.hasTimeFor(name, roundMs)) {
            process.stderr.write(`${name} · round ${round + 1} of ${rounds} is left out: no time\n`)
            break
        }
        const startMs = performance.now()
        result.rounds = round + 1
        for (const caseName of scenario.cases ?? [name]) {
            for (const peerID of peers) {
                if (stopping.signal.aborted) return result
                const schema = `bench_${numSchemas++}`
                const task = {
                    scenario: name,
                    peerID,
                    caseName,
                    servers: addresses,
                    schema,
                    isSmall: flags.small,
                }
                process.stderr.write(`${name} · ${caseName} · ${peerID} · round ${round + 1}\n`)
                try {
                    const rows = await runSample(task, scenario.timeoutMs ?? DEFAULT_TIMEOUT_MS)
                    result.samples.push({ peerID, rows })
                } catch (error) {
                    const message = error instanceof Error ? error.message : String(error)
                    process.stderr.write(`    failed: ${message}\n`)
                    result.failures.push({ peerID, caseName, message })
                }
                if (!stopping.signal.aborted) await cleanUp(addresses, schema)
            }
        }
        roundMs = performance.now() - startMs
        if (round === 0) timetable.tookFirst(name, roundMs)
    }
    return result
}

function runSample(task: SampleTask, timeoutMs: number): Promise<Rows> {
    const child = fork(SAMPLE, [JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
    const stop = () => child.kill("SIGKILL")
    stopping.signal.addEventListener("abort", stop)
    return new Promise<Rows>((resolve, reject) => {
        let rows: Rows | undefined
        const timer = setTimeout(() => {
            reject(new Error(`not done within ${timeoutMs / 1_000} s`))
            stop()
        }, timeoutMs)
        child.on("message", (message: Rows) => {
            rows = message
        })
        child.once("exit", (code) => {
            clearTimeout(timer)
            stopping.signal.removeEventListener("abort", stop)
            if (rows === undefined) reject(new Error(`ended with ${code} and measured nothing`))
            else resolve(rows)
        })
    })
}

async function cleanUp({ connectionString, redisPort }: Servers, schema: string): Promise<void> {
    const client = new pg.Client({ connectionString })
    await client.connect()
    // A killed run may have left sessions behind that hold locks.
    await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    )
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
    if (redisPort === undefined) return
    const redis = new Redis({ host: "127.0.0.1", port: redisPort })
    await redis.flushall()
    redis.disconnect()
}
