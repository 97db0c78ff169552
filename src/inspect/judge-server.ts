import type { ServerFacts } from "../statements/check-server.ts"
import { type Finding, ok } from "./diagnosis.ts"
import { duration, numberOf } from "./wording.ts"

const MIN_VERSION = 14
/** A timeout of the server's that is shorter than this ends statements that we would wait for. */
const MIN_TIMEOUT_MS = 10_000
/** One that ends idle sessions within this time ends the one that listens again and again. */
const MIN_IDLE_SESSION_MS = 120_000
const FEW_LEFT = 0.2
const HARDLY_ANY_LEFT = 0.05
const MAX_CLOCK_DIFFERENCE_MS = 1_000

/** Whether the server is of a release that we know. */
export function judgeVersion({ versionNum }: ServerFacts): Finding {
    const version = `PostgreSQL ${Math.floor(versionNum / 10_000)}.${versionNum % 10_000}`
    const facts = { versionNum }
    if (versionNum >= MIN_VERSION * 10_000) return ok(version, facts)
    return {
        verdict: "problem",
        summary: `${version} is older than ${MIN_VERSION}, the first release that cuckmq works with`,
        advice: `Upgrade the server to PostgreSQL ${MIN_VERSION} or later.`,
        facts,
    }
}

/** Whether it takes writes. */
export function judgeRole({ isInRecovery, isReadOnly }: ServerFacts): Finding {
    const facts = { isInRecovery, isReadOnly }
    if (isInRecovery)
        return {
            verdict: "problem",
            summary: "the server is a standby, which takes no writes",
            advice: "Connect to the primary.",
            facts,
        }
    if (isReadOnly)
        return {
            verdict: "problem",
            summary: "transactions of this role are read-only (default_transaction_read_only)",
            advice: "Set default_transaction_read_only to off for the role or the database.",
            facts,
        }
    return ok("the server takes writes", facts)
}

/** Whether what is written outlives a crash of the server. */
export function judgeDurability({ synchronousCommit, fsync }: ServerFacts): Finding {
    const facts = { synchronousCommit, fsync }
    if (fsync === "off")
        return {
            verdict: "warning",
            summary: "fsync is off: a crash of the server may destroy the whole database",
            advice: "Set fsync to on, unless all of it may be lost.",
            facts,
        }
    if (synchronousCommit === "off")
        return {
            verdict: "warning",
            summary:
                "synchronous_commit is off: a crash of the server may lose jobs that were deferred in the last moments, and may have jobs that ended run again",
            advice: "Set synchronous_commit to on (or local) for the role or the database.",
            facts,
        }
    return ok("what is committed is on disk", facts)
}

/** Whether the server ends what we begin too early. */
export function judgeTimeouts(server: ServerFacts): Finding {
    const timeouts: [name: string, ms: number | null, leastMs: number][] = [
        ["statement_timeout", server.statementTimeoutMs, MIN_TIMEOUT_MS],
        ["transaction_timeout", server.transactionTimeoutMs, MIN_TIMEOUT_MS],
        ["idle_in_transaction_session_timeout", server.idleInTransactionTimeoutMs, MIN_TIMEOUT_MS],
        ["idle_session_timeout", server.idleSessionTimeoutMs, MIN_IDLE_SESSION_MS],
    ]
    const facts = Object.fromEntries(timeouts.map(([name, ms]) => [name, ms]))
    const short = timeouts.filter(([, ms, leastMs]) => ms !== null && ms > 0 && ms < leastMs)
    if (short.length === 0) return ok("no timeout of the server is in the way", facts)
    return {
        verdict: "warning",
        summary: `short timeouts of the server: ${short.map(([name, ms]) => `${name} is ${duration(ms ?? 0)}`).join(", ")}`,
        advice: `Give the role that workers use more: ${short
            .map(([name, , leastMs]) => `${name} of ${leastMs / 1_000}s or more`)
            .join(", ")}.`,
        facts,
    }
}

/** Whether connections are left. */
export function judgeConnections({ maxConnections, numReserved, numConnections }: ServerFacts): Finding {
    const numUsable = Math.max(1, maxConnections - numReserved)
    const numLeft = Math.max(0, numUsable - numConnections)
    const facts = { maxConnections, numReserved, numConnections, numLeft }
    const summary = `${numConnections} of ${numberOf(numUsable, "connection")} are taken`
    if (numLeft > numUsable * FEW_LEFT) return ok(summary, facts)
    return {
        verdict: numLeft > numUsable * HARDLY_ANY_LEFT ? "warning" : "problem",
        summary,
        advice: "Raise max_connections, give pools a smaller max, or put a pooler in front of the server.",
        facts,
    }
}

/** Whether this machine and the server agree on what time it is; the difference is known to within `uncertaintyMs`. */
export function judgeClock(params: { differenceMs: number; uncertaintyMs: number }): Finding {
    const differenceMs = Math.round(params.differenceMs)
    const uncertaintyMs = Math.ceil(params.uncertaintyMs)
    const facts = { differenceMs, uncertaintyMs }
    if (Math.abs(differenceMs) - uncertaintyMs <= MAX_CLOCK_DIFFERENCE_MS)
        return ok(`this machine and the server agree to within ${MAX_CLOCK_DIFFERENCE_MS} ms`, facts)
    return {
        verdict: "warning",
        summary: `the server's clock is ${duration(Math.abs(differenceMs))} ${differenceMs > 0 ? "ahead of" : "behind"} this machine's`,
        advice: "Have both keep time by NTP. Instants that a process makes itself, as for `runAt`, are off by so much.",
        facts,
    }
}
