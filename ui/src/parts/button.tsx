import type { ComponentChildren } from "preact"

interface Props {
    onClick?: (event: MouseEvent) => void
    children: ComponentChildren
    /** `main`: what one is most likely to want. `danger`: it destroys. */
    kind?: "plain" | "main" | "danger" | "quiet"
    isSubmit?: boolean
    isDisabled?: boolean
    /** What it does, where its text does not say so. */
    label?: string
    title?: string
    isPressed?: boolean
}

/** A button. */
export function Button(props: Props) {
    const {
        kind = "plain",
        isSubmit = false,
        isDisabled = false,
        label,
        title,
        isPressed,
        onClick,
        children,
    } = props
    return (
        <button
            type={isSubmit ? "submit" : "button"}
            class={`button ${kind}`}
            disabled={isDisabled}
            aria-label={label}
            aria-pressed={isPressed}
            title={title}
            onClick={onClick}
        >
            {children}
        </button>
    )
}

/** One of a few, each a button. */
export function Choice<T extends string>(props: {
    label: string
    value: T
    options: readonly (readonly [value: T, text: string])[]
    onChange: (value: T) => void
}) {
    return (
        <fieldset class="choice" aria-label={props.label}>
            {props.options.map(([value, text]) => (
                <Button
                    key={value}
                    kind="quiet"
                    isPressed={value === props.value}
                    onClick={() => props.onChange(value)}
                >
                    {text}
                </Button>
            ))}
        </fieldset>
    )
}
