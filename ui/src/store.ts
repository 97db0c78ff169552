import { useEffect, useState } from "preact/hooks"

/** A value that several parts of the page show. */
export interface Store<T> {
    get(): T
    set(value: T): void
    /** Calls back after each change. Returns what ends that. */
    watch(listener: () => void): () => void
}

/** Makes a store. */
export function createStore<T>(initial: T): Store<T> {
    let value = initial
    const listeners = new Set<() => void>()
    return {
        get: () => value,
        set: (next) => {
            if (Object.is(next, value)) return
            value = next
            for (const listener of [...listeners]) listener()
        },
        watch: (listener) => {
            listeners.add(listener)
            return () => {
                listeners.delete(listener)
            }
        },
    }
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
    const [value, setValue] = useState(store.get)
    useEffect(() => {
        const take = () => setValue(store.get)
        // It may have changed between the drawing and now.
        take()
        return store.watch(take)
    }, [store])
    return value
}
