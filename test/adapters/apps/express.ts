import express from "express"
import { listen, type StartApp } from "./app.ts"

/** In a router of a router, behind a parser of bodies. */
export const startExpress: StartApp = async (dashboard) => {
    const app = express()
    app.use(express.json())
    const admin = express.Router()
    const tools = express.Router()
    tools.use("/queues", dashboard.node)
    admin.use("/tools", tools)
    app.use("/admin", admin)
    return listen(app)
}
