import { describe, expect, it } from "vitest"
import type { HorizonHolder } from "../statements/check-horizon.ts"
import type { ServerFacts } from "../statements/check-server.ts"
import type { JobTable } from "../statements/check-tables.ts"
import { judgeClock, judgeConnections, judgeDurability, judgeRole, judgeVersion } from "./judge-server.ts"
import { judgeAutovacuum, judgeHorizon, judgeJobTable } from "./judge-tables.ts"

const SERVER: ServerFacts = {
    ...{ atMs: 0, versionNum: 180_001, isInRecovery: false, isReadOnly: false, autovacuum: "on" },
    ...{ synchronousCommit: "on", fsync: "on", statementTimeoutMs: 0, idleInTransactionTimeoutMs: 0 },
    ...{ idleSessionTimeoutMs: 0, transactionTimeoutMs: null },
    ...{ maxConnections: 103, numReserved: 3, numConnections: 10 },
}
const MINUTE_MS = 60_000

describe("what a doctor makes of a server", () => {
    it("depends on its release, its role and how it keeps what is committed", () => {
        expect(judgeVersion({ ...SERVER, versionNum: 130_009 }).verdict).toBe("problem")
        expect(judgeVersion(SERVER)).toMatchObject({ verdict: "ok", summary: "PostgreSQL 18.1" })
        expect(judgeRole({ ...SERVER, isInRecovery: true }).verdict).toBe("problem")
        expect(judgeRole({ ...SERVER, isReadOnly: true }).verdict).toBe("problem")
        expect(judgeDurability({ ...SERVER, fsync: "off" }).verdict).toBe("warning")
        expect(judgeDurability({ ...SERVER, synchronousCommit: "local" }).verdict).toBe("ok")
        expect(judgeAutovacuum({ ...SERVER, autovacuum: "off" }, null).verdict).toBe("problem")
    })

    it("depends on how many connections are left", () => {
        const verdict = (numConnections: number) => judgeConnections({ ...SERVER, numConnections }).verdict
        expect([79, 80, 94, 95, 200].map(verdict)).toEqual(["ok", "warning", "warning", "problem", "problem"])
    })

    it("depends on a difference of clocks that no delay of the answer explains", () => {
        const verdict = (differenceMs: number, uncertaintyMs: number) =>
            judgeClock({ differenceMs, uncertaintyMs }).verdict
        expect([verdict(900, 0), verdict(5_000, 4_500), verdict(-2_000, 10)]).toEqual(["ok", "ok", "warning"])
        expect(judgeClock({ differenceMs: -90_000, uncertaintyMs: 1 }).summary).toBe(
            "the server's clock is 90 seconds behind this machine's",
        )
    })
})

describe("what a doctor makes of what holds vacuum up", () => {
    const holder = (given: Partial<HorizonHolder>): HorizonHolder => ({
        ...{ kind: "session", name: "17", who: "me, psql", state: "idle in transaction" },
        ...{ heldMs: 0, numTransactions: 0 },
        ...given,
    })
    const verdict = (given: Partial<HorizonHolder>) =>
        judgeHorizon({ holders: [holder(given)], isSeenWhole: true }).verdict

    it("depends on how long it is held, and of a slot on how many transactions", () => {
        expect([1, 6, 61].map((minutes) => verdict({ heldMs: minutes * MINUTE_MS }))).toEqual([
            "ok",
            "warning",
            "problem",
        ])
        const slot = { kind: "replication-slot", heldMs: null } as const
        expect([10, 2_000_000].map((numTransactions) => verdict({ ...slot, numTransactions }))).toEqual([
            "ok",
            "warning",
        ])
    })

    it("names who it is, and says what cannot be seen", () => {
        const holders = [holder({ heldMs: 10 * MINUTE_MS })]
        expect(judgeHorizon({ holders, isSeenWhole: true }).summary).toBe(
            'vacuum is held up by session "17" (me, psql, idle in transaction, for 10 minutes)',
        )
        expect(judgeHorizon({ holders: [], isSeenWhole: false })).toMatchObject({
            verdict: "ok",
            summary: expect.stringContaining("pg_read_all_stats"),
        })
    })

    it("depends on what is left of it in the table of jobs", () => {
        const verdictOf = (job: Partial<JobTable>) =>
            judgeJobTable({
                ...{ missing: [], invalidIndexes: [] },
                job: {
                    ...{ numBytes: 1, numLive: 1_000, numDead: 0, isVacuumed: true, lastVacuumAtMs: null },
                    ...job,
                },
            }).verdict
        expect(verdictOf({ numDead: 90_000 })).toBe("ok")
        expect(verdictOf({ numDead: 200_000 })).toBe("warning")
        expect(verdictOf({ numDead: 2_000_000 })).toBe("problem")
        expect(verdictOf({ numBytes: 500 * 1024 * 1024 })).toBe("warning")
        expect(verdictOf({ numBytes: 500 * 1024 * 1024, numLive: 300_000 })).toBe("ok")
    })
})
