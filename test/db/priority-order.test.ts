import { expect, it, onTestFinished } from "vitest"
import { monotonicMs } from "../../src/clock.ts"
import { coreOf } from "../../src/config.ts"
import type { Config } from "../../src/index.ts"
import { Claimer, type KnownDefinition } from "../../src/work/claimer.ts"
import { LeaseKeeper } from "../../src/work/lease-keeper.ts"
import { define } from "../support/define.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const NAMES = ["a", "b", "c"]
const NUM_CLAIMERS = 4
const NUM_CALLERS = 6
const NUM_CALLS = 60

/** A claim that brought a job: when it was sent and answered, by the clock of this process. */
interface Taken {
    readonly id: number
    readonly priority: number
    readonly sentMs: number
    readonly answeredMs: number
}

async function makeClaimer(config: Config) {
    const core = coreOf(config)
    const leases = new LeaseKeeper({ core, worker: "worker", onError: () => undefined })
    onTestFinished(() => leases.close())
    const definitions: KnownDefinition[] = []
    for (const definition of core.registry.jobs())
        definitions.push({ id: await core.registry.idOf(definition), definition })
    return { claimer: new Claimer({ core, leases }), definitions }
}

/**
 * The jobs that a claim passed over: they had been deferred before it was sent, have a smaller number than what it took,
 * and no claim that was sent before it was answered has them.
 */
function passedOver(claims: readonly Taken[], deferredAtMs: ReadonlyMap<number, number>): string[] {
    return claims.flatMap((claim) =>
        claims
            .filter(
                ({ id, priority, sentMs }) =>
                    priority < claim.priority &&
                    (deferredAtMs.get(id) ?? Number.POSITIVE_INFINITY) < claim.sentMs &&
                    sentMs > claim.answeredMs,
            )
            .map(({ id }) => `${id} when ${claim.id} was taken`),
    )
}

it.skipIf(!hasServer())(
    "no claim of any worker passes over a job of smaller number that is there",
    async () => {
        const queue = await makeQueue()
        const configs = [queue.config, queue.otherConfig()]
        const jobs = configs.map((config) => NAMES.map((name) => define(config, () => undefined, { name })))
        const claims: Taken[] = []
        const deferredAtMs = new Map<number, number>()
        let numCallers = NUM_CALLERS

        const call = async (caller: number): Promise<void> => {
            for (let nr = 0; nr < NUM_CALLS; nr++) {
                const job = jobs[caller % configs.length]?.[nr % NAMES.length]
                const some = Array.from({ length: 1 + (nr % 5) }, (_, at) => ({
                    payload: {},
                    priority: ((nr * 7 + caller * 3 + at) % 5) - 2,
                }))
                const sentMs = monotonicMs()
                const ids = (await job?.deferMany(some)) ?? []
                const answeredMs = monotonicMs()
                // What takes a second to be committed may be passed over.
                if (answeredMs - sentMs < 1_000) for (const id of ids) deferredAtMs.set(id, answeredMs)
            }
            numCallers--
        }
        const claimAll = async (nr: number): Promise<void> => {
            const { claimer, definitions } = await makeClaimer(configs[nr % configs.length] as Config)
            for (let isDone = false; !isDone; ) {
                isDone = numCallers === 0
                const sentMs = monotonicMs()
                const taken = (await claimer.claim(definitions, 3)).jobs
                const answeredMs = monotonicMs()
                for (const { id, priority } of taken) claims.push({ id, priority, sentMs, answeredMs })
                isDone &&= taken.length === 0
            }
        }
        await Promise.all([
            ...Array.from({ length: NUM_CALLERS }, (_, caller) => call(caller)),
            ...Array.from({ length: NUM_CLAIMERS }, (_, nr) => claimAll(nr)),
        ])
        expect(passedOver(claims, deferredAtMs)).toEqual([])
        expect(new Set(claims.map(({ priority }) => priority)).size).toBe(5)
        expect(claims.length).toBeGreaterThan(NUM_CALLERS * NUM_CALLS)
    },
)
