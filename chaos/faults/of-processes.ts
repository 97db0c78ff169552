import type { Fault, Scene, Victim } from "./fault.ts"

/** A worker that died is noticed when its lease lapses, and its jobs are claimed at the next look around. */
const DEATH_TARGET_MS = 3_750

function draw(scene: Scene, role?: Victim["role"]): Victim | undefined {
    const victims = scene.victims.filter((victim) => role === undefined || victim.role === role)
    return victims.length === 0 ? undefined : scene.random.pick(victims)
}

export const PROCESS_FAULTS: readonly Fault[] = [
    {
        name: "kill-worker",
        weight: 5,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        async inject(scene) {
            const victim = draw(scene, "worker")
            const target = victim?.name
            await victim?.kill()
            return target === undefined ? undefined : { target }
        },
    },
    {
        name: "kill-process",
        weight: 3,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        async inject(scene) {
            const victim = draw(scene)
            const target = victim?.name
            await victim?.kill()
            return target === undefined ? undefined : { target }
        },
    },
    {
        name: "kill-several",
        weight: 1,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        async inject(scene) {
            const victims = scene.victims.filter(() => scene.random.chance(0.5))
            if (victims.length === 0) return undefined
            const detail = victims.map(({ name }) => name).join(" ")
            await Promise.all(victims.map((victim) => victim.kill()))
            return { target: "processes", detail }
        },
    },
    {
        name: "suspend-worker",
        weight: 4,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        inject: (scene) => suspend(scene, draw(scene, "worker")),
    },
    {
        name: "suspend-process",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        inject: (scene) => suspend(scene, draw(scene)),
    },
    {
        name: "terminate-process",
        weight: 4,
        isOutage: false,
        recoveryTargetMs: DEATH_TARGET_MS,
        async inject(scene) {
            const victim = draw(scene)
            const target = victim?.name
            await victim?.terminate()
            return target === undefined ? undefined : { target }
        },
    },
]

/** From less than a lease to several: the process comes back and believes that nothing happened. */
async function suspend(scene: Scene, victim: Victim | undefined) {
    if (victim === undefined) return undefined
    const target = victim.name
    const ms = Math.round(scene.leaseMs * scene.random.between(0.5, 3))
    victim.suspend()
    try {
        await scene.pause(ms)
    } finally {
        victim.resume()
    }
    return { target, detail: `${ms} ms` }
}
