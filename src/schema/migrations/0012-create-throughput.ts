import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * What became of jobs, in numbers: for each definition a row a minute of the last day, a row an hour before that, and one
 * of all there ever was, whose `span` is `total`. Lists end where only zeros would follow: `num_failed` goes by reason, the
 * others by the buckets of a histogram.
 */
export const createThroughput = {
    version: 12,
    name: "create-throughput",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `create table ${schema}.throughput (
            span text not null,
            began_at timestamptz not null,
            definition_id bigint not null,
            num_succeeded bigint not null,
            num_retried bigint not null,
            num_failed bigint[] not null,
            wait_counts bigint[] not null,
            wait_ms double precision not null,
            run_counts bigint[] not null,
            run_ms double precision not null,
            constraint throughput_pkey primary key (span, began_at, definition_id)
        ) with (fillfactor = 70)`,
    ],
}
