import type { ComponentType } from "preact"
import type { PageParams } from "./page-params.ts"
import { DeadLettersPage } from "./pages/dead-letters.tsx"
import { DefinitionPage } from "./pages/definition.tsx"
import { DefinitionsPage } from "./pages/definitions.tsx"
import { DoctorPage } from "./pages/doctor.tsx"
import { JobPage } from "./pages/job.tsx"
import { JobsPage } from "./pages/jobs.tsx"
import { LimitsPage } from "./pages/limits.tsx"
import { OperationPage } from "./pages/operation.tsx"
import { OperationsPage } from "./pages/operations.tsx"
import { OverviewPage } from "./pages/overview.tsx"
import { SchedulesPage } from "./pages/schedules.tsx"
import { WorkersPage } from "./pages/workers.tsx"
import { Title } from "./parts/title.tsx"
import type { Route } from "./route.ts"

/** A page, as the route says. */
export interface Page {
    title: string
    /** What tells it from others; the query does not. */
    key: string
    Component: ComponentType<PageParams>
    params: PageParams
}

const PAGES: Record<
    string,
    [title: string, page: ComponentType<PageParams>, about?: ComponentType<PageParams>]
> = {
    "": ["Overview", OverviewPage],
    jobs: ["Jobs", JobsPage, JobPage],
    "dead-letters": ["Dead letters", DeadLettersPage],
    definitions: ["Definitions", DefinitionsPage, DefinitionPage],
    schedules: ["Schedules", SchedulesPage],
    limits: ["Limits", LimitsPage],
    workers: ["Workers", WorkersPage],
    operations: ["Operations", OperationsPage, OperationPage],
    doctor: ["Doctor", DoctorPage],
}

const ONE_OF: Record<string, string> = { jobs: "Job", definitions: "Definition", operations: "Operation" }

/** Finds the page of a route. */
export function pageOf({ path, query }: Route): Page {
    const [room = "", name = ""] = path
    const params = { name, query }
    const key = path.slice(0, 2).join("/")
    const [title, page, about] = (Object.hasOwn(PAGES, room) ? PAGES[room] : undefined) ?? []
    const Component = name === "" ? page : about
    if (title === undefined || Component === undefined || path.length > 2)
        return { title: "Not found", key: "not found", Component: NotFound, params }
    return { title: name === "" ? title : `${ONE_OF[room]} ${name.slice(0, 60)}`, key, Component, params }
}

function NotFound() {
    return (
        <>
            <Title>Not found</Title>
            <p>
                There is no page at this address. <a href="#/">To the overview</a>
            </p>
        </>
    )
}
