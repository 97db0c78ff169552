import type { DefinitionView } from "../answers.ts"
import { duration, number } from "../format.ts"
import { None, Outside } from "./text.tsx"

/** The limits of a definition, in short. */
export function LimitWords({ definition }: { definition: DefinitionView }) {
    const words = limitWords(definition)
    if (words.length === 0) return <None />
    return (
        <span class="stacked">
            {words.map((text) => (
                <span key={text}>{text}</span>
            ))}
        </span>
    )
}

export function limitWords({ limits, releaseIntervalMs }: DefinitionView): string[] {
    const { concurrency = null, rate = null, group = null } = limits ?? {}
    const perKey = (isKeyed: boolean) => (isKeyed ? " per key" : "")
    return [
        ...(concurrency === null ? [] : [`${number(concurrency.max)} at once${perKey(concurrency.isKeyed)}`]),
        ...(rate === null ? [] : [`${number(rate.max)} in ${duration(rate.perMs)}${perKey(rate.isKeyed)}`]),
        ...(group === null ? [] : [group.isOrdered ? "groups, in order" : "groups take turns"]),
        ...(releaseIntervalMs > 0 ? [`one in ${duration(releaseIntervalMs)}`] : []),
    ]
}

/** When something repeats. */
export function RepeatWords({ repeat }: { repeat: Rule | null }) {
    if (repeat === null) return <None />
    if (repeat.intervalMs !== null) return <span>every {duration(repeat.intervalMs)}</span>
    return (
        <span class="stacked">
            <code>
                <Outside text={repeat.cron?.expression ?? ""} />
            </code>
            <span class="muted">{repeat.cron?.timeZone}</span>
        </span>
    )
}

interface Rule {
    intervalMs: number | null
    cron: { expression: string; timeZone: string } | null
}
