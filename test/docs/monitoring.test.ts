import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { FAILURE_REASONS } from "../../src/events.ts"
import { METRICS, toPrometheus } from "../../src/inspect/prometheus.ts"
import { ROOT } from "../support/root.ts"

const textOf = (file: string) => readFileSync(join(ROOT, "docs", file), "utf8")
const PAGE = textOf("monitoring.md")
const RULES = textOf("monitoring/prometheus-alerts.yml")
const DASHBOARD = textOf("monitoring/grafana-dashboard.json")

/** Every series that is exported, and every label that any of them has. */
function exported(): { names: Set<string>; labels: Set<string> } {
    const about = { definition: "a", channel: "b" }
    const nothing = { counts: [], sumMs: 0 }
    const counted = { numSucceeded: 0, numRetried: 0, numFailed: [], wait: nothing, run: nothing }
    const one = { num: 1, isExact: true }
    const states = { ready: one, delayed: one, blocked: one, running: one, failing: one, failed: one }
    const definition = { ...about, ...states, isPaused: false, numPausedKeys: 0, oldestReady: null }
    const page = toPrometheus({
        totals: [{ ...about, ...counted }],
        counts: { definitions: [definition], channels: [] },
        workers: [{ channel: "b", isLive: true }],
    })
    const names = [...page.matchAll(/^([a-z_]+)\{/gm)].map(([, name = ""]) => name)
    const labels = [...page.matchAll(/([a-z]+)="/g)].map(([, label = ""]) => label)
    return { names: new Set(names), labels: new Set(labels) }
}

/** The names of metrics in a text; those of its own roles and files are none. */
function metricsIn(text: string): string[] {
    return [...text.matchAll(/\bcuckmq_[a-z_]+/g)]
        .map(([name]) => name)
        .filter((name) => name !== "cuckmq_inspector")
}

/** The labels that queries select and group by. */
function labelsIn(text: string): string[] {
    const grouped = [...text.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/))
    const selected = [...text.matchAll(/([a-z]+)(?:=~|!=|!~|=)\\?"/g)].map(([, label = ""]) => label)
    return [...grouped, ...selected]
}

describe("docs/monitoring", () => {
    const { names, labels } = exported()

    it.each([
        ["the dashboard", DASHBOARD],
        ["the alerts", RULES],
    ])("asks for nothing that is not exported: %s", (_name, text) => {
        const asked = metricsIn(text)
        expect(asked.length).toBeGreaterThan(5)
        expect(asked.filter((name) => !names.has(name))).toEqual([])
        expect(labelsIn(text).filter((label) => !labels.has(label))).toEqual([])
    })

    it("has a dashboard that is JSON, whose panels do not share a place or a number", () => {
        const { panels } = JSON.parse(DASHBOARD) as {
            panels: { id: number; gridPos: object; title: string }[]
        }
        const places = panels.map(({ gridPos }) => JSON.stringify(gridPos))
        expect(new Set(places).size).toBe(panels.length)
        expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    })

    it("explains every metric, in the order of the page, with its type", () => {
        const rows = [...PAGE.matchAll(/^\| `(cuckmq_[a-z_]+)` \| (\w+) \|/gm)]
        expect(rows.map(([, name, type]) => [name, type])).toEqual(
            Object.entries(METRICS).map(([name, { type }]) => [name, type]),
        )
        expect(metricsIn(PAGE).filter((name) => !names.has(name) && !(name in METRICS))).toEqual([])
        for (const reason of FAILURE_REASONS) expect(PAGE).toContain(`\`${reason}\``)
    })

    it("explains every alert", () => {
        const alerts = [...RULES.matchAll(/^\s*- alert: (\w+)$/gm)].map(([, name]) => name)
        expect([...PAGE.matchAll(/^\| `(Cuckmq\w+)` \|/gm)].map(([, name]) => name)).toEqual(alerts)
        expect(alerts).toHaveLength(5)
    })
})
