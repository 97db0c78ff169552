import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import type { Producer } from "../peers/peer.ts"
import { Recorder } from "../recorder.ts"
import { Replays } from "./replays.ts"

let folder: string
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cuckmq-replays-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs two producers' until one has replayed a single job and many. */
async function replays() {
    const ending = new AbortController()
    const calls: { process: string; jobID: string; atMs: number }[] = []
    const files: string[] = []
    let hasManyDone = false
    const endIfDone = () => {
        if (hasManyDone && new Set(calls.map(({ process }) => process)).size === 2) ending.abort()
    }
    const run = (process: string) => {
        const file = join(folder, `${process}.jsonl`)
        files.push(file)
        const producer: Producer = {
            defer: async () => [],
            close: async () => undefined,
            findDeadLetters: async () => ["7", "8"],
            replay: async (jobID) => {
                calls.push({ process, jobID, atMs: performance.now() })
                endIfDone()
                if (jobID === "8") throw new Error("no answer")
                return process === "producer-1.1"
            },
            replayMany: async () => {
                hasManyDone = true
                endIfDone()
                return 3
            },
        }
        const recorder = new Recorder(file, process)
        return new Replays({ producer, recorder, process, ending: ending.signal }).ended()
    }
    await Promise.all(["producer-1.1", "producer-2.1"].map(run))
    const records = files.map((file) =>
        readFileSync(file, "utf8")
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as Record<string, unknown>),
    )
    return { calls, records }
}

describe("the replays of producers", () => {
    it("come at the same moment, and are written down before and after", async () => {
        const { calls, records } = await replays()
        const [first, other] = ["producer-1.1", "producer-2.1"].map((name) =>
            calls.filter(({ process }) => process === name),
        )
        assert.deepEqual(
            first?.slice(0, 3).map(({ jobID }) => jobID),
            ["7", "8", "7"],
        )
        const apart = Math.abs((first?.[0]?.atMs ?? 0) - (other?.[0]?.atMs ?? 0))
        assert.ok(apart < 200, `${apart} ms apart`)
        for (const [index, told] of [1, 0].entries()) {
            const ofProcess = records[index] ?? []
            const asked = new Map(
                ofProcess.filter(({ kind }) => kind === "replay").map(({ call, jobID }) => [call, jobID]),
            )
            const answers = ofProcess.filter(({ kind }) => kind === "replay-answer")
            assert.equal(answers.length, asked.size)
            for (const { call, num } of answers) {
                const jobID = asked.get(call)
                assert.equal(num, jobID === null ? 3 : jobID === "7" ? told : null)
            }
        }
    })
})
