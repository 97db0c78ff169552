import type { Counted, StateNumbers } from "../answers.ts"
import { count } from "../format.ts"
import { href } from "../route.ts"

const STATES = ["ready", "running", "delayed", "blocked", "failing", "failed"] as const

/** How many jobs there are in each state; each leads to them. */
export function CountTiles(props: {
    counts: StateNumbers | undefined
    finalized?: Counted | undefined
    definition?: string
}) {
    const { counts, finalized, definition } = props
    return (
        <ul class="tiles">
            {STATES.map((state) => {
                const counted = counts?.[state]
                return (
                    <li key={state}>
                        <a
                            class={`tile ${state} ${(counted?.num ?? 0) === 0 ? "none" : ""}`}
                            href={href(["jobs"], { state, definition })}
                        >
                            <span>{state}</span>
                            <b class="number">{counted === undefined ? "–" : count(counted)}</b>
                        </a>
                    </li>
                )
            })}
            {finalized !== undefined && (
                <li>
                    <a class="tile" href={href(["jobs"], { state: "succeeded" })}>
                        <span>in history</span>
                        <b class="number">{count(finalized)}</b>
                    </a>
                </li>
            )}
        </ul>
    )
}
