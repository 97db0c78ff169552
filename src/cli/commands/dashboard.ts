import { serveDashboard } from "../../dashboard.ts"
import { given } from "../arguments.ts"
import type { Command } from "../command.ts"
import { withoutPassword } from "../database.ts"
import { EXIT, UsageError } from "../exit.ts"

/** Serves the dashboard until it is interrupted. */
export const dashboard: Command = {
    name: "dashboard",
    summary: "serve the dashboard, for a browser, until interrupted",
    isLive: true,
    options: [
        { name: "port", value: "N", help: "the port to listen on, 0 for any; default: 4321" },
        { name: "host", value: "ADDRESS", help: "the address to listen on; default: 127.0.0.1" },
        { name: "token", value: "TEXT", help: "what to ask of visitors; default: CUCKMQ_DASHBOARD_TOKEN" },
        { name: "read-only", help: "let nobody change anything" },
    ],
    details: [
        "Without a token it listens on this machine only, and whoever can reach it there may do everything.",
        "The token, of 16 characters or more, is sent as `Authorization: Bearer TOKEN`, or opened once as",
        "`/?token=TOKEN`. Other users of the machine see command lines, so rather set CUCKMQ_DASHBOARD_TOKEN.",
    ],
    run: async ({ args, out, io, queue }) => {
        const { config, inspector } = await queue()
        // What is wrong with the database is rather told here than in a browser.
        await inspector.workers()
        const token = args.text("token") ?? (io.env.CUCKMQ_DASHBOARD_TOKEN || undefined)
        const port = args.number("port")
        const url = args.text("database-url") ?? io.env.DATABASE_URL
        const server = await serveDashboard({
            config,
            ...given({ port, host: args.text("host"), token }),
            isReadOnly: args.has("read-only"),
            onError: (error) => out.note(withoutPassword(String(error), url)),
        }).catch((error: unknown) => {
            throw withReason(error)
        })
        try {
            out.showNext({ url: server.url }, (look) => [look.line(`dashboard at ${server.url}`)])
            await new Promise<void>((resolve) => {
                if (io.signal.aborted) resolve()
                else io.signal.addEventListener("abort", () => resolve(), { once: true })
            })
        } finally {
            await server.close()
        }
        return EXIT.interrupted
    },
}

/** That an address is taken, or is none of this machine, is for who has chosen it. */
function withReason(error: unknown): unknown {
    const { code, message } = error as { code?: unknown; message?: unknown }
    const isAddress = ["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "ENOTFOUND"].includes(String(code))
    return isAddress ? new UsageError(`cannot listen there: ${message}; see --port and --host`) : error
}
