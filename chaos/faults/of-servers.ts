import type { Fault } from "./fault.ts"

/** From the moment that the server takes connections again. */
const RESTART_TARGET_MS = 2_000

export const SERVER_FAULTS: readonly Fault[] = [
    {
        name: "server-crash",
        weight: 3,
        isOutage: true,
        recoveryTargetMs: RESTART_TARGET_MS,
        async inject({ server }) {
            await server.crash()
            return { target: "server" }
        },
    },
    {
        name: "server-restart",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: RESTART_TARGET_MS,
        async inject({ server }) {
            await server.restart()
            return { target: "server" }
        },
    },
]
