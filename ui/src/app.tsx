import { useEffect, useRef, useState } from "preact/hooks"
import type { MeAnswer } from "./answers.ts"
import { AddJobDialog } from "./dialogs/add-job-dialog.tsx"
import { HelpDialog } from "./dialogs/help-dialog.tsx"
import { Header, Navigation } from "./frame.tsx"
import { get } from "./http.ts"
import { listenToKeys } from "./keys.ts"
import { useLoad } from "./load.ts"
import { dismiss, notices } from "./notices.ts"
import { type Page, pageOf } from "./pages.tsx"
import { Button } from "./parts/button.tsx"
import { ErrorNote } from "./parts/loaded.tsx"
import { route } from "./route.ts"
import { me } from "./session.ts"
import { useStore } from "./store.ts"

/** The whole page. */
export function App() {
    const user = useUser()
    const [open, setOpen] = useState<"help" | "add" | "navigation">()
    const close = () => setOpen(undefined)
    useEffect(() => {
        const onAdd = () => me.get()?.canSomewhere.includes("defer") && setOpen("add")
        return listenToKeys({ onHelp: () => setOpen("help"), onAdd })
    }, [])
    const page = usePage(close)
    const main = useRef<HTMLElement>(null)
    return (
        <>
            <button type="button" class="button skip" onClick={() => main.current?.focus()}>
                To the content
            </button>
            <Header
                onAdd={() => setOpen("add")}
                onHelp={() => setOpen("help")}
                isNavigationOpen={open === "navigation"}
                onNavigation={() => setOpen(open === "navigation" ? undefined : "navigation")}
            />
            <div class="frame">
                <Navigation isOpen={open === "navigation"} />
                <main id="main" ref={main} tabIndex={-1}>
                    <Banner user={user.value} />
                    <ErrorNote error={user.error} onRetry={user.reload} />
                    {user.value !== undefined && <page.Component key={page.key} {...page.params} />}
                </main>
            </div>
            <Notices />
            {open === "help" && <HelpDialog onClose={close} />}
            {open === "add" && <AddJobDialog onClose={close} />}
        </>
    )
}

function useUser() {
    const user = useLoad({ key: "me", ask: (signal) => get<MeAnswer>("me", {}, signal) })
    useEffect(() => me.set(user.value ?? null), [user.value])
    return user
}

/** The page of the route. One that comes after another one gets the focus at its heading. */
function usePage(onChange: () => void): Page {
    const page = pageOf(useStore(route))
    const before = useRef(page.key)
    const title = useStore(me)?.title ?? "cuckmq"
    useEffect(() => {
        document.title = `${page.title} · ${title}`
    }, [page.title, title])
    useEffect(() => {
        if (before.current === page.key) return
        before.current = page.key
        onChange()
        window.scrollTo(0, 0)
        document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true })
    }, [page.key])
    return page
}

function Banner({ user }: { user: MeAnswer | undefined }) {
    if (user?.isReadOnly !== true) return null
    return <p class="note">Read-only: this dashboard shows the queue, and changes nothing.</p>
}

/** What was done, and what failed. */
function Notices() {
    const shown = useStore(notices)
    return (
        <div class="notices" aria-live="polite">
            {shown.map(({ id, isError, text }) => (
                <div key={id} class={isError ? "notice bad" : "notice"} role={isError ? "alert" : "status"}>
                    <span class="outside">{text}</span>
                    <Button kind="quiet" label="Dismiss" onClick={() => dismiss(id)}>
                        ✕
                    </Button>
                </div>
            ))}
        </div>
    )
}
