import type { ComponentChildren } from "preact"
import { useId, useLayoutEffect, useRef } from "preact/hooks"
import { Button } from "./button.tsx"
import { ErrorNote } from "./loaded.tsx"

interface Props {
    title: string
    onClose: () => void
    children: ComponentChildren
    isWide?: boolean
}

/** A dialog over the page. Escape closes it, and the focus goes back to where it was. */
export function Dialog({ title, onClose, children, isWide = false }: Props) {
    const element = useRef<HTMLDialogElement>(null)
    const titleID = useId()
    // Before anything else happens on the page, so that it is known where the focus was.
    useLayoutEffect(() => {
        const before = document.activeElement
        const dialog = element.current
        dialog?.showModal()
        return () => {
            // While it is open, nothing behind it takes the focus.
            dialog?.close()
            if (before instanceof HTMLElement && before.isConnected) before.focus()
            else document.getElementById("main")?.focus()
        }
    }, [])
    return (
        <dialog
            ref={element}
            class={isWide ? "dialog roomy" : "dialog"}
            aria-labelledby={titleID}
            onCancel={(event) => {
                event.preventDefault()
                onClose()
            }}
            onClose={() => {
                // A browser may close it without asking first.
                if (element.current !== null) onClose()
            }}
        >
            <header>
                <h2 id={titleID}>{title}</h2>
                <Button kind="quiet" label="Close" onClick={onClose}>
                    ✕
                </Button>
            </header>
            {children}
        </dialog>
    )
}

/** A dialog that asks for something and then does it. */
export function FormDialog(
    props: Props & {
        /** What the button that does it says. */
        submit: string
        isDanger?: boolean
        isBusy: boolean
        isDisabled?: boolean
        error: unknown
        onSubmit: () => void
    },
) {
    return (
        <Dialog title={props.title} onClose={props.onClose} isWide={props.isWide ?? false}>
            <form
                onSubmit={(event) => {
                    event.preventDefault()
                    props.onSubmit()
                }}
            >
                {props.children}
                <ErrorNote error={props.error} />
                <footer>
                    <Button onClick={props.onClose}>Close</Button>
                    <Button
                        isSubmit
                        kind={props.isDanger === true ? "danger" : "main"}
                        isDisabled={props.isBusy || props.isDisabled === true}
                    >
                        {props.isBusy ? "One moment…" : props.submit}
                    </Button>
                </footer>
            </form>
        </Dialog>
    )
}
