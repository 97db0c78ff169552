import type { ComponentChildren } from "preact"

/** Names and values. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
    return (
        <dl class="facts">
            {facts.map(([name, value]) => (
                <div key={name}>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            ))}
        </dl>
    )
}

/** A part of a page, with a heading. */
export function Card(props: {
    title: string
    children: ComponentChildren
    /** What stands beside the heading. */
    aside?: ComponentChildren
    isWide?: boolean
}) {
    return (
        <section class={props.isWide === true ? "card full" : "card"} aria-label={props.title}>
            <header>
                <h2>{props.title}</h2>
                {props.aside}
            </header>
            {props.children}
        </section>
    )
}
