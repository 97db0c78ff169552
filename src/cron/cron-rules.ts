import { type Cron, CronRule } from "./cron-rule.ts"

/** Rules that were read lately, since to read one takes longer than to ask it. */
const MAX_RULES = 1_000

/** Reads cron expressions, each once. */
export class CronRules {
    readonly #rules = new Map<string, CronRule>()

    /** @throws what `CronRule` throws. */
    read(cron: Cron): CronRule {
        const key = `${cron.expression}\n${cron.timeZone}`
        const known = this.#rules.get(key)
        if (known !== undefined) return known
        if (this.#rules.size >= MAX_RULES) this.#rules.clear()
        const rule = new CronRule(cron)
        this.#rules.set(key, rule)
        return rule
    }
}
