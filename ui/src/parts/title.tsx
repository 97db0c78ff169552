import type { ComponentChildren } from "preact"

/** The heading of a page, and what can be done there. */
export function Title({ children, actions }: { children: ComponentChildren; actions?: ComponentChildren }) {
    return (
        <div class="title">
            <h1 tabIndex={-1}>{children}</h1>
            {actions !== undefined && <div class="actions">{actions}</div>}
        </div>
    )
}
