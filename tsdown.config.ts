import { defineConfig, type UserConfig } from "tsdown"

const common = {
    platform: "node",
    target: "node20",
    fixedExtension: false,
    // Doc comments are in the declarations, where editors look. Twice in the code they were a quarter of the tarball.
    outputOptions: { comments: { jsdoc: false, annotation: true, legal: true } },
} satisfies UserConfig

export default defineConfig([
    { ...common, entry: ["src/index.ts", "src/embedded.ts"], format: ["esm", "cjs"], dts: true },
    {
        ...common,
        entry: { cli: "src/cli/start.ts" },
        format: "esm",
        dts: false,
        clean: false,
        // The command line uses the package as everybody does, by its door, and does not bring it a second time.
        plugins: [
            {
                name: "library-by-its-door",
                resolveId: (source) =>
                    /^(\.\.\/)+index\.ts$/.test(source) ? { id: "./index.js", external: true } : null,
            },
        ],
    },
])
