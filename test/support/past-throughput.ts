import type { Queue } from "./with-schema.ts"

/** The numbers of a minute, as the table has them. */
interface Minute {
    minutesAgo: number
    succeeded: number
    failed: number
    retried: number
    /** How many waits and runs there were in each bucket of the histogram. */
    wait: number[]
    run: number[]
}

/**
 * Writes down what became of jobs in the past hours, as daemons would have done, for pictures of charts: always the same
 * numbers, which rise and fall.
 */
export async function writePastThroughput({ sql, schema }: Queue, definition: string): Promise<void> {
    for (let minutesAgo = 0; minutesAgo <= 6 * 60; minutesAgo++) {
        const minute = minuteOf(minutesAgo)
        await sql.query(
            `insert into ${schema}.throughput (span, began_at, definition_id, num_succeeded, num_retried, num_failed,
                wait_counts, wait_ms, run_counts, run_ms)
            select 'minute', date_trunc('minute', statement_timestamp(), 'UTC') - $1 * interval '1 minute', id, $2, $3,
                array[$4]::bigint[], $5::bigint[], 0, $6::bigint[], 0
            from ${schema}.job_definition where name = $7
            on conflict do nothing`,
            [
                minute.minutesAgo,
                minute.succeeded,
                minute.retried,
                minute.failed,
                minute.wait,
                minute.run,
                definition,
            ],
        )
    }
}

function minuteOf(minutesAgo: number): Minute {
    const wave = Math.sin(minutesAgo / 9) + 0.4 * Math.sin(minutesAgo / 2.3) + 2
    const isBad = minutesAgo % 47 < 4
    const succeeded = Math.round(900 * wave)
    return {
        minutesAgo,
        succeeded,
        failed: isBad ? 30 + ((minutesAgo * 7) % 25) : (minutesAgo * 5) % 4,
        retried: isBad ? 70 + ((minutesAgo * 11) % 60) : (minutesAgo * 3) % 9,
        wait: spread(succeeded, 8 + Math.round(wave * 2)),
        run: spread(succeeded, 11 + (isBad ? 4 : 0)),
    }
}

/** Buckets around one, with a tail of longer ones. */
function spread(num: number, middle: number): number[] {
    const shares = [0.1, 0.22, 0.3, 0.2, 0.1, 0.04, 0.02, 0.012, 0.008]
    return [...Array(middle).fill(0), ...shares.map((share) => Math.round(share * num))]
}
