import { compact, visible } from "./format.ts"
import { PAGE_KEYS } from "./keys.ts"
import { type Connection, connection, reconnect, snapshot } from "./live.ts"
import { Button } from "./parts/button.tsx"
import { CLOCKS, type Clock, clock, THEMES, type Theme, theme } from "./preferences.ts"
import { href, route } from "./route.ts"
import { me, useMaySomewhere } from "./session.ts"
import { useStore } from "./store.ts"

const STATE_WORDS: Record<Connection["state"], string> = {
    connecting: "Connecting…",
    live: "Live",
    polling: "Polling",
    gone: "Database gone",
    lost: "Not connected",
    paused: "Paused",
}

/** What is above every page. */
export function Header(props: {
    onAdd: () => void
    onHelp: () => void
    isNavigationOpen: boolean
    onNavigation: () => void
}) {
    const maySomewhere = useMaySomewhere()
    const user = useStore(me)
    return (
        <header class="top">
            <button
                type="button"
                class="button quiet menu"
                aria-label="Navigation"
                aria-expanded={props.isNavigationOpen}
                aria-controls="navigation"
                onClick={props.onNavigation}
            >
                ☰
            </button>
            <a class="brand" href="#/">
                <img src="assets/icon.svg" alt="" width="20" height="20" />
                <span class="outside">{user?.title ?? "cuckmq"}</span>
            </a>
            <Status />
            <span class="grow" />
            {maySomewhere("defer") && (
                <Button kind="main" onClick={props.onAdd}>
                    Add a job
                </Button>
            )}
            <Button kind="quiet" label="Keys and help" title="Keys (?)" onClick={props.onHelp}>
                ?
            </Button>
        </header>
    )
}

/** How what is live arrives. */
function Status() {
    const { state, message } = useStore(connection)
    const isBroken = message !== null
    return (
        <span class={`status ${state}`} role="status" title={message ?? undefined}>
            {STATE_WORDS[state]}
            {isBroken && <span class="message"> {visible(message)}</span>}
            {(isBroken || state === "polling") && (
                <Button kind="quiet" onClick={reconnect}>
                    Reconnect
                </Button>
            )}
        </span>
    )
}

export function Navigation({ isOpen }: { isOpen: boolean }) {
    const { path } = useStore(route)
    const user = useStore(me)
    const numbers = useNumbers()
    return (
        <nav id="navigation" aria-label="Pages" class={isOpen ? "open" : undefined}>
            <ul>
                {PAGE_KEYS.map((page) => (
                    <li key={page.path}>
                        <a
                            href={href(page.path === "" ? [] : [page.path])}
                            aria-current={(path[0] ?? "") === page.path ? "page" : undefined}
                            title={`g ${page.letter}`}
                        >
                            {page.title}
                            {numbers[page.path] !== undefined && (
                                <span class="number muted">{compact(numbers[page.path] ?? 0)}</span>
                            )}
                        </a>
                    </li>
                ))}
            </ul>
            <div class="settings">
                <Setting
                    label="Theme"
                    store={theme}
                    values={THEMES}
                    words={{ system: "System", light: "Light", dark: "Dark" }}
                />
                <Setting label="Times" store={clock} values={CLOCKS} words={{ local: "Local", utc: "UTC" }} />
                {user !== null && (
                    <p class="muted about">
                        <span class="outside">{visible(user.user)}</span>
                        <span>
                            {user.schema} · {user.version}
                        </span>
                    </p>
                )}
            </div>
        </nav>
    )
}

/** What there is of what a page shows, where that is known anyway. */
function useNumbers(): Record<string, number | undefined> {
    const live = useStore(snapshot)
    if (live === null) return {}
    return {
        "dead-letters": live.counts.total.failed.num,
        workers: live.workers.filter(({ isLive }) => isLive).length,
        operations: live.operations.length === 0 ? undefined : live.operations.length,
    }
}

function Setting<T extends Theme | Clock>(props: {
    label: string
    store: { get(): T; set(value: T): void; watch(listener: () => void): () => void }
    values: readonly T[]
    words: Record<T, string>
}) {
    const { label, store, values, words } = props
    const value = useStore(store)
    return (
        <label>
            {label}
            <select
                value={value}
                onChange={(event) => {
                    const chosen = values.find((one) => one === event.currentTarget.value)
                    if (chosen !== undefined) store.set(chosen)
                }}
            >
                {values.map((one) => (
                    <option key={one} value={one}>
                        {words[one]}
                    </option>
                ))}
            </select>
        </label>
    )
}
