import { readFileSync } from "node:fs"
import type pg from "pg"
import type { GaugeRecord } from "./records.ts"
import { PEER_ROLE, SCHEMA } from "./servers/role.ts"
import type { Stage } from "./stage.ts"

const EVERY_MS = 1_000

/** Looks at the server and at the processes every second, and writes down what it sees. */
export class Gauges {
    readonly #stage: Stage
    #timer: NodeJS.Timeout | undefined
    #isOver = false
    #looking: Promise<void> = Promise.resolve()
    /** The last that was seen, for the eye. */
    numUnfinished = 0

    constructor(stage: Stage) {
        this.#stage = stage
    }

    start(): void {
        this.#countDeadlocks()
        this.#lookLater()
    }

    async stop(): Promise<void> {
        this.#isOver = true
        clearTimeout(this.#timer)
        await this.#looking
        this.#countDeadlocks()
    }

    #lookLater(): void {
        this.#timer = setTimeout(() => {
            this.#looking = this.#look().then(() => {
                if (!this.#isOver) this.#lookLater()
            })
        }, EVERY_MS)
    }

    /** The log says how many there were so far, so it is read at the begin and at the end. */
    #countDeadlocks(): void {
        this.#write("deadlocks", "server", this.#stage.test.numDeadlocks(PEER_ROLE))
    }

    async #look(): Promise<void> {
        for (const slot of this.#stage.slots) this.#write("rss-kb", slot.name, residentKb(slot.pid))
        try {
            await this.#lookAtServer(this.#stage.test.admin)
        } catch {
            // It is down: there is nothing to see.
        }
    }

    async #lookAtServer(admin: pg.Pool): Promise<void> {
        this.numUnfinished = await this.#stage.numUnfinished()
        this.#write("live-jobs", "server", this.numUnfinished)
        const { rows } = await admin.query<{ name: GaugeRecord["name"]; of: string; value: string }>(GAUGES, [
            PEER_ROLE,
            SCHEMA,
        ])
        for (const { name, of, value } of rows) this.#write(name, of, Number(value))
    }

    #write(name: GaugeRecord["name"], of: string, value: number | undefined): void {
        if (value !== undefined) this.#stage.records.write({ kind: "gauge", name, of, value })
    }
}

const GAUGES = `
select 'idle-in-transaction-ms' as name, application_name as of,
    (extract(epoch from clock_timestamp() - state_change) * 1000)::bigint as value
from pg_stat_activity where usename = $1 and state like 'idle in transaction%'
union all
select 'advisory-locks', 'server', count(*)
from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and usename = $1
union all
select 'notification-queue', 'server', (pg_notification_queue_usage() * 1000000)::bigint
union all
select gauge.name, relname, gauge.value
from pg_stat_user_tables, lateral (values ('dead-tuples', n_dead_tup), ('live-tuples', n_live_tup)) as gauge(name, value)
where schemaname = $2`

function residentKb(pid: number): number | undefined {
    try {
        return Number(/\nVmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
    } catch {
        return undefined
    }
}
