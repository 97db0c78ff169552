import Fastify from "fastify"
import type { StartApp } from "./app.ts"

/** In a plugin of a plugin, which has read bodies. */
export const startFastify: StartApp = async (dashboard) => {
    const app = Fastify()
    await app.register(
        async (admin) => {
            await admin.register(
                async (tools) => {
                    tools.all("/queues", serve)
                    tools.all("/queues/*", serve)
                },
                { prefix: "/tools" },
            )
        },
        { prefix: "/admin" },
    )
    async function serve(request: Fastify.FastifyRequest, reply: Fastify.FastifyReply) {
        reply.hijack()
        dashboard.node(Object.assign(request.raw, { body: request.body }), reply.raw)
    }
    const origin = await app.listen({ port: 0, host: "127.0.0.1" })
    return {
        origin,
        stop: async () => {
            app.server.closeAllConnections()
            await app.close()
        },
    }
}
