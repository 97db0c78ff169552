import type { ComponentChildren, RefObject } from "preact"

/** A box that scrolls. It takes the focus, so that the keyboard can scroll it too. */
export function ScrollBox(props: {
    label: string
    class: string
    children: ComponentChildren
    box?: RefObject<HTMLElement | null>
    onScroll?: (box: HTMLElement) => void
}) {
    const { label, children, box, onScroll } = props
    return (
        <section
            ref={box ?? null}
            class={props.class}
            aria-label={label}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
            tabIndex={0}
            onScroll={(event) => onScroll?.(event.currentTarget)}
        >
            {children}
        </section>
    )
}
