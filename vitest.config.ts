import { defineConfig } from "vitest/config"

/** Behaviour on a real database: started once, a schema for each test, files in parallel. */
const withDatabase = {
    globalSetup: ["test/support/global-database.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
}

/** The examples and what the docs tell people to write, compiled and run one by one. */
const PROSE = ["test/docs/snippets.test.ts", "test/docs/examples.test.ts"]

/** The same, of what installs packages, compiles, or starts programs. */
const withPrograms = { ...withDatabase, testTimeout: 180_000, hookTimeout: 180_000 }

export default defineConfig({
    test: {
        setupFiles: ["test/support/fail-on-unhandled.ts"],
        maxWorkers: 4,
        projects: [
            { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], isolate: false } },
            {
                extends: true,
                // Files share the modules that they load: to load them anew for each took a third of the time.
                test: {
                    name: "db",
                    include: ["test/db/**/*.test.ts", "test/cli/**/*.test.ts"],
                    isolate: false,
                    ...withDatabase,
                },
            },
            // The same with large tables, and with servers of their own that fail: for the legs, not for every change.
            { extends: true, test: { name: "slow", include: ["test/slow/**/*.test.ts"], ...withDatabase } },
            {
                extends: true,
                test: {
                    name: "fuzz",
                    include: ["test/fuzz/**/*.test.ts"],
                    ...withDatabase,
                    globalSetup: [...withDatabase.globalSetup, "test/support/global-fuzz.ts"],
                    // A run that hangs is found by `fuzz`; how long all of them take is for who asks for so many.
                    testTimeout: 0,
                },
            },
            {
                extends: true,
                test: {
                    name: "package",
                    include: ["test/package/**/*.test.ts", "test/docs/**/*.test.ts"],
                    exclude: PROSE,
                    ...withPrograms,
                },
            },
            // The dashboard in a real browser, which has to be installed: `.ci/run` does. One file at a time, for each
            // has a browser of its own.
            {
                extends: true,
                test: {
                    name: "browser",
                    include: ["test/browser/**/*.test.ts"],
                    fileParallelism: false,
                    ...withDatabase,
                    testTimeout: 120_000,
                },
            },
            // The frameworks have a package.json of their own: `npm --prefix test/adapters ci` first, and a build.
            {
                extends: true,
                test: {
                    name: "adapters",
                    include: ["test/adapters/*.test.ts"],
                    server: { deps: { external: [/\/dist\//] } },
                    ...withPrograms,
                    testTimeout: 30_000,
                },
            },
            // What is published, in empty projects, its types for each kind of project, the demo and the examples: little of
            // what changes can break them, and `npm run types` compiles the same fixtures once.
            {
                extends: true,
                test: {
                    name: "release",
                    include: ["test/release/**/*.test.ts", "test/types/**/*.test.ts", ...PROSE],
                    ...withPrograms,
                },
            },
        ],
    },
})
