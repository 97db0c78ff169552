/** What the process ends with. */
export const EXIT = Object.freeze({
    ok: 0,
    /** Something is the matter, was not found, or was not confirmed. */
    problem: 1,
    /** The command line is wrong. */
    usage: 2,
    /** The database cannot be reached or refuses, or the schema is not prepared. */
    database: 3,
    interrupted: 130,
})

/** The command line is wrong. */
export class UsageError extends Error {}

/** There is no way to the database. */
export class NoDatabaseError extends Error {}
