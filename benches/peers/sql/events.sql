-- An event log judged by the policy of rules/it-incidents, from file to file: one row a ticket and clock.
-- Run by sql.py, which sets threads and puts the files' names for $events and $result.
--
-- The log's rows are grouped by ticket and in order of time within it. Open time is Monday to Friday, 09:00 to
-- 18:00 UTC; limits and penalties go by the priority first given; all clocks are read on 2025-01-01.
--
-- Left out, for a query would need a recursion or another table for each: cancellation, rejection, force
-- majeure; other terms from another date on; holidays and make-up days (a table of days, joined for each
-- event, and a search on the way back from open time to an instant); payments into the deposit between
-- penalties, and shortfalls collected later; escalation; reasons in words; events that come late; errors: a
-- log with gaps, or one whose report gives no priority, is judged without a word, or dropped.

-- Open time from Monday 1969-12-29 to an instant: full weeks, full days of this week, and of this day. It is
-- the prefix sum over days of a table, written out: a join with the table would end the streaming of windows.
CREATE OR REPLACE TEMP MACRO open_until(t) AS
    (((t // 86400000000 + 3) // 7) * 5 + least((t // 86400000000 + 3) % 7, 5)) * 32400000000
    + CASE WHEN (t // 86400000000 + 3) % 7 < 5 THEN least(greatest(t % 86400000000 - 32400000000, 0), 32400000000) ELSE 0 END;

COPY (
    WITH open_days AS (
        -- The n-th open day: from open time back to an instant. What is used up at closing is due at the next opening.
        SELECT row_number() OVER (ORDER BY day) - 1 AS nth, day * 86400000000 + 32400000000 - nth * 32400000000 AS shift
        FROM range(-3, 36525) r(day) WHERE (day + 3) % 7 < 5),
    limits(priority, response, resolution, late_response, late_resolution) AS (
        VALUES (1, 1800000000, 7200000000, 10000, 20000), (2, 3600000000, 14400000000, 5000, 10000),
               (3, 28800000000, 86400000000, 0, 1000), (4, 86400000000, 259200000000, 0, 500)),
    now AS (SELECT 1735689600000000 AS instant, open_until(1735689600000000) AS opened),
    log AS (
        SELECT place, contract, ticket, instant, kind,
               open_until(instant) AS used,
               -- A word about a stop, a pause, the priority: its place and what it says, in one number, so that
               -- the greatest so far is the last. The report says something of each: none outlasts its ticket.
               place * 2 + CASE kind WHEN 'resolved' THEN 1 WHEN 'closed' THEN 1 WHEN 'reopened' THEN 0 WHEN 'reported' THEN 0 END AS stop,
               place * 2 + CASE kind WHEN 'paused' THEN CASE WHEN reason = 'customer' THEN 1 END
                                     WHEN 'resumed' THEN CASE WHEN coalesce(reason, 'customer') = 'customer' THEN 0 END
                                     WHEN 'updated' THEN NULL WHEN 'responded' THEN NULL ELSE 0 END AS pause,
               CASE WHEN kind = 'reported' THEN place * 8 + CAST(substr(priority, 2) AS BIGINT) END AS urgency
        FROM (SELECT file_row_number AS place, contract, ticket, kind, reason, priority, epoch_us("at") AS instant
              FROM read_parquet('$events', file_row_number = true))),
    -- Windows over the whole log in its own order: they stream, and nothing is sorted. (`lead` would not.)
    states AS (
        SELECT *, max(stop) OVER upto & 1 AS stopped, max(pause) OVER upto & 1 AS paused, max(urgency) OVER upto & 7 AS first_priority,
               lag(used) OVER () AS used_before
        FROM log
        WINDOW upto AS (ROWS UNBOUNDED PRECEDING)),
    -- By event: the stretch that ends with it, if the clock ran in it.
    stretches AS (
        SELECT *, kind <> 'reported' AND lag(stopped + paused) OVER () = 0 AS ran_here, lag(stopped) OVER () AS stopped_before
        FROM states),
    summed AS (
        SELECT *, CASE WHEN ran_here THEN used - used_before ELSE 0 END AS ran,
               sum(CASE WHEN ran_here THEN used - used_before ELSE 0 END) OVER (ROWS UNBOUNDED PRECEDING)::BIGINT AS ran_upto
        FROM stretches),
    counted AS (
        SELECT *, ran_upto - ran - max(CASE WHEN kind = 'reported' THEN ran_upto END) OVER (ROWS UNBOUNDED PRECEDING) AS ran_before
        FROM summed),
    grouped AS (
        SELECT ticket, any_value(contract) AS contract, any_value(response) AS response, any_value(resolution) AS resolution,
               any_value(late_response) AS late_response, any_value(late_resolution) AS late_resolution,
               min(instant) FILTER (kind = 'responded') AS responded, min(used) FILTER (kind = 'responded') AS used_responded,
               min(used) FILTER (kind = 'reported') AS used_reported, max(used) AS used_last, sum(ran)::BIGINT AS ran,
               -- The stretch in which the limit is passed; else what would be due of the last one.
               max(used_before + resolution - ran_before) FILTER (ran_here AND ran_before <= resolution AND ran_before + ran > resolution) AS goal_passed,
               arg_max(used_before + resolution - ran_before, place) FILTER (ran_here) AS goal_last,
               max(place * 4 + stopped * 2 + paused) & 3 AS state,
               -- The stop that stands: of those that found the clock not stopped, the last.
               max(instant) FILTER (stopped = 1 AND stopped_before = 0) AS stop
        FROM counted JOIN limits ON limits.priority = first_priority
        GROUP BY ticket),
    -- With the stretch from the last event to now.
    tickets AS (
        SELECT * REPLACE (
            ran + CASE state WHEN 0 THEN opened - used_last ELSE 0 END AS ran,
            coalesce(goal_passed, CASE state WHEN 0 THEN used_last + resolution - ran ELSE goal_last END) AS goal_last),
            state >= 2 AS stopped, state & 1 = 1 AS paused
        FROM grouped, (SELECT opened FROM now)),
    clocks AS (
        SELECT contract, ticket, 0 AS clock, used_reported + response AS goal, responded AS met, true AS told,
               greatest(coalesce(used_responded, open_until(1735689600000000)) - used_reported - response, 0) AS late, late_response AS price
        FROM tickets
        UNION ALL
        SELECT contract, ticket, 1, goal_last, CASE WHEN stopped THEN stop END,
               -- Nothing is due of a clock that a pause holds.
               ran > resolution OR stopped OR NOT paused, greatest(ran - resolution, 0), late_resolution
        FROM tickets),
    judged AS (
        SELECT contract, ticket, clock, goal + shift AS due_at, met,
               -- Nor of one that was stopped in a pause, after what was due before it.
               CASE WHEN told AND (late > 0 OR met IS NULL OR met <= due_at) THEN due_at END AS due,
               late > 0 AS breached, late, CASE WHEN late > 0 THEN price ELSE 0 END AS penalty
        FROM clocks JOIN open_days ON nth = goal // 32400000000),
    settled AS (
        SELECT *, sum(penalty) OVER (PARTITION BY contract ORDER BY due, ticket, clock ROWS UNBOUNDED PRECEDING)::BIGINT AS upto
        FROM judged WHERE penalty > 0
        UNION ALL
        SELECT *, NULL FROM judged WHERE penalty = 0)
    SELECT contract, ticket, CASE clock WHEN 0 THEN 'response' ELSE 'resolution' END AS clock,
           make_timestamptz(due) AS due, make_timestamptz(met) AS met, breached, late, penalty,
           CASE WHEN penalty > 0 THEN least(9900000, upto) - least(9900000, upto - penalty) ELSE 0 END AS deducted,
           CASE WHEN penalty > 0 THEN 10000000 - least(9900000, upto) END AS balance,
           NULL::VARCHAR AS class
    FROM settled
) TO '$result' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1000);
