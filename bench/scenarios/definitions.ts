import { Config, JobDefinition, Worker } from "cuckmq"
import pg from "pg"
import { payloadOf } from "../peers/peer.ts"
import { type Scenario, until } from "./scenario.ts"

const CASES: Readonly<Record<string, number>> = { "1 definition": 1, "500 definitions": 500 }

/** What many kinds of job cost. */
export const definitions: Scenario = {
    title: "500 definitions",
    about: "The drain of 50,000 jobs of one definition, and of 500 definitions with 100 jobs each.",
    usualSeconds: 7,
    goal: "rate",
    peers: ["cuckmq"],
    cases: Object.keys(CASES),
    async sample({ meter, options, isSmall, caseName, admin }) {
        const pool = new pg.Pool({ connectionString: options.servers.connectionString })
        const config = new Config({ pool, schema: options.schema })
        let numJobs = 0
        const kinds = Array.from({ length: CASES[caseName] ?? 1 }, (_, index) => {
            const jobFunction = () => {
                numJobs++
            }
            const definition = new JobDefinition({ config, name: `kind-${index}`, jobFunction })
            definition.register()
            return definition
        })
        const count = isSmall ? 5_000 : 50_000
        const jobs = Array.from({ length: count / kinds.length }, (_, n) => ({
            payload: payloadOf(100, { n }),
        }))
        for (const kind of kinds) await kind.deferMany(jobs)
        await admin.query("checkpoint")
        await meter.start()
        const worker = new Worker({ config })
        const isEmpty = async () =>
            (await admin.query(`select 1 from ${options.schema}.job limit 1`)).rowCount === 0
        await until(async () => numJobs >= count && (await isEmpty()), 20_000)
        const metrics = await meter.stop(numJobs)
        worker.stop()
        await worker.join()
        await pool.end()
        return { [caseName]: metrics }
    },
}
