import { useEffect, useState } from "preact/hooks"
import type { GraphAnswer } from "../answers.ts"
import { visible } from "../format.ts"
import { href } from "../route.ts"
import type { GraphLayout } from "./graph-layout.ts"
import { ErrorNote } from "./loaded.tsx"
import { ScrollBox } from "./scroll-box.tsx"

type Layouts = typeof import("./graph-layout.ts")

/** The jobs that hang together, as a drawing. What lays it out is loaded when it is needed. */
export function Graph({ graph, jobID }: { graph: GraphAnswer; jobID: number }) {
    const [layouts, setLayouts] = useState<Layouts>()
    const [error, setError] = useState<unknown>()
    useEffect(() => {
        import("./graph-layout.ts").then(setLayouts, setError)
    }, [])
    if (error !== undefined) return <ErrorNote error={error} />
    if (layouts === undefined) return <p class="muted loading">Loading…</p>
    return <Drawing graph={graph} jobID={jobID} layouts={layouts} />
}

function Drawing({ graph, jobID, layouts }: { graph: GraphAnswer; jobID: number; layouts: Layouts }) {
    const layout: GraphLayout = layouts.layOut(graph)
    const { width, height, places, paths } = layout
    const { NODE_WIDTH, NODE_HEIGHT } = layouts
    return (
        <ScrollBox class="scroll graph" label="Drawing of the dependencies">
            <svg width={width} height={height}>
                <title>Arrows lead to the jobs that wait</title>
                <defs>
                    <marker
                        id="arrow"
                        viewBox="0 0 8 8"
                        refX="8"
                        refY="4"
                        markerWidth="7"
                        markerHeight="7"
                        orient="auto"
                    >
                        <path d="M0 0L8 4L0 8Z" class="arrow" />
                    </marker>
                </defs>
                {paths.map(({ key, d }) => (
                    <path key={key} d={d} class="edge" marker-end="url(#arrow)" />
                ))}
                {graph.nodes.map((node) => {
                    const { x, y } = places.get(node.jobID) ?? { x: 0, y: 0 }
                    const name = visible(node.definition ?? "gone")
                    return (
                        <g
                            key={node.jobID}
                            transform={`translate(${x - NODE_WIDTH / 2} ${y - NODE_HEIGHT / 2})`}
                        >
                            <a
                                href={href(["jobs", node.jobID])}
                                class={`node ${node.state} ${node.jobID === jobID ? "here" : ""}`}
                            >
                                <title>{name.slice(0, 300)}</title>
                                <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx="6" />
                                <circle cx="14" cy="16" r="4" />
                                <text x="26" y="20">
                                    {node.jobID} · {node.state}
                                </text>
                                <text x="12" y="37" class="name">
                                    {name.length > 24 ? `${name.slice(0, 23)}…` : name}
                                </text>
                            </a>
                        </g>
                    )
                })}
            </svg>
        </ScrollBox>
    )
}
