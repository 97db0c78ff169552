import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { instant, orDash, short } from "../format.ts"
import { paint } from "../look.ts"

const COLUMNS = [
    { title: "SCHEDULE" },
    { title: "DEFINITION" },
    { title: "RULE" },
    { title: "NEXT" },
    { title: "LAST JOB", isNumber: true },
    { title: "" },
]

/** What repeats. */
export const schedules: Command = {
    name: "schedules",
    summary: "list schedules, and definitions that repeat by themselves",
    run: async ({ out, queue }) => {
        const { config, inspector } = await queue()
        const made = await config.schedules.list()
        const definitions = (await inspector.definitions()).flatMap(({ name, repeat, isPaused }) =>
            repeat === null ? [] : [{ definition: name, isPaused, ...repeat }],
        )
        out.show({ schedules: made, definitions }, (look) =>
            look.table(
                COLUMNS,
                [...made, ...definitions.map((one) => ({ ...one, name: null, lastJobID: null }))].map(
                    (one) => [
                        orDash(one.name),
                        one.definition,
                        ruleText(one),
                        instant(one.nextAt),
                        orDash(one.lastJobID),
                        paint("yellow", one.isPaused ? "paused" : ""),
                    ],
                ),
            ),
        )
        return EXIT.ok
    },
}

function ruleText(rule: {
    intervalMs: number | null
    cron: { expression: string; timeZone: string } | null
}): string {
    if (rule.cron !== null) return `${rule.cron.expression} (${rule.cron.timeZone})`
    return rule.intervalMs === null ? "-" : `every ${exact(rule.intervalMs)}`
}

/** In the largest unit that it is a multiple of. */
function exact(ms: number): string {
    const unitMs = [86_400_000, 3_600_000, 60_000, 1_000].find((unit) => ms % unit === 0)
    return unitMs === undefined ? `${ms}ms` : `${ms / unitMs}${short(unitMs).slice(1)}`
}
