/** The program that measures one system once, in a process of its own, and sends what it measured to its parent. */
import pg from "pg"
import { Meter } from "./measure.ts"
import { entryOf, makePeer } from "./peers/index.ts"
import { scenarioOf } from "./scenarios/index.ts"
import type { Servers } from "./servers.ts"
import { WorkerProcess } from "./worker-process.ts"

/** What to measure. */
export interface SampleTask {
    scenario: string
    peerID: string
    caseName: string
    servers: Servers
    schema: string
    isSmall: boolean
}

process.once("disconnect", () => process.exit())

const task = JSON.parse(process.argv[2] ?? "") as SampleTask
const { servers, schema, isSmall, peerID, caseName } = task
const scenario = scenarioOf(task.scenario)
const options = { servers, schema, mode: entryOf(peerID).mode, goal: scenario.goal }
const peer = await makePeer(peerID, options)
const admin = new pg.Client({ connectionString: servers.connectionString })
await admin.connect()
await peer.setup()
await peer.connect()
// What earlier runs left to be written is not ours.
await admin.query("checkpoint")
const rows = await scenario.sample({
    peerID,
    peer,
    options,
    admin,
    meter: new Meter({ servers, admin }),
    caseName,
    isSmall,
    startWorker: () => WorkerProcess.start({ peerID, options }),
})
// The schema goes next, so there is nothing to leave in order.
process.send?.(rows, () => process.exit())
