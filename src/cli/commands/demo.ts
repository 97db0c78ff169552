import { type DashboardServer, serveDashboard } from "../../dashboard.ts"
import type { Command, Context } from "../command.ts"
import { withoutPassword } from "../database.ts"
import { NUM_CONNECTIONS, runDemo } from "../demo/run-demo.ts"
import { Screen } from "../demo/screen.ts"
import { duration } from "../demo/view.ts"
import { EXIT, UsageError } from "../exit.ts"
import { paint } from "../look.ts"
import { inOwnQueue, type OwnQueue, refuseSchema } from "../own-queue.ts"

const GONE =
    "This database was in memory and is gone now. On your own: cuckmq demo --database-url postgres://…"

/** Shows the queue at work. */
export const demo: Command = {
    name: "demo",
    summary: "show the queue at work, on jobs of its own",
    isLive: true,
    options: [
        { name: "dashboard", help: "serve the dashboard as well, and go on until interrupted" },
        { name: "keep", help: "leave the schema with its jobs there, to look at them with other commands" },
    ],
    details: [
        "Jobs that succeed, fail, are tried again, are delayed, repeat, are held to a rate, and depend on",
        "others. They read the files of this package. It takes a few seconds.",
        "",
        "Without a database it starts one inside the process, if @electric-sql/pglite is installed. On a",
        "server it makes a schema of its own, cuckmq_demo_ and 24 digits, which is dropped at the end, also",
        "when interrupted.",
    ],
    run: async (context) => {
        const { args, io } = context
        refuseSchema(context)
        const isKept = args.has("keep")
        const hasDatabase = !!(args.text("database-url") ?? io.env.DATABASE_URL)
        if (isKept && !hasDatabase) throw new UsageError("--keep needs a database that stays: --database-url")
        const screen = new Screen(context)
        const title = " a job queue on PostgreSQL, at work on its own files"
        screen.print((look) => ["", look.line(paint("bold", "cuckmq"), paint("dim", title)), ""])
        if (!hasDatabase)
            screen.print((look) => [look.line(paint("dim", "Starting PGlite, which takes a few seconds…"))])
        const startMs = performance.now()
        const ways = { purpose: "demo", numConnections: NUM_CONNECTIONS, kind: "either", isKept } as const
        const shown = await inOwnQueue(context, ways, async (queue) => {
            const place = queue.database.isEmbedded
                ? "PGlite, a Postgres inside this process"
                : `PostgreSQL ${(await queue.inspector.server()).version} at ${queue.database.place}`
            const ready = ` ready in ${duration(performance.now() - startMs)}`
            const { schema } = queue.config
            screen.print((look) => [
                look.line(`Database  ${place}`, paint("dim", ready)),
                ...(queue.database.isEmbedded
                    ? []
                    : [look.line(`Schema    ${schema}`, paint("dim", isKept ? "" : " dropped at the end"))]),
            ])
            return { code: await runIn({ context, queue, screen }), schema }
        })
        if (shown === undefined) return EXIT.interrupted
        const { code, schema } = shown
        if (!hasDatabase) screen.print((look) => [look.line(paint("dim", GONE))])
        if (isKept)
            screen.print((look) => [look.line(`The jobs are still there: cuckmq jobs --schema ${schema}`)])
        return code
    },
}

async function runIn(params: { context: Context; queue: OwnQueue; screen: Screen }): Promise<number> {
    const { context, queue, screen } = params
    if (context.io.signal.aborted) return EXIT.interrupted
    const isServing = context.args.has("dashboard")
    const server = isServing ? await served(context, queue) : undefined
    if (server !== undefined)
        screen.tell({ url: server.url }, (look) => [
            look.line(`Dashboard ${server.url}`, paint("dim", " until Ctrl-C")),
        ])
    try {
        return await runDemo({ ...params, isServing })
    } finally {
        await server?.close()
    }
}

/** At its usual place, or where there is room. */
async function served({ args, io, out }: Context, { config }: OwnQueue): Promise<DashboardServer> {
    const url = args.text("database-url") ?? io.env.DATABASE_URL
    const options = {
        config,
        title: "cuckmq demo",
        onError: (error: unknown) => out.note(withoutPassword(String(error), url)),
    }
    return serveDashboard(options).catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== "EADDRINUSE") throw error
        return serveDashboard({ ...options, port: 0 })
    })
}
