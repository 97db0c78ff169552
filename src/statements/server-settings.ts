import type { Query } from "./query.ts"

/** As the server itself writes them. Every role may read these. */
const text = /* sql */ `-- cuckmq: server-settings
select current_setting('server_version'), pg_catalog.jsonb_build_object(
    'synchronous_commit', current_setting('synchronous_commit'),
    'fsync', current_setting('fsync'),
    'full_page_writes', current_setting('full_page_writes'),
    'wal_level', current_setting('wal_level'),
    'shared_buffers', current_setting('shared_buffers'),
    'max_wal_size', current_setting('max_wal_size'),
    'max_connections', current_setting('max_connections')
)::text`

/** Reads which release a server is of, and the settings that this session has. */
export async function readServerSettings({
    run,
}: Pick<Query, "run">): Promise<{ version: string; settings: Record<string, string> }> {
    const [row] = await run(text, [])
    const settings = JSON.parse(row?.[1] ?? "{}") as Record<string, string>
    return { version: row?.[0] ?? "", settings }
}
