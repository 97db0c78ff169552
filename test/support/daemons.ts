import {
    type Config,
    type Daemon,
    type Event,
    Orchestrator,
    type OrchestratorOptions,
    Worker,
    type WorkerOptions,
} from "../../src/index.ts"

/** The workers and orchestrators of a test, and what they tell. */
export interface Daemons {
    /** The events of all of them, in order. */
    readonly events: Event[]
    worker(options?: Partial<WorkerOptions>): Worker
    orchestrator(options?: Partial<OrchestratorOptions>): Orchestrator
    /** Ends all of them. */
    end(graceMs: number): Promise<void>
}

export function makeDaemons(config: Config): Daemons {
    const events: Event[] = []
    const daemons: Daemon[] = []
    const eventHandler = ({ event }: { event: Event }) => void events.push(event)
    const track = <D extends Daemon>(daemon: D): D => {
        daemons.push(daemon)
        return daemon
    }
    return {
        events,
        worker: (options) => track(new Worker({ config, processIntervalMs: 100, eventHandler, ...options })),
        orchestrator: (options) => track(new Orchestrator({ config, eventHandler, ...options })),
        end: async (graceMs) => {
            for (const daemon of daemons) daemon.stop()
            await Promise.all(daemons.map((daemon) => daemon.join({ graceMs })))
        },
    }
}
