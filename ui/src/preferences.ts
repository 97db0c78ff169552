import { createStore, type Store } from "./store.ts"

/** How the page looks: as the system says, or always the same. */
export const THEMES = ["system", "light", "dark"] as const
export type Theme = (typeof THEMES)[number]

/** What clock exact instants are shown by. */
export const CLOCKS = ["local", "utc"] as const
export type Clock = (typeof CLOCKS)[number]

export const theme = kept<Theme>("cuckmq-theme", THEMES)
export const clock = kept<Clock>("cuckmq-clock", CLOCKS)

/** Has the theme take effect, now and when it changes. */
export function applyTheme(): void {
    const apply = () => {
        document.documentElement.dataset.theme = theme.get()
    }
    apply()
    theme.watch(apply)
}

/** A store whose value outlives the page. A browser may forbid that; then it does not. */
function kept<T extends string>(key: string, values: readonly [T, ...T[]]): Store<T> {
    const stored = attempt(() => localStorage.getItem(key))
    const store = createStore<T>(values.find((value) => value === stored) ?? values[0])
    store.watch(() => attempt(() => localStorage.setItem(key, store.get())))
    return store
}

function attempt<T>(action: () => T): T | undefined {
    try {
        return action()
    } catch {
        return undefined
    }
}
