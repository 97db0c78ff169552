import { join } from "node:path"
import { check } from "./checker/index.ts"
import { makeReport, type Report, writeReport } from "./checker/report.ts"
import { FAULTS } from "./faults/index.ts"
import type { CampaignFacts } from "./ledger/facts.ts"
import { loadLedger } from "./ledger/load.ts"
import { GRACE_MS, MAX_CONNECTIONS_OF_PROCESS } from "./profile.ts"
import type { Stage } from "./stage.ts"
import { CLEAN_INTERVAL_MS, HISTORY_MS } from "./workload.ts"

/** Puts what all processes and the triggers wrote into the ledger, and checks every promise against it. */
export async function judge(stage: Stage): Promise<Report> {
    const ledger = stage.ledger.admin
    await loadLedger({
        ledger,
        recordsFolder: stage.folder,
        sutAdmin: stage.test.admin,
        facts: factsOf(stage),
    })
    const report = await makeReport(ledger, await check(ledger))
    writeReport(report, join(stage.folder, "report.json"))
    return report
}

function factsOf({ options }: Stage): CampaignFacts {
    const { profile, seed, peerName } = options
    return {
        peer: peerName,
        profile: profile.name,
        seed,
        concurrency: profile.concurrency,
        maxConnections: MAX_CONNECTIONS_OF_PROCESS,
        graceMs: GRACE_MS,
        cleanIntervalMs: CLEAN_INTERVAL_MS,
        historyThresholdMs: HISTORY_MS,
        recoveryTargetsMs: Object.fromEntries(
            FAULTS.map(({ name, recoveryTargetMs }) => [name, recoveryTargetMs]),
        ),
    }
}
