import { Config, JobDefinition } from "cuckmq"
import pg from "pg"
import { type Handler, type MakePeer, type Payload, type Peer, type PeerOptions, payloadOf } from "./peer.ts"

/** How many jobs travel in one statement: what cuckmq takes at most. */
const CLAIM_SIZE = 1_000

interface ClaimedRow {
    id: string
    token: number
    position: string
    payload: Payload
}

/**
 * The limit: the inserts, claims and settlements that cuckmq's tables ask for, in the same batches, written by hand
 * without a queue around them. One connection claims while another settles.
 */
export const makeBare: MakePeer = (options) => new Bare(options)

class Bare implements Peer {
    readonly #options: PeerOptions
    readonly #pool: pg.Pool
    #definitionID = 0
    #working: Promise<void> | undefined
    #isResting = false

    constructor(options: PeerOptions) {
        this.#options = options
        this.#pool = new pg.Pool({ connectionString: options.servers.connectionString, max: 3 })
    }

    async setup(): Promise<void> {
        const config = new Config({ pool: this.#pool, schema: this.#options.schema })
        await config.prepareSchema()
        // Writes the definition's row.
        const definition = new JobDefinition({ config, name: "bench", jobFunction: () => undefined })
        await definition.defer({ payload: payloadOf(10) })
        await this.#pool.query(`delete from ${this.#options.schema}.job`)
    }

    async connect(): Promise<void> {
        const { rows } = await this.#pool.query(`select id from ${this.#options.schema}.job_definition`)
        this.#definitionID = Number(rows[0].id)
    }

    async enqueueMany(payloads: readonly Payload[]): Promise<void> {
        const { schema } = this.#options
        await this.#pool.query({
            text: `insert into ${schema}.job
                (id, position, definition_id, num_attempts, state, created_at, due_at, expires_at, payload)
            select id, id, $1, 0, 'ready', now(), now(), now() + interval '12 hours', payload::json
            from (
                select nextval('${schema}.job_sequence') as id, payload
                from unnest(string_to_array($2, chr(30))) as payload
            ) as input
            returning id`,
            values: [this.#definitionID, payloads.map((payload) => JSON.stringify(payload)).join("\x1e")],
            rowMode: "array",
        })
    }

    async enqueueOne(payload: Payload): Promise<void> {
        const { schema } = this.#options
        await this.#pool.query(
            `insert into ${schema}.job
                (id, position, definition_id, num_attempts, state, created_at, due_at, expires_at, payload)
            select id, id, $1, 0, 'ready', now(), now(), now() + interval '12 hours', $2::json
            from (select nextval('${schema}.job_sequence') as id) as input
            returning id`,
            [this.#definitionID, JSON.stringify(payload)],
        )
    }

    /** Callers that wait for one another's statement travel in the next one together. */
    async enqueueTogether(numCallers: number, payload: Payload, ms: number): Promise<number> {
        const endMs = performance.now() + ms
        const together = Array.from({ length: numCallers }, () => payload)
        let numJobs = 0
        for (; performance.now() < endMs; numJobs += numCallers) {
            await (numCallers === 1 ? this.enqueueOne(payload) : this.enqueueMany(together))
        }
        return numJobs
    }

    async work(handler: Handler): Promise<void> {
        this.#working = this.#drain(handler)
    }

    async #drain(handler: Handler): Promise<void> {
        let after = "0"
        let rows: ClaimedRow[] = []
        while (!this.#isResting) {
            const settled = rows.length === 0 ? undefined : this.#settle(rows)
            const [next] = await Promise.all([this.#claim(after), settled])
            rows = next
            for (const { payload } of rows) await handler(payload)
            after = rows.reduce(
                (max, { position }) => (Number(position) > Number(max) ? position : max),
                after,
            )
            if (rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        }
    }

    async #claim(after: string): Promise<ClaimedRow[]> {
        const { schema } = this.#options
        const { rows } = await this.#pool.query(
            `with picked as materialized (
                select id from ${schema}.job
                where definition_id = $1 and priority = 0 and state = 'ready' and position > $2
                order by position
                limit $3
                for update skip locked
            )
            update ${schema}.job
            set state = 'running', token = token + 1, attempt = attempt + 1, lease_id = 1, claimed_at = now()
            from picked
            where job.id = picked.id
            returning job.id, job.token, job.position, job.payload`,
            [this.#definitionID, after, CLAIM_SIZE],
        )
        return rows
    }

    async #settle(rows: readonly ClaimedRow[]): Promise<void> {
        const { schema } = this.#options
        await this.#pool.query({
            text: `with done as (
                delete from ${schema}.job
                using unnest($1::bigint[], $2::integer[]) as settled(id, token)
                where job.id = settled.id and job.token = settled.token
                returning job.*
            )
            insert into ${schema}.job_history
                (id, definition_id, created_at, due_at, claimed_at, finalized_at, slot, token, attempt, priority,
                outcome, worker, payload)
            select
                id, definition_id, created_at, due_at, claimed_at, now(), 0, token, attempt, priority,
                'succeeded', 'anon', payload
            from done
            returning id`,
            values: [`{${rows.map(({ id }) => id)}}`, `{${rows.map(({ token }) => token)}}`],
            rowMode: "array",
        })
    }

    async numUnfinished(): Promise<number> {
        const { rows } = await this.#pool.query(`select count(*) as n from ${this.#options.schema}.job`)
        return Number(rows[0].n)
    }

    async rest(): Promise<void> {
        this.#isResting = true
        await this.#working
        this.#isResting = false
    }
}
