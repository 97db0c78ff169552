import { useState } from "preact/hooks"
import type { PreviewAnswer } from "../answers.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Button } from "../parts/button.tsx"
import { Card } from "../parts/facts.tsx"
import { SelectField, TextField } from "../parts/field.tsx"
import { Ready } from "../parts/loaded.tsx"
import { Time } from "../parts/text.tsx"

const NUM_TIMES = 10

/** When a rule would fall due. */
export function RulePreview() {
    const [kind, setKind] = useState("cron")
    const [cron, setCron] = useState("30 9 * * MON-FRI")
    const [timeZone, setTimeZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone)
    const [seconds, setSeconds] = useState("3600")
    const [asked, setAsked] = useState<Record<string, string | number>>()
    const rule = (): Record<string, string | number> =>
        kind === "cron" ? { cron, timeZone } : { intervalMs: Math.round(Number(seconds) * 1_000) }
    return (
        <Card title="When would a rule fall due?">
            <form
                class="filters"
                aria-label="A rule"
                onSubmit={(event) => {
                    event.preventDefault()
                    setAsked(rule())
                }}
            >
                <SelectField
                    label="Rule"
                    value={kind}
                    onChange={setKind}
                    options={[
                        ["cron", "cron expression"],
                        ["interval", "interval"],
                    ]}
                />
                {kind === "cron" ? (
                    <>
                        <TextField label="Expression" value={cron} onChange={setCron} isRequired isFilter />
                        <TextField label="Time zone" value={timeZone} onChange={setTimeZone} isRequired />
                    </>
                ) : (
                    <TextField
                        label="Seconds"
                        type="number"
                        min={1}
                        value={seconds}
                        onChange={setSeconds}
                        isRequired
                    />
                )}
                <div class="actions">
                    <Button isSubmit>Preview</Button>
                </div>
            </form>
            {asked !== undefined && <Times rule={asked} />}
        </Card>
    )
}

function Times({ rule }: { rule: Record<string, string | number> }) {
    const times = useLoad({
        key: JSON.stringify(rule),
        ask: (signal) => get<PreviewAnswer>("schedules/preview", { ...rule, count: NUM_TIMES }, signal),
    })
    return (
        <Ready of={times}>
            {(answer) => (
                <ol class="times" aria-label="The next times">
                    {answer.times.map((at) => (
                        <li key={at}>
                            <Time at={at} isExact />
                        </li>
                    ))}
                </ol>
            )}
        </Ready>
    )
}
