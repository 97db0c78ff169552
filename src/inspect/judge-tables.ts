import type { Migration } from "../config.ts"
import type { Horizon, HorizonHolder } from "../statements/check-horizon.ts"
import type { ServerFacts } from "../statements/check-server.ts"
import type { TableFacts } from "../statements/check-tables.ts"
import { type Finding, ok, skipped } from "./diagnosis.ts"
import { dateOrNull } from "./job-state.ts"
import { duration, numberOf, quoted } from "./wording.ts"

const OLD_MS = 5 * 60_000
const VERY_OLD_MS = 60 * 60_000
const MANY_TRANSACTIONS = 1_000_000
const MANY_DEAD = 100_000
const VERY_MANY_DEAD = 1_000_000

/** A row is at most about this large where the rest of it is stored apart, and so is a table with so many rows. */
const MAX_ROW_BYTES = 2_200
const SMALL_TABLE_BYTES = 64 * 1024 * 1024
const MUCH_AIR = 10

/** Whether the migrations that were applied are those of this release. */
export function judgeMigrations(migrations: readonly Migration[]): Finding {
    const missing = migrations.filter(({ appliedAt }) => appliedAt === null)
    const unknown = migrations.filter(({ isKnown }) => !isKnown)
    const facts = {
        missing: missing.map(({ version }) => version),
        unknown: unknown.map(({ version }) => version),
    }
    const advice = "Run `npx cuckmq migrate`, or call `await config.prepareSchema()`."
    if (missing.length === migrations.length)
        return { verdict: "problem", summary: "the schema is not prepared", advice, facts }
    if (missing.length > 0)
        return {
            verdict: "problem",
            summary: `the schema is behind this release: ${numberOf(missing.length, "migration")} missing, from ${missing[0]?.version} (${missing[0]?.name}) on`,
            advice,
            facts,
        }
    if (unknown.length > 0)
        return {
            verdict: "warning",
            summary: `the schema is ahead of this release, by ${numberOf(unknown.length, "migration")} that it does not know`,
            advice: "Upgrade cuckmq here. Processes of the release before go on working meanwhile.",
            facts,
        }
    return ok(`all ${migrations.length} migrations of this release are applied`, facts)
}

/** Whether what migrations made is still there. */
export function judgeDrift({ missing, invalidIndexes }: TableFacts): Finding {
    const facts = { missing, invalidIndexes }
    if (missing.length > 0)
        return {
            verdict: "problem",
            summary: `what migrations made is missing: ${listed(missing)}`,
            advice: "Make it again, as `npx cuckmq migrate --print` has it for an empty schema, or restore a backup.",
            facts,
        }
    if (invalidIndexes.length > 0)
        return {
            verdict: "problem",
            summary: `indexes that are not valid: ${listed(invalidIndexes)}`,
            advice: "Run `reindex index` on each.",
            facts,
        }
    return ok("tables, columns and indexes are as migrations made them", facts)
}

/** Whether the remains of changed rows are cleared away by themselves. */
export function judgeAutovacuum({ autovacuum }: ServerFacts, tables: TableFacts | null): Finding {
    const isOn = autovacuum === "on"
    const facts = { autovacuum, isOnForJobs: tables?.job?.isVacuumed ?? null }
    if (isOn && facts.isOnForJobs !== false) return ok("autovacuum is on", facts)
    return {
        verdict: "problem",
        summary: isOn ? "autovacuum is off for the table of jobs" : "autovacuum is off",
        advice: isOn
            ? "Reset autovacuum_enabled of the table `job`."
            : "Set autovacuum to on: each job leaves remains, and claims get slower the more of them there are.",
        facts,
    }
}

/** Whether an old snapshot keeps them from being cleared away, and whose it is. */
export function judgeHorizon({ holders, isSeenWhole }: Horizon): Finding {
    const facts = { holders, isSeenWhole }
    const old = holders.filter((holder) => weightOf(holder) > 0)
    if (old.length === 0)
        return ok(
            isSeenWhole
                ? "no old snapshot is held"
                : "no old snapshot is held, as far as this role can see: grant it pg_read_all_stats to see other roles' sessions",
            facts,
        )
    return {
        verdict: old.some((holder) => weightOf(holder) > 1) ? "problem" : "warning",
        summary: `vacuum is held up by ${listed(old.map(holderInWords))}`,
        advice: [...new Set(old.map(({ kind }) => REMEDIES[kind]))].join(" "),
        facts,
    }
}

const REMEDIES: Record<HorizonHolder["kind"], string> = {
    session: "End the transaction, or the session with `select pg_terminate_backend(…)`.",
    "prepared-transaction": "Commit or roll back the prepared transaction (`rollback prepared '…'`).",
    "replication-slot":
        "See to what reads the replication slot, or drop it (`select pg_drop_replication_slot('…')`).",
}

/** 0 for one that does no harm, 2 for one that does much. */
function weightOf({ heldMs, numTransactions }: HorizonHolder): 0 | 1 | 2 {
    if (heldMs === null) return numTransactions > MANY_TRANSACTIONS ? 1 : 0
    if (heldMs > VERY_OLD_MS) return 2
    return heldMs > OLD_MS ? 1 : 0
}

function holderInWords({ kind, name, who, state, heldMs, numTransactions }: HorizonHolder): string {
    const since =
        heldMs === null ? `for ${numberOf(numTransactions, "transaction")}` : `for ${duration(heldMs)}`
    return `${kind.replaceAll("-", " ")} ${quoted(name)} (${who}, ${state}, ${since})`
}

/** Whether the table of live jobs is no larger than what is in it. */
export function judgeJobTable({ job }: TableFacts): Finding {
    if (job === null) return skipped("there is no table of jobs")
    const { numBytes, numLive, numDead, lastVacuumAtMs } = job
    const facts = { numBytes, numLive, numDead, lastVacuumAt: dateOrNull(lastVacuumAtMs) }
    const summary = `the table of jobs has ${numberOf(numLive, "row")} and the remains of ${numDead} in ${Math.ceil(numBytes / 1024 / 1024)} MiB`
    if (numDead > VERY_MANY_DEAD && numDead > 5 * numLive)
        return { verdict: "problem", summary, advice: VACUUM, facts }
    if (numDead > MANY_DEAD && numDead > numLive)
        return { verdict: "warning", summary, advice: VACUUM, facts }
    const mostBytes = MUCH_AIR * MAX_ROW_BYTES * (numLive + numDead)
    if (numBytes > SMALL_TABLE_BYTES && numBytes > mostBytes)
        return {
            verdict: "warning",
            summary: `${summary}: most of it is air`,
            advice: "It is used again as jobs come. To be rid of it, run `vacuum full` on the table while no worker runs.",
            facts,
        }
    return ok(summary, facts)
}

const VACUUM =
    "Run `vacuum` on the table `job`, and see why autovacuum does not get there: old snapshots, too few workers, or throttling."

function listed(items: readonly string[]): string {
    return items.length > 5
        ? `${items.slice(0, 5).join(", ")} and ${items.length - 5} more`
        : items.join(", ")
}
