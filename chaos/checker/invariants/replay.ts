import { CLOCK_SLACK, OURS, sqlInvariant } from "../sql-invariant.ts"

/** A call whose answer was lost may still be under way at the server for so long, in microseconds. */
const STRAY = 60_000_000

/** How far apart two instants may seem that are as far apart as they should be: both are rounded. */
const ROUNDING = 1_000

/** A call was under way when something happened. */
const wasUnderWay = (call: string, at: string) => /* sql */ `
    ${at} between ${call}.asked_at - ${CLOCK_SLACK} and ${call}.answered_at + ${CLOCK_SLACK}`

/** Calls for a single job that were told of a replay; they are known by their process, since that stands in the evidence. */
const SINGLE = /* sql */ `
    exists (
        select from replay_told as single
        where single.job_id = replay.job_id and single.process = replay.process and single.num > 0
            and ${wasUnderWay("single", "replay.at")}
    )`

/** Calls for many that had an answer, while no other one of their process was without. */
const MANY = /* sql */ `
    select told.*
    from replay_told as told
    where told.job_id is null and told.num is not null
        and not exists (
            select from replay_told as lost
            where lost.process = told.process and lost.num is null
                and lost.asked_at between told.asked_at - ${STRAY} and told.answered_at
        )`

/** What such a call replayed, by what the database has of it. */
const OF_MANY = /* sql */ `
    select many.call, many.num, many.job_kind, replay.job_id, replay.xid
    from (${MANY}) as many
    left join replay on replay.process = many.process and ${wasUnderWay("many", "replay.at")} and not ${SINGLE}`

/** Callers against what the database has: each replay is told to one of them, unless the answer was lost. */
const TOLD_WRONG = /* sql */ `
    select 'told that it was replayed, and it was not' as what, array[told.job_id] as job_ids
    from replay_told as told
    where told.job_id is not null and told.num > 0
        and not exists (
            select from replay
            where replay.job_id = told.job_id and replay.process = told.process and replay.is_live
                and ${wasUnderWay("told", "replay.at")}
        )
    union all
    select format('%s calls of %s were told that it was replayed, which it was %s times', told.num, told.process, done.num),
        array[told.job_id]
    from (
        select job_id, process, count(*) as num from replay_told
        where job_id is not null and num > 0
        group by job_id, process
    ) as told
    cross join lateral (
        select count(*) as num from replay where replay.job_id = told.job_id and replay.process = told.process
    ) as done
    where told.num > done.num and done.num > 0
    union all
    select format('replayed by %s, which was told that it was not', replay.process), array[replay.job_id]
    from replay
    where replay.is_live and not ${SINGLE}
        and not exists (
            select from replay_told as lost
            where lost.job_id = replay.job_id and lost.process = replay.process and lost.num is null
                and lost.asked_at <= replay.at + ${CLOCK_SLACK}
        )
        and not exists (
            select from replay_told as many
            where many.job_id is null and many.process = replay.process
                and many.asked_at <= replay.at + ${CLOCK_SLACK}
                and (many.num is null or (many.num > 0 and ${wasUnderWay("many", "replay.at")}))
        )
    union all
    select format('a call was told that it replayed %s, and replayed %s', num, count(job_id)), array_agg(job_id)
    from (${OF_MANY}) as of_many
    group by call, num
    having count(job_id) <> num`

/** What comes of a dead letter: one life more, which begins as the first one did, with all that is known of the others. */
const LIVES_WRONG = /* sql */ `
    select 'lives again, though its dead letter is there still' as what, array[job_id] as job_ids
    from job_life
    where num_insertions > 1
    union all
    select 'its dead letter is gone, and no job came of it', array[job_id]
    from replay
    where not is_live
        and not exists (
            select from process where process.process = replay.process and process.role = 'orchestrator'
        )
    union all
    select 'its dead letter is gone, and no job came of it', array[job_id]
    from job_life
    where life_no > 1 and num_insertions = 0
    union all
    select 'replayed, though it had not failed', array[job_id]
    from job_life as before
    join job_life as life using (job_id)
    where life.life_no = before.life_no + 1 and before.outcome is distinct from 'failed'
    union all
    select 'replayed with another payload', array[job_id] from replay where not has_payload
    union all
    select 'replayed without what its attempts threw before', array[job_id] from replay where not has_errors
    union all
    select format('replayed with %s attempts behind it', attempt), array[job_id] from replay where attempt <> 0
    union all
    select 'replayed under the token that it ended with', array[job_id] from replay where token <= letter_token
    union all
    select format('the first attempt after a replay was counted as %s', attempt), array[job_id]
    from (
        select job_id, attempt, row_number() over (partition by job_id, life_no order by claim_no) as nth
        from claim
        where life_no > 1
    ) as attempted
    where nth = 1 and attempt <> 1
    union all
    select format('ended with %s errors of attempts, and was replayed with %s', life.num_errors, before.num_errors),
        array[job_id]
    from job_life as before
    join job_life as life using (job_id)
    where life.life_no = before.life_no + 1 and life.num_errors < before.num_errors`

/** Jobs of a definition that are replayed at a rate are due one after the other, whoever replays them. */
const DUE_TOO_CLOSE = /* sql */ `
    select format('due %s ms after the one before', round((due_at - previous) / 1000.0, 1)) as what,
        array[previous_id, job_id] as job_ids
    from (
        select
            step.job_id, step.due_at,
            lag(step.due_at) over in_order as previous, lag(step.job_id) over in_order as previous_id
        from (${OF_MANY}) as of_many
        join step on step.job_id = of_many.job_id and step.xid = of_many.xid and step.change = 'inserted'
        window in_order as (partition by step.job_kind order by step.due_at)
    ) as replayed
    cross join facts
    where due_at - previous < facts.replay_interval - ${ROUNDING}`

export const replay = sqlInvariant({
    id: "I35",
    title: "Replay: of all replays of a dead letter one takes effect, and its job begins again as it was",
    appliesTo: OURS,
    exercised: "select count(*) from replay where is_live",
    violations: [TOLD_WRONG, LIVES_WRONG, DUE_TOO_CLOSE].join("\n    union all\n"),
    figures: /* sql */ `
        select
            (select count(*) from replay_told where job_id is not null and num > 0) as told_that_it_was_replayed,
            (select count(*) from replay_told where job_id is not null and num = 0) as told_that_it_was_not,
            (select count(*) from replay_told where num is null) as answers_lost,
            (
                select count(*) from replay_told as won
                where won.num > 0 and exists (
                    select from replay_told as other
                    where other.job_id = won.job_id and other.process <> won.process
                        and other.asked_at < won.answered_at and other.answered_at > won.asked_at
                )
            ) as won_against_another_process,
            (select sum(num) from replay_told where job_id is null) as replayed_at_a_rate,
            (select max(num_lives) from job) as most_lives,
            (select count(*) from job_life where life_no > 1 and outcome = 'succeeded') as mended`,
})
