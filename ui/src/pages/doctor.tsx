import type { DoctorAnswer } from "../answers.ts"
import { get } from "../http.ts"
import { useLoad } from "../load.ts"
import { Button } from "../parts/button.tsx"
import { Facts } from "../parts/facts.tsx"
import { Ready } from "../parts/loaded.tsx"
import { VerdictBadge } from "../parts/state.tsx"
import { Outside, Time } from "../parts/text.tsx"
import { Title } from "../parts/title.tsx"

/** What was checked, and what came of it. */
export function DoctorPage() {
    const diagnosis = useLoad({ key: "doctor", ask: (signal) => get<DoctorAnswer>("doctor", {}, signal) })
    return (
        <>
            <Title
                actions={
                    <Button isDisabled={diagnosis.isLoading} onClick={diagnosis.reload}>
                        {diagnosis.isLoading ? "Checking…" : "Check again"}
                    </Button>
                }
            >
                Doctor
            </Title>
            <Ready of={diagnosis}>
                {({ at, verdict, checks }) => (
                    <>
                        <p>
                            <VerdictBadge verdict={verdict} /> <span class="muted">checked</span>{" "}
                            <Time at={at} />
                        </p>
                        <ul class="checks">
                            {checks.map((check) => (
                                <li key={check.name} class="card">
                                    <h2>
                                        {check.name} <VerdictBadge verdict={check.verdict} />
                                    </h2>
                                    <p>
                                        <Outside text={check.summary} />
                                    </p>
                                    {check.advice !== null && (
                                        <p class="advice">
                                            <Outside text={check.advice} />
                                        </p>
                                    )}
                                    <CheckFacts facts={check.facts} />
                                </li>
                            ))}
                        </ul>
                    </>
                )}
            </Ready>
        </>
    )
}

function CheckFacts({ facts }: { facts: Record<string, unknown> }) {
    const entries = Object.entries(facts)
    if (entries.length === 0) return null
    const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value))
    return (
        <details>
            <summary>Facts</summary>
            <Facts
                facts={entries.map(
                    ([name, value]) => [name, <Outside key={name} text={textOf(value) ?? ""} />] as const,
                )}
            />
        </details>
    )
}
