/** How many attempts' errors are kept with a job; the oldest go first. */
const MAX_ERRORS = 100

/** SQL that appends an error, as JSON text or null, to a job's errors, dated by the database's clock. */
export function withError(errors: string, error: string): string {
    const dated = `(${error}::jsonb || pg_catalog.jsonb_build_object('at', clock_timestamp()))`
    return /* sql */ `case
        when ${error} is null then ${errors}
        when jsonb_array_length(${errors}) >= ${MAX_ERRORS} then (${errors} - 0) || ${dated}
        else coalesce(${errors}, '[]'::jsonb) || ${dated}
    end`
}
