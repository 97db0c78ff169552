import "reflect-metadata"
import type { Server } from "node:http"
import { Module } from "@nestjs/common"
import { NestFactory } from "@nestjs/core"
import { MOUNT, originOf, type StartApp } from "./app.ts"

class AppModule {}
// What `@Module({})` does, without syntax that not every compiler knows.
Module({})(AppModule)

/** As a middleware of the application. */
export const startNest: StartApp = async (dashboard) => {
    const app = await NestFactory.create(AppModule, { logger: false })
    app.use(MOUNT, dashboard.node)
    await app.listen(0, "127.0.0.1")
    const server = app.getHttpServer() as Server
    return {
        origin: originOf(server),
        stop: async () => {
            server.closeAllConnections()
            await app.close()
        },
    }
}
