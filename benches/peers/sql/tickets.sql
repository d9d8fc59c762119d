-- The dense policy from file to file: one row a ticket and clock. Run by sql.py, which sets threads and puts
-- the files' names for $tickets, $contracts, $result.
--
-- Left out: reasons in words, the record of what was decided when, events that come late, escalation.

COPY (
    WITH limits(kind, clock, lim, price) AS (
        VALUES ('failure', 0, 600000000, 50000), ('failure', 1, 7200000000, 100000),
               ('emergency', 0, 1800000000, 20000), ('emergency', 1, 14400000000, 50000),
               ('usability', 0, 3600000000, 10000), ('usability', 1, 28800000000, 20000),
               ('performance', 0, 7200000000, 5000), ('performance', 1, 86400000000, 10000),
               ('question', 0, 14400000000, 0), ('question', 1, 259200000000, 2000),
               ('training', 0, 28800000000, 0), ('training', 1, 604800000000, 0),
               ('personalised', 0, 3600000000, 10000), ('personalised', 1, 86400000000, 20000),
               ('other', 0, 1800000000, 5000), ('other', 1, 28800000000, 10000)),
    clocks AS (
        SELECT t.contract, t.ticket, l.clock, l.price,
               epoch_us(reported_at) + lim AS due,
               epoch_us(CASE l.clock WHEN 0 THEN responded_at ELSE resolved_at END) AS met,
               reported_at <= warranty_end AS free
        FROM '$tickets' t JOIN limits l ON l.kind = t.kind JOIN '$contracts' c ON c.contract = t.contract),
    judged AS (
        SELECT *, coalesce(met, 1735689600000000) - due AS behind, behind > 0 AS breached,
               CASE WHEN behind > 0 THEN price ELSE 0 END AS penalty
        FROM clocks),
    -- 100,000.00 was paid in before everything and 1,000.00 must remain: 9,900,000 cents can be taken. As
    -- penalties are all taken from one sum, what is left for each is what the ones before left of it. Only
    -- penalties are sorted, and not the clocks that cost nothing.
    settled AS (
        SELECT *, sum(penalty) OVER (PARTITION BY contract ORDER BY due, ticket, clock ROWS UNBOUNDED PRECEDING)::BIGINT AS upto
        FROM judged WHERE penalty > 0
        UNION ALL
        SELECT *, NULL FROM judged WHERE penalty = 0)
    SELECT contract, ticket, CASE clock WHEN 0 THEN 'response' ELSE 'resolution' END AS clock,
           make_timestamptz(due) AS due, make_timestamptz(met) AS met, breached,
           CASE WHEN breached THEN behind ELSE 0 END AS late, penalty,
           CASE WHEN penalty > 0 THEN least(9900000, upto) - least(9900000, upto - penalty) ELSE 0 END AS deducted,
           CASE WHEN penalty > 0 THEN 10000000 - least(9900000, upto) END AS balance,
           CASE WHEN free THEN 'free' ELSE 'paid' END AS class
    FROM settled
) TO '$result' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1000);
