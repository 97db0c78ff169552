import type { ComponentChildren } from "preact"
import { isGone, messageOf, RequestError } from "../http.ts"
import type { Loaded } from "../load.ts"
import { Button } from "./button.tsx"
import { Outside } from "./text.tsx"

/** That something could not be had or done. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
    if (error === undefined) return null
    const code = error instanceof RequestError ? error.code : null
    return (
        <div class="note bad" role="alert">
            <p>
                <Outside text={messageOf(error)} /> {code !== null && <code class="muted">{code}</code>}
            </p>
            {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
        </div>
    )
}

/** What was asked for, once it is there; what went wrong, whenever something did. What is gone since then is for the page to tell. */
export function Ready<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
    return (
        <>
            {(of.value === undefined || !isGone(of.error)) && (
                <ErrorNote error={of.error} onRetry={of.reload} />
            )}
            {of.value !== undefined && children(of.value)}
            {of.value === undefined && of.isLoading && <p class="muted loading">Loading…</p>}
        </>
    )
}
