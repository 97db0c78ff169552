import type { PGliteDatabase } from "./client.ts"
import type { Driver, Row } from "./driver.ts"

/** PGlite parses cells by type; these are the types that our statements return. */
const RETURNED_TYPES = [16, 20, 21, 23, 25, 114, 701, 1184, 3802]
const AS_TEXT = Object.fromEntries(RETURNED_TYPES.map((type) => [type, (value: string) => value]))

/** Runs statements on a PGlite instance, which has one session and takes its callers in turn. */
export function embeddedDriver(database: PGliteDatabase): Driver {
    const runOn = async (
        target: Pick<PGliteDatabase, "query">,
        text: string,
        values: unknown[],
    ): Promise<Row[]> => {
        // PGlite answers on this thread without a turn of the event loop, so a busy worker would let nothing else run.
        await new Promise(setImmediate)
        const result = await target.query(text, values, { rowMode: "array", parsers: AS_TEXT })
        return result.rows as Row[]
    }
    return {
        query: ({ text, values }) => runOn(database, text, values),
        transaction: ({ work }) =>
            database.transaction((transaction) => work((text, values) => runOn(transaction, text, values))),
        listen: async ({ channel, onMessage }) => {
            const stops: (() => Promise<void>)[] = []
            const add = async (name: string) => void stops.push(await database.listen(name, onMessage))
            await add(channel)
            return {
                add,
                stop: async () => {
                    for (const stop of stops) await stop()
                },
            }
        },
    }
}
