import type { OperationAnswer, OperationView } from "../answers.ts"
import { get, isGone } from "../http.ts"
import { useLoad } from "../load.ts"
import type { PageParams } from "../page-params.ts"
import { Card, Facts } from "../parts/facts.tsx"
import { Json } from "../parts/json.tsx"
import { Ready } from "../parts/loaded.tsx"
import { OperationProgress } from "../parts/operation-progress.tsx"
import { None, Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"

/** One operation. */
export function OperationPage({ name }: PageParams) {
    const isID = /^\d{1,16}$/.test(name)
    const loaded = useLoad({
        key: isID ? name : null,
        ask: (signal) => get<OperationAnswer>(`operations/${name}`, {}, signal),
        everyMs: 3_000,
    })
    return (
        <>
            <Title>
                Operation <span class="number">{name}</span>
            </Title>
            {!isID && <p>The id of an operation is a whole number.</p>}
            {loaded.value !== undefined && isGone(loaded.error) && (
                <p class="note" role="status">
                    The audit log holds this operation no more. Below is how it was when it was seen last.
                </p>
            )}
            <Ready of={loaded}>{(operation) => <Details operation={operation} />}</Ready>
        </>
    )
}

function Details({ operation }: { operation: OperationView }) {
    const text = (value: string | null) => (value === null ? <None /> : <Outside text={value} />)
    return (
        <div class="cards">
            <Card title={operation.kind}>
                <OperationProgress operation={operation} />
                <Facts
                    facts={[
                        ["who", text(operation.by)],
                        ["when", <Time key="at" at={operation.at} isExact />],
                        ["started", <Time key="started" at={operation.startedAt} />],
                        ["ended", <Time key="ended" at={operation.endedAt} />],
                        ...(operation.cancelledBy === null
                            ? []
                            : [["cancelled by", text(operation.cancelledBy)] as const]),
                    ]}
                />
            </Card>
            <Card title="Of what">
                <Json value={operation.target} label="what it is about" />
            </Card>
            <Card title="Details">
                {Object.keys(operation.details).length === 0 ? (
                    <p class="muted">None.</p>
                ) : (
                    <Json value={operation.details} label="details" />
                )}
            </Card>
        </div>
    )
}
