import Koa from "koa"
import bodyParser from "koa-bodyparser"
import { listen, MOUNT, type StartApp } from "./app.ts"

/** As a middleware, behind a parser of bodies. */
export const startKoa: StartApp = async (dashboard) => {
    const app = new Koa()
    app.silent = true
    app.use(bodyParser())
    app.use(async (ctx, next) => {
        if (ctx.path !== MOUNT && !ctx.path.startsWith(`${MOUNT}/`)) return next()
        ctx.respond = false
        dashboard.node(Object.assign(ctx.req, { body: ctx.request.body }), ctx.res)
    })
    return listen(app.callback())
}
