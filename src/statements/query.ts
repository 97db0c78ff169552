import type { Run } from "../db/driver.ts"
import type { QuotedSchema } from "../db/identifier.ts"

/** What every statement needs: something that runs SQL, and the schema to run it in. */
export interface Query {
    run: Run
    schema: QuotedSchema
}

/** A claimed job as the writes that end its claim name it: the token fences them. */
export interface ClaimKey {
    id: number
    token: number
}
