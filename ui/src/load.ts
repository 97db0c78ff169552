import { useEffect, useRef, useState } from "preact/hooks"
import { isGone } from "./http.ts"
import { createStore, useStore } from "./store.ts"

/** What was asked for, and how that went. */
export interface Loaded<T> {
    /** The last answer to the same question; undefined until there is one. */
    value: T | undefined
    /** Why there is none, or no newer one. */
    error: unknown
    isLoading: boolean
    /** Asks again. */
    reload: () => void
}

/** Grows with each change that the user made, so that what is shown is asked for again. */
const changes = createStore(0)

/** Has everything that is shown be asked for again. */
export function reloadAll(): void {
    changes.set(changes.get() + 1)
}

interface Params<T> {
    /** What is asked for: another key is another question. Null asks for nothing. */
    key: string | null
    ask: (signal: AbortSignal) => Promise<T>
    /** How many milliseconds after an answer to ask again while the page is seen, and it is not gone. Default: never. */
    everyMs?: number | undefined
}

/** Asks for something, and again when the key changes, the user changed something, or time has passed. Never twice at once. */
export function useLoad<T>({ key, ask, everyMs }: Params<T>): Loaded<T> {
    const [held, setHeld] = useState<{ key: string | null; value?: T; error?: unknown }>({ key })
    const [isLoading, setIsLoading] = useState(key !== null)
    const [numReloads, setNumReloads] = useState(0)
    const numChanges = useStore(changes)
    const latest = useRef({ ask, everyMs })
    latest.current = { ask, everyMs }
    useEffect(() => {
        if (key === null) return
        const controller = new AbortController()
        const { signal } = controller
        let timer: ReturnType<typeof setTimeout> | undefined
        let isOver = false
        const run = async () => {
            setIsLoading(true)
            try {
                const value = await latest.current.ask(signal)
                if (!signal.aborted) setHeld({ key, value })
            } catch (error) {
                if (signal.aborted) return
                setHeld((before) => ({ ...(before.key === key ? before : { key }), error }))
                // No id is given twice: what is gone does not come back.
                isOver = isGone(error)
            }
            if (signal.aborted) return
            setIsLoading(false)
            if (!isOver) plan()
        }
        const plan = () => {
            const { everyMs } = latest.current
            if (everyMs === undefined) return
            timer = setTimeout(() => (document.hidden ? plan() : void run()), everyMs)
        }
        void run()
        return () => {
            controller.abort()
            clearTimeout(timer)
        }
    }, [key, numReloads, numChanges])
    const isHeld = held.key === key
    return {
        value: isHeld ? held.value : undefined,
        error: isHeld ? held.error : undefined,
        isLoading,
        reload: () => setNumReloads((num) => num + 1),
    }
}

/** Runs an action of the user's, once at a time. */
export function useAction(): {
    isBusy: boolean
    error: unknown
    run: (action: () => Promise<void>) => Promise<void>
} {
    const [isBusy, setIsBusy] = useState(false)
    const [error, setError] = useState<unknown>(undefined)
    const isRunning = useRef(false)
    const run = async (action: () => Promise<void>) => {
        if (isRunning.current) return
        isRunning.current = true
        setIsBusy(true)
        setError(undefined)
        try {
            await action()
        } catch (thrown) {
            setError(thrown)
        } finally {
            isRunning.current = false
            setIsBusy(false)
        }
    }
    return { isBusy, error, run }
}
