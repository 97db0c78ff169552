import type { Run } from "../db/driver.ts"

/** Does work inside the caller's transaction, and undoes all of it, and no more, when it throws. */
export async function withinSavepoint<T>(run: Run, work: () => Promise<T>): Promise<T> {
    await run("savepoint cuckmq", [])
    try {
        const result = await work()
        await run("release savepoint cuckmq", [])
        return result
    } catch (error) {
        // If the connection is lost, so is the transaction.
        await run("rollback to savepoint cuckmq", []).catch(() => undefined)
        throw error
    }
}
