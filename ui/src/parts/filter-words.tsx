import { Outside } from "./text.tsx"

/** A filter, or what an operation is about, in short. */
export function FilterWords({ filter }: { filter: Record<string, unknown> }) {
    // The target of an operation has its filter in it.
    const { filter: inner, ...others } = filter
    const whole = typeof inner === "object" && inner !== null ? { ...others, ...inner } : filter
    const given = Object.entries(whole).filter(([, value]) => value !== undefined && value !== null)
    if (given.length === 0) return <span class="muted">everything</span>
    return (
        <ul class="chips">
            {given.map(([name, value]) => (
                <li key={name}>
                    <span class="muted">{name}</span> <Outside text={textOf(value)} />
                </li>
            ))}
        </ul>
    )
}

const MAX_LENGTH = 400

function textOf(value: unknown): string {
    const text = typeof value === "string" ? value : JSON.stringify(value)
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
}
