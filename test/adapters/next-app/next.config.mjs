import { join } from "node:path"

export default {
    // The dashboard redirects to the address with a slash, which what its pages load is relative to.
    skipTrailingSlashRedirect: true,
    // The package under test is linked, and outside of this folder.
    turbopack: { root: join(import.meta.dirname, "../../..") },
}
