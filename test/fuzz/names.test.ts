import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Config, InvalidOptionError, Worker } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { fuzz } from "../support/fuzz.ts"
import { makeQueue } from "../support/with-schema.ts"
import { builtins, text } from "./specimens.ts"

/** Postgres cuts what is longer. */
const MAX_SCHEMA_BYTES = 63
const MAX_NAME_LENGTH = 255

function isWell(name: string): boolean {
    return !name.includes("\u0000") && name.isWellFormed()
}

/** A text as above, or one of about so many units of one kind. */
function aboutLength(length: number): fc.Arbitrary<string> {
    return fc.oneof(
        text,
        fc
            .tuple(text, fc.constantFrom("x", "é", "🦆", '"', "'", "\\"), fc.integer({ min: -2, max: 2 }))
            .map(([start, filler, more]) => `${start}${filler.repeat(length)}`.slice(0, length + more)),
        fc.constantFrom(
            "pg_x",
            "PG_x",
            "pg",
            "__proto__",
            "constructor",
            "toString",
            "select",
            "a.b",
            '"',
            "$user",
        ),
    )
}

describe("names of any kind", () => {
    it("of schemas work, whatever is in them, or are refused when the Config is made", async () => {
        const queue = await makeQueue({ isPrepared: false })
        await fuzz(
            [aboutLength(MAX_SCHEMA_BYTES)],
            async (name) => {
                const schemaName = `${name}`
                const isFine =
                    name !== "" &&
                    isWell(name) &&
                    !name.startsWith("pg_") &&
                    Buffer.byteLength(name) <= MAX_SCHEMA_BYTES
                if (!isFine)
                    return expect(() => new Config({ pool: queue.pool, schema: schemaName })).toThrow(
                        InvalidOptionError,
                    )
                const config = new Config({ pool: queue.pool, schema: schemaName })
                try {
                    await config.prepareSchema()
                    await config.prepareSchema()
                    const job = define(config, () => "ran")
                    const first = await job.defer({ payload: {}, delayMs: 1 })
                    const last = await job.defer({ payload: {}, dependencies: [first] })
                    await using _worker = new Worker({ config, processIntervalMs: 50 })
                    const quoted = `"${name.replaceAll('"', '""')}"`
                    const history = async () =>
                        (await queue.sql.query(`select * from ${quoted}.job_history order by id`)).rows
                    const row = await finalizedJob({ ...queue, history }, last)
                    expect(row).toMatchObject({ outcome: "succeeded", result: "ran" })
                } finally {
                    await queue.sql.query(`drop schema if exists "${name.replaceAll('"', '""')}" cascade`)
                }
            },
            { weight: 0.3 },
        )
    })

    it("of definitions, channels and workers are kept as they are, or refused", async () => {
        const queue = await makeQueue()
        const before = builtins()
        await fuzz(
            [aboutLength(MAX_NAME_LENGTH), aboutLength(MAX_NAME_LENGTH)],
            async (name, channel) => {
                const isFine = [name, channel].every(
                    (one) => one.trim() !== "" && one.length <= MAX_NAME_LENGTH && isWell(one),
                )
                const config = queue.otherConfig({ max: 2 })
                const make = () => define(config, () => undefined, { name, channel })
                if (!isFine) return expect(make).toThrow(InvalidOptionError)
                const job = make()
                await using _worker = new Worker({ config, name, channel, processIntervalMs: 50 })
                const row = await finalizedJob(queue, await job.defer({ payload: {} }))
                expect(row).toMatchObject({ outcome: "succeeded", worker: name })
                const { rows } = await queue.sql.query(
                    `select name, channel from ${queue.schema}.job_definition where id = $1`,
                    [row.definition_id],
                )
                expect(rows).toEqual([{ name, channel }])
                expect(builtins()).toEqual(before)
            },
            { weight: 1 },
        )
    })
})
