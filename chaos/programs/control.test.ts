import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import type { Producer } from "../peers/peer.ts"
import { Random } from "../random.ts"
import { Recorder } from "../recorder.ts"
import { Control } from "./control.ts"

let folder: string
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cuckmq-control-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs it with a producer of so many abilities until it has done `numCalls` things. */
async function control(params: { canPause: boolean; fails: (call: number) => boolean; numCalls: number }) {
    const calls: string[] = []
    const ending = new AbortController()
    const call = async <T>(name: string, answer: T): Promise<T> => {
        calls.push(name)
        if (calls.length >= params.numCalls) ending.abort()
        if (params.fails(calls.length)) throw new Error("no answer")
        return answer
    }
    const producer: Producer = {
        defer: async () => [],
        close: async () => undefined,
        ...(params.canPause
            ? { pause: (isPaused: boolean) => call(isPaused ? "pause" : "resume", undefined) }
            : {
                  cancel: (ids: readonly string[]) =>
                      call(
                          "cancel",
                          ids.map(() => "cancelled"),
                      ),
              }),
    }
    await new Control({
        producer,
        recorder: new Recorder(join(folder, "p.jsonl"), "producer-1.1"),
        random: new Random(1),
        candidates: () => [{ key: "a", jobID: "1" }],
        pauses: true,
        ending: ending.signal,
    }).ended()
    const lines = readFileSync(join(folder, "p.jsonl"), "utf8").trimEnd().split("\n")
    return { calls, records: lines.map((line) => JSON.parse(line)) }
}

describe("the control of a producer", () => {
    it("writes down what it is told of the jobs that it cancels, and nothing when there is no answer", async () => {
        const { calls, records } = await control({
            canPause: false,
            fails: (call) => call === 1,
            numCalls: 2,
        })
        assert.deepEqual(calls, ["cancel", "cancel"])
        assert.ok(records.length > 0)
        for (const { kind, jobID, result } of records)
            assert.deepEqual({ kind, jobID, result }, { kind: "cancelled", jobID: "1", result: "cancelled" })
    })

    it("ends with nothing paused, however often it has to ask", async () => {
        const { calls, records } = await control({
            canPause: true,
            fails: (call) => call === 3 || call === 4,
            numCalls: 3,
        })
        assert.deepEqual(calls, ["resume", "pause", "resume", "resume", "resume"])
        assert.deepEqual(
            records.map(({ kind }) => kind),
            ["resumed", "paused", "resumed"],
        )
    })
})
