import { JobDefinition } from "cuckmq"
import { config, workUntil } from "./queue.ts"

type Call = { bank: string; payments: number[] }

const running = new Map<string, number>()
let most = 0
let numCalls = 0

/** How many at once, how much within any second, and what to do when the other side has had enough all the same. */
const callBank = new JobDefinition({
    config,
    name: "call-bank",
    concurrencyLimit: { max: 2, key: (call: Call) => call.bank },
    rateLimit: {
        max: 20,
        perMs: 1_000,
        key: (call: Call) => call.bank,
        weight: (call: Call) => call.payments.length,
    },
    jobFunction: async ({ bank }: Call, context) => {
        // HTTP 429: the job goes back, uncharged, and no other one of this bank is taken meanwhile.
        if (++numCalls === 1) return context.rateLimited(50)
        running.set(bank, (running.get(bank) ?? 0) + 1)
        most = Math.max(most, ...running.values())
        await new Promise((resolve) => setTimeout(resolve, 20))
        running.set(bank, (running.get(bank) ?? 0) - 1)
    },
})

/** Customers take turns: who has few jobs does not wait for who has many. */
const statements: string[] = []
const printStatement = new JobDefinition({
    config,
    name: "print-statement",
    group: { key: (payload) => payload.customer },
    jobFunction: async (payload: { customer: string }) => {
        statements.push(payload.customer)
    },
})

/** The bookings of an account come one after the other, retries included; those of others go on meanwhile. */
const bookings = new Map<string, string[]>()
const book = new JobDefinition({
    config,
    name: "book",
    group: { key: (payload: { account: string }) => payload.account, ordered: true },
    numAttempts: 1,
    retryDelayMs: 20,
    jobFunction: async ({ account, booking }: { account: string; booking: string }, { attempt }) => {
        bookings.set(account, [...(bookings.get(account) ?? []), booking])
        if (booking === "open" && attempt === 1) throw new Error("the ledger is locked")
    },
})

/** Smaller runs first. */
const mail: string[] = []
const send = new JobDefinition({
    config,
    name: "send",
    priority: 10,
    jobFunction: async (payload: { text: string }) => {
        mail.push(payload.text)
    },
})

export async function showLimits(): Promise<void> {
    for (const definition of [callBank, printStatement, book, send]) definition.register()

    const calls = ["north", "south"].flatMap((bank) =>
        [1, 2, 3, 4].map((n) => ({ bank, payments: [n, n + 1] })),
    )
    await callBank.deferMany(calls.map((payload) => ({ payload })))
    await workUntil(calls.length, { concurrency: 8 })
    console.log(`${calls.length} calls, at most ${most} of a bank at a time`)

    const customers = [...Array.from({ length: 100 }, () => "large"), "small", "small"]
    await printStatement.deferMany(customers.map((customer) => ({ payload: { customer } })))
    await workUntil(customers.length)
    console.log(
        `the small customer is done after ${statements.lastIndexOf("small") < 10 ? "few" : "many"} statements`,
    )

    const accounts = ["ada", "bob"]
    const toBook = accounts.flatMap((account) => ["open", "close"].map((booking) => ({ account, booking })))
    await book.deferMany(toBook.map((payload) => ({ payload })))
    await workUntil(toBook.length, { concurrency: 4 })
    for (const account of accounts) console.log(`${account}: ${bookings.get(account)?.join(", ")}`)

    const [, later] = await send.deferMany([{ payload: { text: "news" } }, { payload: { text: "offer" } }])
    await send.defer({ payload: { text: "login code" }, priority: -10 })
    await config.jobs.changePriority(later as number, 0)
    await workUntil(3)
    console.log(mail.join(", "))
}
