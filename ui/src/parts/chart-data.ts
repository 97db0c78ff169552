/** One of the things that a chart shows. */
export interface Series {
    name: string
    kind: "line" | "area" | "bar"
    /** Its colour. */
    tone: "first" | "second" | "third" | "bad" | "warn"
    /** One for each time; null where there is none. */
    values: readonly (number | null)[]
}

/** What a chart shows. */
export interface ChartData {
    /** When each step begins, the oldest first. */
    times: readonly number[]
    /** How long a step is; 0 for values of one moment. */
    stepMs: number
    series: readonly Series[]
    format: (value: number) => string
    isDuration?: boolean
    /** Whether all values are whole numbers. */
    isWhole?: boolean
}
