import { parseArgs } from "node:util"
import type { Fault } from "./faults/fault.ts"
import { faultsOf } from "./faults/index.ts"
import type { Peer } from "./peers/peer.ts"
import { PROFILES, type Profile } from "./profile.ts"

/** What the command line asks for. */
export interface RunOptions {
    readonly seed: number
    readonly profile: Profile
    readonly peerName: Peer["name"]
    readonly faults: readonly Fault[]
    /** Builds without one of our guards, by name: one, all of them, or none. */
    readonly mutants: "all" | readonly string[]
    /** Records and the report stay on disk. */
    readonly isKept: boolean
}

const PEER_NAMES: readonly Peer["name"][] = ["cuckmq", "pg-boss", "graphile-worker"]
const MAX_SEED = 2 ** 31

export function parseOptions(args: readonly string[]): RunOptions {
    const { values } = parseArgs({
        args: [...args],
        options: {
            minutes: { type: "string" },
            seed: { type: "string" },
            profile: { type: "string" },
            peer: { type: "string", default: "cuckmq" },
            faults: { type: "string" },
            mutant: { type: "string", multiple: true, default: [] },
            mutants: { type: "boolean", default: false },
            keep: { type: "boolean", default: false },
        },
    })
    const isMutated = values.mutants || values.mutant.length > 0
    const profile =
        PROFILES[oneOf("profile", values.profile ?? (isMutated ? "mutant" : "full"), PROFILE_NAMES)]
    return {
        seed: values.seed === undefined ? Date.now() % MAX_SEED : numberOf("seed", values.seed),
        profile:
            values.minutes === undefined
                ? profile
                : { ...profile, minutes: numberOf("minutes", values.minutes) },
        peerName: oneOf("peer", values.peer, PEER_NAMES),
        faults: faultsOf(values.faults?.split(",")),
        mutants: values.mutants ? "all" : values.mutant,
        isKept: values.keep,
    }
}

const PROFILE_NAMES = Object.keys(PROFILES) as Profile["name"][]

function oneOf<T extends string>(option: string, value: string, values: readonly T[]): T {
    const found = values.find((one) => one === value)
    if (found === undefined) throw new RangeError(`--${option} is one of ${values.join(", ")}, got: ${value}`)
    return found
}

function numberOf(option: string, value: string): number {
    const number = Number(value)
    if (value.trim() === "" || !Number.isFinite(number) || number < 0)
        throw new RangeError(`--${option} is a number from 0, got: ${value}`)
    return number
}
