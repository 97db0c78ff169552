import { randomBytes } from "node:crypto"
import type { Database } from "../db/database.ts"
import { notify } from "../statements/notify.ts"
import { type Finding, ok, skipped } from "./diagnosis.ts"

const PATIENCE_MS = 2_000

const DEAF: Finding = {
    verdict: "warning",
    summary: "LISTEN is not heard through this connection: workers find jobs of other processes by polling",
    advice: "Let workers connect past a pooler in transaction mode, or set their processIntervalMs to the delay that you can bear.",
    facts: {},
}

/** Whether a notification comes through: listens as a worker does, says something, and waits for it. */
export async function hearOneself(database: Database): Promise<Finding> {
    const { listen, run } = database
    if (listen === undefined) return skipped("this pool has no connection to listen on")
    const channel = `cuckmq_doctor_${randomBytes(8).toString("hex")}`
    let timer: NodeJS.Timeout | undefined
    let onHeard: (isHeard: boolean) => void = () => undefined
    const heard = new Promise<boolean>((resolve) => {
        onHeard = resolve
    })
    const listening = listen({ channel, onMessage: () => onHeard(true), onLost: () => onHeard(false) })
    try {
        await listening
        await notify({ run, channel, message: "" })
        // Not before: until a connection of the pool is free, there is nothing to be heard.
        timer = setTimeout(() => onHeard(false), PATIENCE_MS)
        return (await heard) ? ok("LISTEN is heard: workers pick jobs up at once") : DEAF
    } catch {
        return DEAF
    } finally {
        clearTimeout(timer)
        await listening.then((it) => it.stop()).catch(() => undefined)
    }
}
