import { exact, number, relative, visible } from "../format.ts"
import { useNow } from "../now.ts"
import { clock } from "../preferences.ts"
import { href } from "../route.ts"
import { useStore } from "../store.ts"

/** A text from outside: cut to one line in tables, whole where it is pointed at. */
export function Outside({ text, isCut = false }: { text: string; isCut?: boolean }) {
    const shown = visible(text)
    return isCut ? (
        <span class="outside cut" title={shown.slice(0, 1_000)}>
            {shown.slice(0, 300)}
        </span>
    ) : (
        <span class="outside">{shown}</span>
    )
}

/** An instant: how far it is from now, and exactly where it is pointed at. */
export function Time({ at, isExact = false }: { at: string | null; isExact?: boolean }) {
    const now = useNow()
    useStore(clock)
    if (at === null) return <None />
    const atMs = Date.parse(at)
    const [whole, far] = [exact(atMs), relative(atMs, now)]
    return (
        <time dateTime={at} title={isExact ? far : whole}>
            {isExact ? whole : far}
        </time>
    )
}

/** That there is nothing to show. */
export function None() {
    return (
        <span class="muted">
            <span aria-hidden="true">–</span>
            <span class="only-read">none</span>
        </span>
    )
}

/** A job, by its id. */
export function JobLink({ jobID }: { jobID: number }) {
    return (
        <a class="number" href={href(["jobs", jobID])}>
            {jobID}
        </a>
    )
}

/** A definition, by its name. */
export function DefinitionLink({ name }: { name: string | null }) {
    if (name === null) return <span class="muted">gone</span>
    return (
        <a href={href(["definitions", name])}>
            <Outside text={name} isCut />
        </a>
    )
}

/** How many of several there are, as a bar with its numbers beside it. */
export function Share({ num, of, label }: { num: number; of: number; label: string }) {
    return (
        <span class="share">
            <progress value={Math.min(num, of)} max={Math.max(of, 1)} aria-label={label} />
            <span class="number">
                {number(num)} / {number(of)}
            </span>
        </span>
    )
}
