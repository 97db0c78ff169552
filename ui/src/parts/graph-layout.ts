import dagre from "@dagrejs/dagre"
import type { GraphAnswer } from "../answers.ts"

/** Where everything of a graph is drawn, in pixels. */
export interface GraphLayout {
    width: number
    height: number
    /** The middles of the jobs, by id. */
    places: Map<number, { x: number; y: number }>
    /** Paths of the edges. */
    paths: { key: string; d: string }[]
}

export const NODE_WIDTH = 168
export const NODE_HEIGHT = 46
const MARGIN = 12

/** Lays out jobs so that each stands to the right of those that it depends on. */
export function layOut({ nodes, edges }: GraphAnswer): GraphLayout {
    const graph = new dagre.graphlib.Graph()
    graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 48, marginx: MARGIN, marginy: MARGIN })
    graph.setDefaultEdgeLabel(() => ({}))
    const known = new Set(nodes.map(({ jobID }) => jobID))
    for (const { jobID } of nodes) graph.setNode(String(jobID), { width: NODE_WIDTH, height: NODE_HEIGHT })
    for (const { from, to } of edges)
        if (known.has(from) && known.has(to)) graph.setEdge(String(from), String(to))
    dagre.layout(graph)
    const { width = 0, height = 0 } = graph.graph()
    return {
        width: Math.ceil(width),
        height: Math.ceil(height),
        places: new Map(
            nodes.map(({ jobID }) => {
                const { x, y } = graph.node(String(jobID))
                return [jobID, { x: x ?? 0, y: y ?? 0 }]
            }),
        ),
        paths: graph.edges().map((edge) => ({
            key: `${edge.v} ${edge.w}`,
            d: pathOf(graph.edge(edge)?.points ?? []),
        })),
    }
}

/** A smooth line through the points that an edge goes by. */
function pathOf(points: readonly { x: number; y: number }[]): string {
    const [first, ...rest] = points
    const last = rest.at(-1)
    if (first === undefined || last === undefined) return ""
    const curves = rest.slice(0, -1).map(({ x, y }, index) => {
        const next = rest[index + 1] ?? last
        const end = index === rest.length - 2 ? next : { x: (x + next.x) / 2, y: (y + next.y) / 2 }
        return `Q${x} ${y} ${end.x} ${end.y}`
    })
    return `M${first.x} ${first.y}${curves.length === 0 ? `L${last.x} ${last.y}` : curves.join("")}`
}
