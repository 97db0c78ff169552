import type { Fault } from "./fault.ts"
import { LOCK_FAULTS } from "./of-locks.ts"
import { MAINTENANCE_FAULTS } from "./of-maintenance.ts"
import { NETWORK_FAULTS } from "./of-networks.ts"
import { PROCESS_FAULTS } from "./of-processes.ts"
import { SERVER_FAULTS } from "./of-servers.ts"
import { SESSION_FAULTS } from "./of-sessions.ts"
import { SETTING_FAULTS } from "./of-settings.ts"

/** Everything that can happen in a campaign. */
export const FAULTS: readonly Fault[] = [
    ...PROCESS_FAULTS,
    ...SESSION_FAULTS,
    ...SERVER_FAULTS,
    ...NETWORK_FAULTS,
    ...LOCK_FAULTS,
    ...SETTING_FAULTS,
    ...MAINTENANCE_FAULTS,
]

/** The faults of these names, or all of them. `none` stands for none: what fails then fails by itself. */
export function faultsOf(names: readonly string[] | undefined): readonly Fault[] {
    if (names === undefined) return FAULTS
    if (names.length === 1 && names[0] === "none") return []
    return names.map((name) => {
        const fault = FAULTS.find((fault) => fault.name === name)
        if (fault === undefined)
            throw new RangeError(`no fault "${name}": ${FAULTS.map(({ name }) => name).join(", ")}`)
        return fault
    })
}
