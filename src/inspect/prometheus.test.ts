import { describe, expect, it } from "vitest"
import { BOUNDS_MS, NUM_BUCKETS } from "../histogram.ts"
import type { DefinitionTotals } from "../statements/read-totals.ts"
import { METRICS, toPrometheus } from "./prometheus.ts"

function totalsOf(totals: Partial<DefinitionTotals> = {}): DefinitionTotals {
    const nothing = { counts: [], sumMs: 0 }
    return {
        definition: "mail",
        channel: "_default",
        numSucceeded: 0,
        numRetried: 0,
        numFailed: [],
        wait: nothing,
        run: nothing,
        ...totals,
    }
}

const LABEL = String.raw`[a-z]+="(?:[^"\\\n]|\\[\\n"])*"`
const SAMPLE = new RegExp(String.raw`^([a-z_]+)\{((?:${LABEL})(?:,${LABEL})*)\} (\S+)$`)

/** The samples of a page, each as its name, its labels and its value; the format is checked on the way. */
const NOTHING_LIVE = { counts: { definitions: [], channels: [] }, workers: [] }

function samplesOf(page: string): [name: string, labels: string, value: number][] {
    expect(page.endsWith("\n")).toBe(true)
    const samples: [string, string, number][] = []
    let family = ""
    for (const line of page.slice(0, -1).split("\n")) {
        const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
        if (type !== null) family = type[1] ?? ""
        if (line.startsWith("#")) continue
        const [, name = "", labels = "", value] = SAMPLE.exec(line) ?? []
        expect(name.replace(/_(bucket|sum|count)$/, ""), line).toBe(family)
        expect(Number(value), line).toBeGreaterThanOrEqual(0)
        samples.push([name, labels, Number(value)])
    }
    return samples
}

describe("the page for Prometheus", () => {
    it("has a sample of each counter and each reason for every definition, also of what never happened", () => {
        const totals = [
            totalsOf({ numSucceeded: 12_345_678_901, numRetried: 3, numFailed: [5] }),
            totalsOf({ definition: "video", channel: "heavy" }),
        ]
        const samples = samplesOf(toPrometheus({ totals, ...NOTHING_LIVE }))
        const mail = 'definition="mail",channel="_default"'
        const video = 'definition="video",channel="heavy"'
        expect(samples).toContainEqual(["cuckmq_jobs_succeeded_total", mail, 12_345_678_901])
        expect(samples).toContainEqual(["cuckmq_jobs_succeeded_total", video, 0])
        expect(samples).toContainEqual(["cuckmq_jobs_retried_total", mail, 3])
        expect(samples).toContainEqual(["cuckmq_jobs_failed_total", `${mail},reason="error"`, 5])
        expect(samples).toContainEqual(["cuckmq_jobs_failed_total", `${video},reason="cancelled"`, 0])
        expect(samples.filter(([name]) => name === "cuckmq_jobs_failed_total")).toHaveLength(2 * 6)
    })

    it("has histograms that count all that is no longer than a bound, in seconds", () => {
        const counts = Array.from({ length: NUM_BUCKETS }, (_, bucket) => bucket)
        const num = (NUM_BUCKETS * (NUM_BUCKETS - 1)) / 2
        const totals = [totalsOf({ run: { counts, sumMs: 2_500 } })]
        const samples = samplesOf(toPrometheus({ totals, ...NOTHING_LIVE }))
        const buckets = samples.filter(([name]) => name === "cuckmq_job_run_seconds_bucket")
        const bounds = buckets.map(([, labels]) => /le="(.*)"/.exec(labels)?.[1])
        expect(bounds).toHaveLength(24)
        expect([bounds[0], bounds[1], bounds[10], bounds[22], bounds[23]]).toEqual([
            "0.001",
            "0.002",
            "1.024",
            "4194.304",
            "+Inf",
        ])
        const values = buckets.map(([, , value]) => value)
        expect(values).toEqual([...values].sort((a, b) => a - b))
        const numUpTo = (boundMs: number) =>
            counts.reduce(
                (sum, count, bucket) => ((BOUNDS_MS[bucket] ?? Infinity) <= boundMs ? sum + count : sum),
                0,
            )
        expect(values[10]).toBe(numUpTo(1_024))
        expect(values[23]).toBe(num)
        const labels = 'definition="mail",channel="_default"'
        expect(samples).toContainEqual(["cuckmq_job_run_seconds_sum", labels, 2.5])
        expect(samples).toContainEqual(["cuckmq_job_run_seconds_count", labels, num])
        expect(samples).toContainEqual(["cuckmq_job_wait_seconds_count", labels, 0])
    })

    it("has gauges of what is live", () => {
        const some = (num: number) => ({ num, isExact: true })
        const states = {
            ...{ ready: some(7), delayed: some(0), blocked: some(0), running: some(0), failing: some(0) },
            failed: some(3),
        }
        const definition = { isPaused: false, numPausedKeys: 0, ...states }
        const counts = {
            definitions: [
                {
                    ...{ ...definition, definition: "mail", channel: "_default" },
                    oldestReady: { jobID: 1, dueAt: new Date(), ageMs: 1_500 },
                },
                { ...definition, definition: "video", channel: "heavy", oldestReady: null },
            ],
            channels: [
                { channel: "_default", ...states },
                { channel: "heavy", ...states },
            ],
        }
        const workers = [
            { channel: "_default", isLive: true },
            { channel: "_default", isLive: false },
            { channel: "idle", isLive: true },
        ]
        const page = toPrometheus({ totals: [totalsOf()], counts, workers })
        const mail = 'definition="mail",channel="_default"'
        const samples = samplesOf(page)
        expect(samples).toContainEqual(["cuckmq_jobs", `${mail},state="ready"`, 7])
        expect(samples).toContainEqual(["cuckmq_jobs", `${mail},state="failed"`, 3])
        expect(samples.filter(([name]) => name === "cuckmq_oldest_ready_age_seconds")).toEqual([
            ["cuckmq_oldest_ready_age_seconds", mail, 1.5],
            ["cuckmq_oldest_ready_age_seconds", 'definition="video",channel="heavy"', 0],
        ])
        expect(samples.filter(([name]) => name === "cuckmq_workers")).toEqual([
            ["cuckmq_workers", 'channel="_default"', 1],
            ["cuckmq_workers", 'channel="heavy"', 0],
            ["cuckmq_workers", 'channel="idle"', 1],
        ])
        const typed = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
        expect(typed).toEqual(Object.keys(METRICS))
    })

    it("escapes what names may have in them", () => {
        const name = 'back\\slash "quoted"\nnew line\\n ünï'
        const page = toPrometheus({ totals: [totalsOf({ definition: name })], ...NOTHING_LIVE })
        const escaped = String.raw`definition="back\\slash \"quoted\"\nnew line\\n ünï"`
        expect(page).toContain(`cuckmq_jobs_succeeded_total{${escaped},channel="_default"} 0\n`)
        expect(samplesOf(page)[0]?.[1]).toBe(`${escaped},channel="_default"`)
    })
})
