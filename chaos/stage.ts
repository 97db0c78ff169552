import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Victim } from "./faults/fault.ts"
import { peerOf } from "./peers/index.ts"
import type { Peer, PeerOptions } from "./peers/peer.ts"
import { type ProgramTask, recordsFileOf, runOnce, Slot } from "./processes.ts"
import { GRACE_MS, MAX_CONNECTIONS_OF_PROCESS, type Profile } from "./profile.ts"
import { Network } from "./proxy/network.ts"
import { Random } from "./random.ts"
import { Recorder } from "./recorder.ts"
import { Cluster } from "./servers/cluster.ts"
import { addressOf, grantRecords, makeRoles, PEER_ROLE, SCHEMA } from "./servers/role.ts"
import { TRANSITION_TABLE } from "./transitions.ts"

const PREPARE_BOUND_MS = 30_000

/** What a campaign takes place on. */
export interface StageOptions {
    readonly seed: number
    readonly profile: Profile
    readonly peerName: Peer["name"]
    /** Another build of cuckmq than the one that `cuckmq` names. */
    readonly cuckmqPath?: string
}

/** The servers, the proxy, the processes, and the folder of the records. */
export class Stage {
    readonly options: StageOptions
    readonly folder: string
    readonly records: Recorder
    readonly peer: Peer
    readonly test: Cluster
    readonly ledger: Cluster
    readonly network: Network
    readonly slots: readonly Slot[]
    /** Aborted when processes do not live: the campaign ends early, and is judged. */
    readonly failure = new AbortController()

    private constructor(params: {
        options: StageOptions
        folder: string
        peer: Peer
        test: Cluster
        ledger: Cluster
        network: Network
    }) {
        this.options = params.options
        this.folder = params.folder
        this.peer = params.peer
        this.test = params.test
        this.ledger = params.ledger
        this.network = params.network
        this.records = new Recorder(recordsFileOf(params.folder, "controller"), "controller")
        const { profile } = params.options
        this.slots = [
            ...this.#makeSlots("orchestrator", profile.numOrchestrators),
            ...this.#makeSlots("worker", profile.numWorkers),
            ...this.#makeSlots("producer", profile.numProducers),
        ]
    }

    /** Starts all but the peer's processes, and makes the peer's tables. */
    static async build(options: StageOptions): Promise<Stage> {
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-chaos-"))
        const started = await Promise.allSettled([
            Cluster.start("test", folder),
            Cluster.start("ledger", folder),
        ])
        try {
            const [test, ledger] = started.map((start) => {
                if (start.status === "rejected") throw start.reason
                return start.value
            }) as [Cluster, Cluster]
            const network = await Network.start({ serverPort: test.port, seed: options.seed })
            const peer = await peerOf(options.peerName, options.cuckmqPath)
            const stage = new Stage({ options, folder, peer, test, ledger, network })
            await stage.#prepare()
            return stage
        } catch (error) {
            for (const start of started) if (start.status === "fulfilled") await start.value.destroy()
            rmSync(folder, { recursive: true, force: true })
            throw error
        }
    }

    /** Calls the peer's preparation while its processes run, through the proxy as they do. */
    prepareAgain(): Promise<void> {
        return runOnce(
            this.#taskOf("prepare-again", 0, { life: 1, process: "prepare-again" }),
            PREPARE_BOUND_MS,
        )
    }

    /** How many jobs are not finished. */
    async numUnfinished(): Promise<number> {
        const { rows } = await this.test.admin.query({
            text: this.peer.unfinishedText(SCHEMA),
            rowMode: "array",
        })
        return Number((rows[0] as unknown as [string])[0])
    }

    /** Ends everything at once. Does not wait: for the end of this process. */
    kill(): void {
        for (const slot of this.slots) slot.destroy()
        this.network.stop()
        this.test.kill()
        this.ledger.kill()
    }

    /** Ends everything, and removes what it left on disk. */
    async dismantle(params: { keepsRecords: boolean }): Promise<void> {
        for (const slot of this.slots) slot.destroy()
        this.network.stop()
        await this.test.destroy()
        await this.ledger.destroy()
        if (!params.keepsRecords) rmSync(this.folder, { recursive: true, force: true })
    }

    async #prepare(): Promise<void> {
        const { admin } = this.test
        await makeRoles(admin)
        await runOnce(this.#taskOf("prepare", 0, { life: 1, process: "prepare" }), PREPARE_BOUND_MS)
        await admin.query(TRANSITION_TABLE)
        await admin.query(this.peer.auditText(SCHEMA))
        await grantRecords(admin)
    }

    #makeSlots(role: Victim["role"], count: number): Slot[] {
        return Array.from({ length: count }, (_, at) => {
            const index = at + 1
            return new Slot({
                role,
                index,
                task: (life) => this.#taskOf(role, index, life),
                records: this.records,
                random: new Random(this.options.seed).fork(`${role}-${index}`),
                onHopeless: (error) => this.failure.abort(error),
            })
        })
    }

    #taskOf(
        role: ProgramTask["role"],
        index: number,
        { life, process, zone }: { life: number; process: string; zone?: string },
    ): ProgramTask {
        const { profile, seed, peerName, cuckmqPath } = this.options
        const options: PeerOptions = {
            process,
            connectionString: addressOf({
                role: PEER_ROLE,
                port: this.network.port,
                ...(zone === undefined ? {} : { settings: `-c TimeZone=${zone}` }),
            }),
            schema: SCHEMA,
            maxConnections: MAX_CONNECTIONS_OF_PROCESS,
            seed: Math.floor(new Random(seed).fork(process).next() * 2 ** 31),
        }
        return {
            role,
            index,
            life,
            peer: peerName,
            options,
            recordsFile: recordsFileOf(this.folder, process),
            params: {
                concurrency: profile.concurrency,
                jobsPerSecond: profile.jobsPerSecond,
                graceMs: GRACE_MS,
            },
            ...(cuckmqPath === undefined ? {} : { cuckmqPath }),
        }
    }
}
