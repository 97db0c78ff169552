/**
 * Breaks what a job queue stands on, and proves from records that its promises hold: `npm run chaos -- --minutes 20
 * --seed 1 --profile smoke|full|soak [--peer cuckmq|pg-boss|graphile-worker] [--faults a,b] [--mutant NAME | --mutants]
 * [--keep]`. Exit code 1: a promise was broken, or a mutant was not caught. 2: the campaign itself failed.
 */
import { Campaign } from "./campaign.ts"
import { type Report, reportLines } from "./checker/report.ts"
import { judge } from "./judge.ts"
import { runMutants } from "./mutant-runs.ts"
import { parseOptions, type RunOptions } from "./options.ts"
import { boundMs } from "./profile.ts"
import { Stage, type StageOptions } from "./stage.ts"

const stopping = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => stopping.abort(new Error(`ended by ${signal}`)))

try {
    process.exitCode = (await main(parseOptions(process.argv.slice(2)))) ? 0 : 1
} catch (error) {
    console.error(error)
    process.exitCode = 2
}
// Whatever still waits for something waits for nothing that matters.
process.exit()

async function main(options: RunOptions): Promise<boolean> {
    if (options.mutants === "all" || options.mutants.length > 0)
        return runMutants({ options, run: (mutated) => runCampaign({ ...options, ...mutated }) })
    const report = await runCampaign(options)
    console.log(reportLines(report).join("\n"))
    return report.isClean
}

async function runCampaign(options: RunOptions & StageOptions): Promise<Report> {
    const beganMs = performance.now()
    const tell = (line: string) => process.stderr.write(`${line}\n`)
    tell(`chaos: ${options.peerName}, profile ${options.profile.name}, seed ${options.seed}`)
    const stage = await Stage.build(options)
    const kill = () => stage.kill()
    process.once("exit", kill)
    const campaign = new Campaign({ stage, faults: options.faults, tell })
    const watchdog = setTimeout(() => {
        tell(`the campaign hangs: ${campaign.state}`)
        process.exit(2)
    }, boundMs(options.profile))
    let report: Report | undefined
    try {
        await campaign.run(stopping.signal)
        tell("checking")
        report = await judge(stage)
        return report
    } finally {
        clearTimeout(watchdog)
        const keepsRecords = options.isKept || report?.isClean !== true
        await stage.dismantle({ keepsRecords })
        process.off("exit", kill)
        if (keepsRecords) tell(`records and report: ${stage.folder}`)
        tell(`took ${Math.round((performance.now() - beganMs) / 1_000)} s`)
    }
}
