import { useState } from "preact/hooks"
import { counted, visible } from "../format.ts"
import { tell, tellError } from "../notices.ts"
import { Button } from "./button.tsx"

/** So many items of a list or an object are shown at first, and with each step more. */
const STEP = 50
const MAX_TEXT = 2_000

/** A JSON value, to fold and to copy. */
export function Json({ value, label }: { value: unknown; label: string }) {
    return (
        <div class="json">
            <CopyButton text={() => JSON.stringify(value, null, 2)} label={`Copy ${label}`} />
            <div class="tree">
                <Value value={value} depth={0} />
            </div>
        </div>
    )
}

/** Copies a text. */
export function CopyButton({ text, label }: { text: () => string; label: string }) {
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text())
            tell("Copied.")
        } catch {
            tellError(new Error("The browser did not allow this page to copy. It needs HTTPS or localhost."))
        }
    }
    return (
        <Button kind="quiet" label={label} onClick={copy}>
            Copy
        </Button>
    )
}

function Value({ value, depth }: { value: unknown; depth: number }) {
    if (typeof value === "string") return <Text text={value} />
    if (typeof value !== "object" || value === null) return <span class="json-other">{String(value)}</span>
    return <Items value={value} depth={depth} />
}

function Text({ text }: { text: string }) {
    const [isWhole, setIsWhole] = useState(text.length <= MAX_TEXT)
    return (
        <span class="json-text">
            {visible(JSON.stringify(isWhole ? text : text.slice(0, MAX_TEXT)))}
            {!isWhole && (
                <Button kind="quiet" onClick={() => setIsWhole(true)}>
                    … all {counted(text.length, "character")}
                </Button>
            )}
        </span>
    )
}

/** What is folded is not drawn, so that neither size nor depth of a value matters. */
function Items({ value, depth }: { value: object; depth: number }) {
    const isList = Array.isArray(value)
    const entries = Object.entries(value)
    const [isOpen, setIsOpen] = useState(depth < 2 && entries.length <= STEP)
    const [numShown, setNumShown] = useState(STEP)
    const [open, close] = isList ? ["[", "]"] : ["{", "}"]
    if (entries.length === 0) return <span>{open + close}</span>
    const summary = isList
        ? counted(entries.length, "item")
        : counted(entries.length, "property", "properties")
    return (
        <>
            <button
                type="button"
                class="fold"
                aria-expanded={isOpen}
                aria-label={`${isOpen ? "Fold" : "Unfold"} ${summary}`}
                onClick={() => setIsOpen(!isOpen)}
            >
                <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span> {open}
                {!isOpen && <span class="muted"> {summary} </span>}
                {!isOpen && close}
            </button>
            {isOpen && (
                <>
                    <ul>
                        {entries.slice(0, numShown).map(([name, item]) => (
                            <li key={name}>
                                {!isList && <span class="json-name">{visible(JSON.stringify(name))}: </span>}
                                <Value value={item} depth={depth + 1} />
                            </li>
                        ))}
                    </ul>
                    {entries.length > numShown && (
                        <Button kind="quiet" onClick={() => setNumShown(numShown + STEP)}>
                            … {counted(entries.length - numShown, "more", "more")}
                        </Button>
                    )}
                    {close}
                </>
            )}
        </>
    )
}
