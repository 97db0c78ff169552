import { monotonicMicros } from "./clock.ts"
import type { Fault, Scene } from "./faults/fault.ts"
import { endSessions } from "./faults/support.ts"
import { pause } from "./pause.ts"
import type { Range } from "./profile.ts"
import { Random } from "./random.ts"
import { type Planned, schedule } from "./schedule.ts"
import { insist } from "./servers/insist.ts"
import { PEER_ROLE, SCHEMA } from "./servers/role.ts"
import type { Stage } from "./stage.ts"
import { LEASE_MS } from "./workload.ts"

/** Lets faults happen: many at once, but of outages, and of those that last long, one at a time. */
export class FaultDriver {
    readonly #stage: Stage
    readonly #faults: readonly Fault[]
    readonly #ending = new AbortController()
    readonly #active = new Map<Promise<void>, string>()
    readonly #numByName = new Map<string, number>()

    constructor(params: { stage: Stage; faults: readonly Fault[] }) {
        this.#stage = params.stage
        this.#faults = params.faults
    }

    get numFaults(): number {
        return [...this.#numByName.values()].reduce((sum, num) => sum + num, 0)
    }

    get numKinds(): number {
        return this.#numByName.size
    }

    /** What is in force at the moment. */
    get activeNames(): readonly string[] {
        return [...this.#active.values()]
    }

    /** Begins faults until `forMs` have passed or `signal` is aborted, and resolves when the last is over. */
    async run(params: { forMs: number; signal: AbortSignal }): Promise<void> {
        const end = () => this.#ending.abort()
        const timer = setTimeout(end, params.forMs)
        params.signal.addEventListener("abort", end)
        if (params.signal.aborted) end()
        const { gapMs, outageGapMs, maxAtOnce } = this.#stage.options.profile
        await Promise.all([
            this.#pause(params.forMs),
            this.#drive({ lane: "light", gapMs, maxAtOnce }),
            this.#drive({ lane: "outage", gapMs: outageGapMs, maxAtOnce: 1 }),
            this.#drive({ lane: "background", gapMs: outageGapMs, maxAtOnce: 1 }),
        ])
        clearTimeout(timer)
        params.signal.removeEventListener("abort", end)
        await this.#mend()
    }

    async #drive({ lane, gapMs, maxAtOnce }: { lane: Lane; gapMs: Range; maxAtOnce: number }): Promise<void> {
        const plan = schedule({
            random: new Random(this.#stage.options.seed).fork(lane),
            faults: this.#faults.filter((fault) => laneOf(fault) === lane),
            gapMs,
        })
        const mine = new Set<Promise<void>>()
        for (const planned of plan) {
            while (mine.size >= maxAtOnce) await Promise.race(mine)
            await this.#pause(planned.gapMs)
            if (this.#ending.signal.aborted) break
            const injected = this.#inject(planned)
            mine.add(injected)
            this.#active.set(injected, planned.fault.name)
            injected.finally(() => {
                mine.delete(injected)
                this.#active.delete(injected)
            })
        }
        await Promise.all(mine)
    }

    async #inject({ fault, random }: Planned): Promise<void> {
        const from = monotonicMicros()
        let hit: { target: string; detail?: string } | undefined
        try {
            hit = await fault.inject(this.#sceneOf(random))
        } catch (error) {
            // Another fault came in between, such as a crash of the server: what it did until then counts.
            hit = {
                target: "",
                detail: `broken off: ${error instanceof Error ? error.message : String(error)}`,
            }
        }
        if (hit === undefined) return
        this.#numByName.set(fault.name, (this.#numByName.get(fault.name) ?? 0) + 1)
        this.#stage.records.write({
            kind: "fault",
            fault: fault.name,
            target: hit.target,
            from,
            to: monotonicMicros(),
            isOutage: fault.isOutage,
            detail: hit.detail ?? "",
        })
    }

    #sceneOf(random: Random): Scene {
        const { slots, network, test, options } = this.#stage
        return {
            random,
            get victims() {
                return slots.filter((slot) => slot.isFree)
            },
            network,
            admin: test.admin,
            schema: SCHEMA,
            server: test,
            role: PEER_ROLE,
            prepareAgain: () => this.#stage.prepareAgain(),
            pause: (ms) => this.#pause(ms),
            leaseMs: LEASE_MS,
            durations: options.profile.durations,
        }
    }

    /** Whatever a fault that was broken off has left behind. */
    async #mend(): Promise<void> {
        const { admin } = this.#stage.test
        await insist(async () => {
            const { rows } = await admin.query<{ isLeft: boolean }>(
                `select exists (select from pg_db_role_setting where setrole = $1::regrole) as "isLeft"`,
                [PEER_ROLE],
            )
            await admin.query("alter system reset default_transaction_read_only")
            await admin.query("select pg_reload_conf()")
            if (rows[0]?.isLeft !== true) return
            await admin.query(`alter role ${PEER_ROLE} reset all`)
            await endSessions(admin)
        })
    }

    #pause(ms: number): Promise<void> {
        return pause(ms, this.#ending.signal)
    }
}

/** Faults that happen beside each other, or one after the other. */
type Lane = "light" | "outage" | "background"

function laneOf(fault: Fault): Lane {
    if (fault.isOutage) return "outage"
    return fault.isBackground === true ? "background" : "light"
}
