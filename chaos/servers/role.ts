import type pg from "pg"

/** Role that the peer's processes log in with: it owns its schema, and is no superuser. */
export const PEER_ROLE = "chaos_peer"
/** Role of everyone else who uses the same server. */
export const FOREIGN_ROLE = "chaos_foreign"
export const ROLE_PASSWORD = "password"

/** The schema that the peer makes its tables in. */
export const SCHEMA = "chaos_queue"

/** Makes the roles. The peer's may make schemas. */
export async function makeRoles(admin: pg.Pool): Promise<void> {
    await admin.query(`
        create role ${PEER_ROLE} login password '${ROLE_PASSWORD}';
        create role ${FOREIGN_ROLE} login password '${ROLE_PASSWORD}';
        grant create on database postgres to ${PEER_ROLE};
    `)
}

/** Lets the peer's triggers and handlers write what they do. */
export async function grantRecords(admin: pg.Pool): Promise<void> {
    await admin.query(`
        grant usage on schema chaos to ${PEER_ROLE};
        grant select, insert on all tables in schema chaos to ${PEER_ROLE};
    `)
}

/** An address of the server, at any port of this host. */
export function addressOf(params: { role: string; port: number; settings?: string }): string {
    const url = new URL(`postgresql://${params.role}:${ROLE_PASSWORD}@127.0.0.1:${params.port}/postgres`)
    if (params.settings !== undefined) url.searchParams.set("options", params.settings)
    return url.href
}
