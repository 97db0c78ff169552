import type { Command } from "../command.ts"
import { bench } from "./bench.ts"
import { cancel } from "./cancel.ts"
import { completion } from "./completion.ts"
import { dashboard } from "./dashboard.ts"
import { defer } from "./defer.ts"
import { deleteJobs } from "./delete.ts"
import { demo } from "./demo.ts"
import { doctor } from "./doctor.ts"
import { explain } from "./explain.ts"
import { health } from "./health.ts"
import { help } from "./help.ts"
import { job } from "./job.ts"
import { jobs } from "./jobs.ts"
import { logs } from "./logs.ts"
import { migrate } from "./migrate.ts"
import { operations } from "./operations.ts"
import { pause } from "./pause.ts"
import { resume } from "./resume.ts"
import { retry } from "./retry.ts"
import { runNow } from "./run-now.ts"
import { schedules } from "./schedules.ts"
import { setDueTime } from "./set-due-time.ts"
import { setPriority } from "./set-priority.ts"
import { status } from "./status.ts"
import { tail } from "./tail.ts"
import { top } from "./top.ts"
import { version } from "./version.ts"
import { workers } from "./workers.ts"

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
    migrate,
    doctor,
    health,
    status,
    jobs,
    job,
    logs,
    explain,
    workers,
    schedules,
    defer,
    retry,
    cancel,
    runNow,
    setDueTime,
    setPriority,
    deleteJobs,
    operations,
    pause,
    resume,
    tail,
    top,
    dashboard,
    bench,
    demo,
    completion,
    help,
    version,
]
