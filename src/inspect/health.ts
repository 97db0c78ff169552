import type { Config, Core } from "../config.ts"
import { toCuckmqError } from "../db/failure.ts"
import { selectDaemons } from "../statements/daemons.ts"
import { databaseNowMs } from "../statements/find-due-repeats.ts"
import { lookOn } from "../statements/look-on.ts"
import { selectReadyChannels } from "../statements/ready-channels.ts"
import { numberOf, quoted } from "./wording.ts"

/** One thing that a queue needs to be healthy. */
export interface HealthCheck {
    /** `database`, `schema`, `orchestrators` or `workers`. */
    name: string
    /** Whether it is as it should be. False, too, for what could not be looked at. */
    isOK: boolean
    /** The same in English, with the facts. */
    detail: string
}

/** Whether a queue is as it should be. */
export interface Health {
    /** Whether all checks are. */
    isHealthy: boolean
    /** All checks, in an order that does not change. */
    checks: HealthCheck[]
}

/** Looks whether a queue is healthy. Never throws for what the database says. */
export async function checkHealth({ config, core }: { config: Config; core: Core }): Promise<Health> {
    const checks = [
        await check("database", async () => {
            await databaseNowMs({ run: core.run })
            return ok("the database answers")
        }),
        await check("schema", () => schemaCheck(config)),
        await check("orchestrators", () => orchestratorsCheck(core)),
        await check("workers", () => workersCheck(core)),
    ]
    return { isHealthy: checks.every(({ isOK }) => isOK), checks }

    async function check(name: string, look: () => Promise<Omit<HealthCheck, "name">>): Promise<HealthCheck> {
        try {
            return { name, ...(await look()) }
        } catch (error) {
            const { message } = toCuckmqError({ error, action: "health", schema: core.schema })
            return { name, isOK: false, detail: message }
        }
    }
}

function ok(detail: string): Omit<HealthCheck, "name"> {
    return { isOK: true, detail }
}

async function schemaCheck(config: Config): Promise<Omit<HealthCheck, "name">> {
    const migrations = await config.migrations()
    const numMissing = migrations.filter(({ appliedAt }) => appliedAt === null).length
    const numUnknown = migrations.filter(({ isKnown }) => !isKnown).length
    if (numMissing > 0) return { isOK: false, detail: `${numberOf(numMissing, "migration")} not applied` }
    // A later release has been at it; while its processes come, those of this one go on.
    if (numUnknown > 0)
        return ok(
            `the schema is that of this release, with ${numberOf(numUnknown, "migration")} of a later one`,
        )
    return ok("the schema is that of this release")
}

async function orchestratorsCheck({ database, schema }: Core): Promise<Omit<HealthCheck, "name">> {
    const daemons = await lookOn(database, (run) => selectDaemons({ run, schema, kind: "orchestrator" }))
    const numLive = daemons.filter(({ isLive }) => isLive).length
    return {
        isOK: numLive > 0,
        detail: numLive > 0 ? numberOf(numLive, "live orchestrator") : "no orchestrator lives",
    }
}

async function workersCheck({ database, schema }: Core): Promise<Omit<HealthCheck, "name">> {
    return lookOn(database, async (run) => {
        const daemons = await selectDaemons({ run, schema, kind: "worker" })
        const served = new Set(daemons.filter(({ isLive }) => isLive).map(({ channel }) => channel))
        const channels = await selectReadyChannels({ run, schema })
        const left = channels.filter((channel) => !served.has(channel))
        if (left.length > 0)
            return {
                isOK: false,
                detail: `ready jobs, and no live worker, on ${left.map(quoted).join(", ")}`,
            }
        return ok(`a live worker for each of ${numberOf(channels.length, "channel")} with ready jobs`)
    })
}
