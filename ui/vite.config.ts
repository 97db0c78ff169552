import { defineConfig } from "vite"

/** The pages are wherever they are mounted, so all that they load is named relative to the document. */
export default defineConfig({
    root: import.meta.dirname,
    base: "./",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
        target: "es2022",
        outDir: "../.tmp/ui",
        emptyOutDir: true,
        // `default-src 'self'` allows no data: URL, and what is preloaded needs no help in a browser of today.
        assetsInlineLimit: 0,
        modulePreload: false,
        reportCompressedSize: false,
    },
})
