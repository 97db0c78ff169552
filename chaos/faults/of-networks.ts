import type { Fault, NetworkConditions, Scene } from "./fault.ts"

const RESET_TARGET_MS = 2_000
/** A statement without an answer is given up after its deadline of 10 s, and done again. */
const SILENCE_TARGET_MS = 15_000

type Matching = Parameters<NetworkConditions["loseAnswers"]>[0]["matching"]

function losing(matching: Matching, weight: number): Fault {
    return {
        name: `lose-answers-to-${matching}`,
        weight,
        isOutage: false,
        // Jobs that were claimed with an answer that never came wait until somebody finds that they are lost.
        recoveryTargetMs: 3_750,
        async inject({ network, random, durations }) {
            const forMs = Math.round(random.between(...durations.stormMs))
            const count = random.integer(1, 5)
            const numLost = await network.loseAnswers({ matching, count, forMs })
            return numLost === 0 ? undefined : { target: "connections", detail: `${numLost} answers` }
        },
    }
}

function hit(num: number) {
    return num === 0 ? undefined : { target: "connections", detail: `${num} connections` }
}

function shareOf(scene: Scene): number {
    return scene.random.chance(0.4) ? 1 : scene.random.between(0.1, 0.7)
}

export const NETWORK_FAULTS: readonly Fault[] = [
    losing("commit", 4),
    losing("claim", 4),
    losing("settle", 4),
    losing("insert", 3),
    losing("any", 2),
    {
        name: "reset-connections",
        weight: 3,
        isOutage: false,
        recoveryTargetMs: RESET_TARGET_MS,
        inject: async (scene) => hit(await scene.network.reset({ share: shareOf(scene) })),
    },
    {
        name: "half-close-connections",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: RESET_TARGET_MS,
        inject: async (scene) => hit(await scene.network.halfClose({ share: shareOf(scene) })),
    },
    {
        name: "latency",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: RESET_TARGET_MS,
        async inject({ network, random, durations }) {
            const ms = Math.round(random.between(...durations.latencyMs))
            await network.delay({ ms, forMs: random.between(...durations.latencyForMs) })
            return { target: "connections", detail: `${ms} ms` }
        },
    },
    {
        name: "split-packets",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: RESET_TARGET_MS,
        async inject({ network, random, durations }) {
            await network.split({ forMs: random.between(...durations.stormMs) })
            return { target: "connections" }
        },
    },
    {
        name: "silent-connections",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SILENCE_TARGET_MS,
        async inject({ network, random, durations }) {
            const forMs = random.between(...durations.blackHoleMs)
            const share = random.between(0.1, 0.5)
            return hit(await network.swallow({ share, forMs, alsoNew: false }))
        },
    },
    {
        name: "silent-listeners",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SILENCE_TARGET_MS,
        async inject({ network, random, durations }) {
            const forMs = random.between(...durations.blackHoleMs)
            return hit(await network.swallow({ share: 1, which: "listeners", forMs, alsoNew: false }))
        },
    },
    {
        name: "stall",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: SILENCE_TARGET_MS,
        async inject({ network, random, durations }) {
            const forMs = random.between(...durations.stallMs)
            return hit(await network.stall({ share: 1, forMs, alsoNew: true }))
        },
    },
    {
        name: "black-hole",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: SILENCE_TARGET_MS,
        async inject({ network, random, durations }) {
            const forMs = random.between(...durations.blackHoleMs)
            return hit(await network.swallow({ share: 1, forMs, alsoNew: true }))
        },
    },
    {
        name: "refuse-connections",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: RESET_TARGET_MS,
        async inject({ network, random, durations }) {
            const refused = network.refuse({ forMs: random.between(...durations.refusalMs) })
            await network.reset({ share: 1 })
            await refused
            return { target: "connections" }
        },
    },
]
