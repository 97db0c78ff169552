/** A file of the pages, as `scripts/build-ui.ts` writes it into `ui-files.ts`. */
export interface UiFile {
    /** Where it is, seen from the document: `index.html`, or `assets/NAME`. */
    path: string
    /** Its content type. */
    type: string
    /** The gzipped bytes, in base64. */
    gzip: string
}
