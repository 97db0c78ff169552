/** The release that this is; a test compares it with package.json, which a bundle does not have beside it. */
export const VERSION = "1.0.0"
