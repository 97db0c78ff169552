import { createServer, request as httpRequest, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { createDashboard, type Dashboard, type DashboardOptions } from "../../src/dashboard.ts"
import type { Queue } from "./with-schema.ts"

/** Where the dashboards of tests are mounted. */
export const MOUNT = "http://queue.example/admin/queues/"

/** What a request got. */
export interface Answer {
    status: number
    headers: Headers
    text: string
    body: unknown
}

/** A dashboard under test, and ways to ask it. */
export interface TestedDashboard {
    dashboard: Dashboard
    get(path: string, headers?: Record<string, string>): Promise<Answer>
    /** As a page of the dashboard sends it, unless headers say otherwise. */
    post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
    ask(path: string, init?: RequestInit): Promise<Answer>
}

/** Makes a dashboard that lets everybody in as `ada`, unless options say otherwise. It is closed with the test. */
export function makeDashboard(queue: Queue, options: Partial<DashboardOptions> = {}): TestedDashboard {
    const dashboard = createDashboard({
        config: queue.config,
        authorize: () => ({ user: "ada" }),
        ...options,
    })
    onTestFinished(() => dashboard.close())
    const ask = async (path: string, init: RequestInit = {}) =>
        toAnswer(await dashboard.fetch(new Request(new URL(path, MOUNT), init)))
    return {
        dashboard,
        ask,
        get: (path, headers = {}) => ask(path, { headers }),
        post: (path, body, headers = {}) =>
            ask(path, {
                method: "POST",
                body: JSON.stringify(body),
                headers: {
                    "content-type": "application/json",
                    "sec-fetch-site": "same-origin",
                    origin: "http://queue.example",
                    ...headers,
                },
            }),
    }
}

/** Reads an answer to its end. */
export async function toAnswer(response: Response): Promise<Answer> {
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.startsWith("application/json")
    return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
    }
}

/** Serves what a handler answers, until the test ends. Returns where. */
export async function serve(handler: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(
        () =>
            new Promise<void>((resolve) => {
                server.close(() => resolve())
                server.closeAllConnections()
            }),
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Asks over the wire exactly for a path, which `fetch` would put in order first. */
export function askRaw(
    origin: string,
    path: string,
    params: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string }> {
    const { hostname, port } = new URL(origin)
    const { method = "GET", headers = {}, body } = params
    return new Promise((resolve, reject) => {
        const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
            let text = ""
            response.on("data", (chunk: Buffer) => {
                text += chunk
            })
            response.on("end", () =>
                resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
            )
            response.on("error", reject)
        })
        request.on("error", reject)
        request.end(body)
    })
}

/** Events of a stream, one after the other. */
export async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: unknown }> {
    const decoder = new TextDecoder()
    let rest = ""
    for await (const chunk of response.body ?? []) {
        rest += decoder.decode(chunk, { stream: true })
        const frames = rest.split("\n\n")
        rest = frames.pop() ?? ""
        for (const frame of frames) {
            const [, event] = /^event: (.*)$/m.exec(frame) ?? []
            const [, data] = /^data: (.*)$/m.exec(frame) ?? []
            if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) }
        }
    }
}
