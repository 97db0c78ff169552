import { defineConfig } from "tsdown"

export default defineConfig({
    entry: ["src/index.ts", "src/embedded.ts"],
    format: ["esm", "cjs"],
    platform: "node",
    target: "node20",
    dts: true,
    fixedExtension: false,
    // Doc comments are in the declarations, where editors look. Twice in the code they were a quarter of the tarball.
    outputOptions: { comments: { jsdoc: false, annotation: true, legal: true } },
})
