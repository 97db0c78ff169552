/**
 * Measures how long a dashboard's answers take in a large queue: `npm run bench:dashboard`, or with `-- --finalized 100000
 * --live 10000 --rounds 10` to try it; `--url postgresql://…` takes a queue of these sizes that is there, and `--only jobs`
 * those addresses. Prints the median and the 95th percentile for each. Whole, it needs 10 GB of disk and some ten minutes.
 */
import { parseArgs } from "node:util"
import pg from "pg"
import { createDashboard } from "../src/dashboard.ts"
import { Config, type Pool } from "../src/index.ts"
import { fillQueue } from "../test/support/large-queue.ts"
import { PostgresServer } from "../test/support/postgres-server.ts"

const { values } = parseArgs({
    options: {
        finalized: { type: "string", default: "10000000" },
        live: { type: "string", default: "1000000" },
        rounds: { type: "string", default: "50" },
        url: { type: "string" },
        only: { type: "string", default: "" },
    },
})
const numFinalized = Number(values.finalized)
const numLive = Number(values.live)
const numRounds = Number(values.rounds)
const SCHEMA = "_cuckmq"
const ORIGIN = "http://queue.example/"
const LIMIT_MS = 100

const hourMs = 60 * 60_000
const hourAgo = new Date(Date.now() - hourMs).toISOString()
const now = new Date().toISOString()
const lastID = numFinalized + numLive

/** What the pages ask for. */
const GETS = [
    "",
    "api/me",
    "api/snapshot",
    `api/throughput?from=${hourAgo}&until=${now}&stepMs=60000`,
    "api/jobs",
    "api/jobs?order=oldest&limit=100",
    "api/jobs?state=ready",
    "api/jobs?state=failed",
    "api/jobs?state=running",
    "api/jobs?definition=few-3",
    "api/jobs?key=g17",
    "api/jobs?errorText=no",
    "api/jobs?errorText=nothing-has-this",
    `api/jobs?createdBefore=${hourAgo}`,
    `api/jobs?payload=${encodeURIComponent('{"to": "ada"}')}`,
    `api/jobs?payload=${encodeURIComponent('{"to": "nobody"}')}`,
    "api/jobs/77",
    `api/jobs/${lastID - 3}`,
    `api/jobs/${lastID - 9}`,
    "api/jobs/77/logs",
    `api/jobs/${lastID - 3}/graph`,
    "api/definitions",
    "api/workers",
    "api/schedules",
    "api/schedules/preview?cron=*/5 * * * *",
    "api/pauses",
    "api/dead-letters",
    "api/dead-letters?definition=flood&errorText=no",
    "api/operations",
    "api/operations?isRunning=true",
    "api/doctor",
    "api/health",
    "api/metrics",
]

const CANCEL = { change: { action: "cancel" }, filter: { definition: "flood" } }

/** What they ask before something is done to many jobs, and what they do: no orchestrator is there to perform it. */
const POSTS: [path: string, body: object][] = [
    ["api/changes/preview", CANCEL],
    ["api/changes/preview", { change: { action: "replay" }, filter: { errorText: "no" } }],
    ["api/changes/preview", { change: { action: "delete" }, filter: { state: "succeeded" } }],
    ["api/changes/preview", { change: { action: "delete" }, filter: { payload: { to: "nobody" } } }],
    ["api/operations", CANCEL],
    ["api/changes", { change: { action: "set-priority", priority: 0 }, jobIDs: idsBelow(lastID) }],
    ["api/jobs", { definition: "few-3", payload: {} }],
    ["api/pauses", { target: { definition: "few-3" } }],
    ["api/pauses/remove", { target: { definition: "few-3" } }],
]

function idsBelow(id: number): number[] {
    return Array.from({ length: 50 }, (_, n) => id - n)
}

if (values.url === undefined) await measureNew()
else await measureAt(values.url, async () => undefined)

async function measureNew(): Promise<void> {
    const server = await PostgresServer.start({
        version: 18,
        flags: ["shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min"],
    })
    try {
        await measureAt(server.connectionString, fill)
    } finally {
        await server.destroy()
    }
}

async function measureAt(
    connectionString: string,
    prepare: (pool: pg.Pool, config: Config) => Promise<void>,
): Promise<void> {
    const pool = new pg.Pool({ connectionString, max: 4 })
    const config = new Config({ pool: pool as unknown as Pool, schema: SCHEMA })
    await prepare(pool, config)
    await measure(config)
    await pool.end()
}

async function fill(pool: pg.Pool, config: Config): Promise<void> {
    await config.prepareSchema()
    const startMs = performance.now()
    await fillQueue(
        { sql: pool, schema: SCHEMA, config },
        { numFinalized, numLive, gather: "vacuum analyze" },
    )
    const seconds = Math.round((performance.now() - startMs) / 1_000)
    console.log(`${numFinalized} finalized and ${numLive} live jobs, filled in ${seconds} s\n`)
}

async function measure(config: Config): Promise<void> {
    const dashboard = createDashboard({
        config,
        authorize: () => ({ user: "ada" }),
        onError: (error) => console.error(error),
    })
    const requests = [
        ...GETS.map((path) => ({ name: `GET ${path}`, make: () => new Request(new URL(path, ORIGIN)) })),
        ...POSTS.map(([path, body]) => ({
            name: `POST ${path} ${JSON.stringify(body).slice(0, 90)}`,
            make: () =>
                new Request(new URL(path, ORIGIN), {
                    method: "POST",
                    headers: { "content-type": "application/json" },
                    body: JSON.stringify(body),
                }),
        })),
    ]
    const slow: string[] = []
    for (const { name, make } of requests.filter((request) => request.name.includes(values.only))) {
        const times: number[] = []
        const statuses = new Set<number>()
        for (let round = 0; round < numRounds; round++) {
            // What is kept for a second or two is not what is to be measured.
            if (/snapshot|doctor/.test(name)) await new Promise((resolve) => setTimeout(resolve, 2_000))
            const beganMs = performance.now()
            const response = await dashboard.fetch(make())
            await response.arrayBuffer()
            times.push(performance.now() - beganMs)
            statuses.add(response.status)
        }
        times.sort((a, b) => a - b)
        const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
        if (at(0.95) > LIMIT_MS) slow.push(name)
        const figures = [at(0.5), at(0.95), at(1)].map((ms) => ms.toFixed(1).padStart(8)).join("")
        console.log(`${figures} ms  ${[...statuses]}  ${name}`)
    }
    console.log("\n     p50     p95     max")
    console.log(slow.length === 0 ? `all below ${LIMIT_MS} ms at p95` : `slower at p95: ${slow.join(", ")}`)
    await dashboard.close()
}
