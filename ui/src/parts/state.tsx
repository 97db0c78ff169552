import type { JobState, OperationView } from "../answers.ts"

type Tone = "good" | "bad" | "warn" | "active" | "calm"

const JOB_TONES: Record<JobState, Tone> = {
    ready: "calm",
    delayed: "calm",
    blocked: "warn",
    running: "active",
    failing: "bad",
    succeeded: "good",
    failed: "bad",
}

const OPERATION_TONES: Record<OperationView["state"], Tone> = {
    waiting: "calm",
    running: "active",
    done: "good",
    cancelled: "warn",
    failed: "bad",
}

const VERDICT_TONES = { ok: "good", warning: "warn", problem: "bad", skipped: "calm" } as const

/** A word with a dot in the colour of what it means. */
export function Badge({ tone, text }: { tone: Tone; text: string }) {
    return <span class={`badge ${tone}`}>{text}</span>
}

export function StateBadge({ state }: { state: JobState }) {
    return <Badge tone={JOB_TONES[state]} text={state} />
}

export function OperationBadge({ state }: { state: OperationView["state"] }) {
    return <Badge tone={OPERATION_TONES[state]} text={state} />
}

export function VerdictBadge({ verdict }: { verdict: keyof typeof VERDICT_TONES }) {
    return <Badge tone={VERDICT_TONES[verdict]} text={verdict} />
}
