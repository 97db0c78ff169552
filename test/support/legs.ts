/** What the behaviour suite runs on: `CUCKMQ_TEST_DATABASE` names one, `npm run test:matrix` runs them all. */
export const LEGS = {
    "14": "PostgreSQL 14",
    "15": "PostgreSQL 15",
    "16": "PostgreSQL 16",
    "17": "PostgreSQL 17",
    "18": "PostgreSQL 18",
    pgbouncer: "PgBouncer in transaction mode with two server connections, before PostgreSQL 18",
    quoted: "schema names that need quotes, on PostgreSQL 18",
    serializable: "a role whose transactions are serializable by default, on PostgreSQL 18",
    roles: "a role with the grants of docs/security.md and no others, on PostgreSQL 18",
    pglite: "PGlite",
} as const

/** The name of a leg. */
export type Leg = keyof typeof LEGS

/** Whether there is a leg of that name. */
export function isLeg(name: string): name is Leg {
    return Object.hasOwn(LEGS, name)
}

/** The release of Postgres below a leg. */
export function versionOf(leg: Leg): number {
    return /^\d+$/.test(leg) ? Number(leg) : 18
}
