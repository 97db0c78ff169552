import { expect, it } from "vitest"
import { Inspector, InvalidOptionError, type JobGraph } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeQueue } from "../support/with-schema.ts"

async function makeDefinition() {
    const queue = await makeQueue()
    const definition = define(queue.config, () => undefined)
    const inspector = new Inspector({ config: queue.config })
    const defer = (dependencies: number[] = []) => definition.defer({ payload: {}, dependencies })
    return { queue, definition, inspector, defer }
}

function edgesOf({ edges }: JobGraph): string[] {
    return edges.map(({ from, to }) => `${from} ${to}`)
}

it("a graph has all jobs that hang together, from whichever of them it is asked for, and no others", async () => {
    const { inspector, defer } = await makeDefinition()
    const root = await defer()
    const left = await defer([root])
    const right = await defer([root])
    const end = await defer([left, right])
    const alone = await defer()
    for (const id of [root, left, end]) {
        const graph = await inspector.graph(id)
        expect(graph.nodes).toEqual([
            { jobID: root, definition: "job", state: "ready" },
            ...[left, right, end].map((jobID) => ({ jobID, definition: "job", state: "blocked" })),
        ])
        expect(edgesOf(graph)).toEqual([
            `${root} ${left}`,
            `${root} ${right}`,
            `${left} ${end}`,
            `${right} ${end}`,
        ])
        expect(graph.isWhole).toBe(true)
    }
    expect(await inspector.graph(alone)).toEqual({
        nodes: [{ jobID: alone, definition: "job", state: "ready" }],
        edges: [],
        isWhole: true,
    })
    expect(await inspector.graph(alone + 1_000)).toEqual({ nodes: [], edges: [], isWhole: true })
})

it("a graph of a job that thousands wait for, and of a long chain, has a hundred jobs and says that there are more", async () => {
    const { inspector, definition, defer } = await makeDefinition()
    const hub = await defer()
    await definition.deferMany(Array.from({ length: 3_000 }, () => ({ payload: {}, dependencies: [hub] })))
    const graph = await inspector.graph(hub)
    expect([graph.nodes.length, graph.edges.length, graph.isWhole]).toEqual([100, 99, false])
    expect(graph.nodes[0]).toMatchObject({ jobID: hub })
    let last = await defer()
    for (let num = 0; num < 120; num++) last = await defer([last])
    const chain = await inspector.graph(last)
    expect([chain.nodes.length, chain.edges.length, chain.isWhole]).toEqual([100, 99, false])
    expect(chain.nodes.at(-1)).toMatchObject({ jobID: last })
})

it("references tell which jobs ids are of, live and finalized, and leave out those that are not there", async () => {
    const { queue, inspector, defer } = await makeDefinition()
    const live = await defer()
    const cancelled = await defer()
    await queue.config.jobs.cancel(cancelled)
    expect(await inspector.references([cancelled, live, cancelled + 1_000, live])).toEqual([
        { jobID: live, definition: "job", state: "ready" },
        { jobID: cancelled, definition: "job", state: "failed" },
    ])
    for (const jobIDs of [[], [0], ["1"], 1, Array.from({ length: 1_001 }, (_, n) => n + 1)])
        await expect(inspector.references(jobIDs as number[])).rejects.toThrow(InvalidOptionError)
})
