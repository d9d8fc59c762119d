"""Measures the dense policy on an engine of Python's: duckdb, polars or numpy.

usage: bench.py ENGINE FOLDER [threads=T] [runs=R]
       bench.py clauses-ENGINE FOLDER count=K [threads=T] [runs=R]

FOLDER holds tickets.parquet and contracts.parquet. Reading them is not measured. One line of JSON.
"""

import json
import os
import statistics
import sys
import time

engine, folder = sys.argv[1:3]
options = dict(arg.split("=") for arg in sys.argv[3:])
threads = int(options.get("threads", 1))
runs = int(options.get("runs", 3))
count = int(options.get("count", 0))
os.environ["POLARS_MAX_THREADS"] = str(threads)

KINDS = ["failure", "emergency", "usability", "performance", "question", "training", "personalised", "other"]
RESPONSE_LIMIT = [m * 60_000_000 for m in [10, 30, 60, 120, 240, 480, 60, 30]]
RESOLUTION_LIMIT = [h * 3_600_000_000 for h in [2, 4, 8, 24, 72, 168, 24, 8]]
RESPONSE_PENALTY = [50000, 20000, 10000, 5000, 0, 0, 10000, 5000]
RESOLUTION_PENALTY = [100000, 50000, 20000, 10000, 2000, 0, 20000, 10000]
AS_OF = 1_735_689_600_000_000
ROOM = 10_000_000 - 100_000  # the deposit less what must remain
MOD = 2**63


def clause(j):
    """Kind, limit and price of clause j; as src/clauses.rs."""
    return j % 8, (60 + 37 * j) * 60_000_000, 1_000 + 100 * (j % 50)


def duckdb_tables():
    import duckdb

    db = duckdb.connect()
    db.execute(f"SET threads = {threads}")
    db.execute("SET preserve_insertion_order = false")
    kinds = ",".join(f"'{k}'" for k in KINDS)
    db.execute(f"CREATE TYPE kinds AS ENUM ({kinds})")
    # Times as whole microseconds, kind and contract as what is fastest: an enum's number, a small whole number.
    db.execute(
        f"""CREATE TABLE tickets AS
            SELECT CAST(substr(ticket, 2) AS BIGINT) AS row, CAST(substr(contract, 2) AS INTEGER) AS contract,
                   kind::kinds AS kind, CAST(enum_code(kind::kinds) AS INTEGER) AS k,
                   epoch_us(reported_at) AS reported, epoch_us(responded_at) AS responded,
                   epoch_us(resolved_at) AS resolved
            FROM '{folder}/tickets.parquet'"""
    )
    db.execute(
        f"""CREATE TABLE contracts AS
            SELECT CAST(substr(contract, 2) AS INTEGER) AS contract, epoch_us(warranty_end) AS warranty_end
            FROM '{folder}/contracts.parquet'"""
    )
    db.execute("CREATE TABLE limits (k INTEGER, rl BIGINT, sl BIGINT, rp BIGINT, sp BIGINT)")
    rows = zip(range(8), RESPONSE_LIMIT, RESOLUTION_LIMIT, RESPONSE_PENALTY, RESOLUTION_PENALTY)
    db.executemany("INSERT INTO limits VALUES (?, ?, ?, ?, ?)", [list(r) for r in rows])
    return db


def duckdb_dense():
    import duckdb

    db = duckdb_tables()
    n = db.execute("SELECT count(*) FROM tickets").fetchone()[0]
    evaluate = f"""
        CREATE OR REPLACE TABLE evaluated AS
        WITH dues AS (
            SELECT row, contract, reported, reported + rl AS due_response, reported + sl AS due_resolution,
                   coalesce(responded, {AS_OF}) AS responded, coalesce(resolved, {AS_OF}) AS resolved, rp, sp
            FROM tickets JOIN limits USING (k)),
        breaches AS (SELECT *, due_response < responded AS breach_response, due_resolution < resolved AS breach_resolution FROM dues)
        SELECT row, contract, due_response, due_resolution, breach_response, breach_resolution,
               CASE WHEN breach_response THEN responded - due_response ELSE 0 END AS late_response,
               CASE WHEN breach_resolution THEN resolved - due_resolution ELSE 0 END AS late_resolution,
               reported <= warranty_end AS free,
               CASE WHEN breach_response THEN rp ELSE 0 END AS penalty_response,
               CASE WHEN breach_resolution THEN sp ELSE 0 END AS penalty_resolution,
               CASE WHEN breach_response THEN rp ELSE 0 END + CASE WHEN breach_resolution THEN sp ELSE 0 END AS penalty
        FROM breaches JOIN contracts USING (contract)"""
    settle = f"""
        CREATE OR REPLACE TABLE settled AS
        WITH items AS (
            SELECT contract, row, 0 AS clock, due_response AS due, penalty_response AS amount FROM evaluated WHERE penalty_response > 0
            UNION ALL
            SELECT contract, row, 1, due_resolution, penalty_resolution FROM evaluated WHERE penalty_resolution > 0),
        sums AS (
            SELECT row, amount, sum(amount) OVER (PARTITION BY contract ORDER BY due, row, clock ROWS UNBOUNDED PRECEDING)::BIGINT AS upto
            FROM items),
        taken AS (SELECT row, sum(least({ROOM}, upto) - least({ROOM}, upto - amount))::BIGINT AS deducted FROM sums GROUP BY row)
        SELECT e.row, due_response, due_resolution, breach_response, breach_resolution, late_response, late_resolution,
               free, penalty, coalesce(deducted, 0) AS deducted
        FROM evaluated e LEFT JOIN taken USING (row)"""

    def once():
        start = time.perf_counter()
        db.execute(evaluate)
        evaluated = time.perf_counter() - start
        db.execute(settle)
        return evaluated, time.perf_counter() - start

    def totals():
        a = db.execute(
            f"""SELECT sum(breach_response::INT), sum(breach_resolution::INT), sum(free::INT), sum(penalty), sum(deducted),
                       (sum(due_response::HUGEINT) + sum(due_resolution::HUGEINT)) % {MOD},
                       (sum(late_response::HUGEINT) + sum(late_resolution::HUGEINT)) % {MOD} FROM settled"""
        ).fetchone()
        return [int(v) for v in a]

    return n, once, totals, duckdb.__version__


def polars_dense():
    import polars as pl

    contracts = pl.read_parquet(f"{folder}/contracts.parquet")["warranty_end"].dt.epoch("us")
    kinds = pl.Enum(KINDS)
    t = (
        pl.read_parquet(f"{folder}/tickets.parquet")
        .select(
            pl.col("ticket").str.slice(1).cast(pl.Int64).alias("row"),
            pl.col("contract").cast(pl.String).str.slice(1).cast(pl.UInt32),
            pl.col("kind").cast(pl.String).cast(kinds).to_physical().cast(pl.UInt32).alias("k"),
            pl.col("reported_at").dt.epoch("us").alias("reported"),
            pl.col("responded_at").dt.epoch("us").alias("responded"),
            pl.col("resolved_at").dt.epoch("us").alias("resolved"),
        )
        .rechunk()
    )
    n = t.height
    held = {}

    def table(values):
        return pl.lit(pl.Series(values, dtype=pl.Int64)).gather(pl.col("k"))

    def evaluate():
        held["e"] = (
            t.lazy()
            .with_columns(
                (pl.col("reported") + table(RESPONSE_LIMIT)).alias("due_response"),
                (pl.col("reported") + table(RESOLUTION_LIMIT)).alias("due_resolution"),
                pl.col("responded").fill_null(AS_OF),
                pl.col("resolved").fill_null(AS_OF),
            )
            .with_columns(
                (pl.col("due_response") < pl.col("responded")).alias("breach_response"),
                (pl.col("due_resolution") < pl.col("resolved")).alias("breach_resolution"),
            )
            .with_columns(
                pl.when("breach_response").then(table(RESPONSE_PENALTY)).otherwise(0).alias("penalty_response"),
                pl.when("breach_resolution").then(table(RESOLUTION_PENALTY)).otherwise(0).alias("penalty_resolution"),
                pl.when("breach_response").then(pl.col("responded") - pl.col("due_response")).otherwise(0).alias("late_response"),
                pl.when("breach_resolution").then(pl.col("resolved") - pl.col("due_resolution")).otherwise(0).alias("late_resolution"),
                (pl.col("reported") <= pl.lit(contracts).gather(pl.col("contract"))).alias("free"),
            )
            .with_columns((pl.col("penalty_response") + pl.col("penalty_resolution")).alias("penalty"))
            .select("row", "contract", "due_response", "due_resolution", "breach_response", "breach_resolution",
                    "penalty_response", "penalty_resolution", "late_response", "late_resolution", "free", "penalty")
            .collect()
        )

    def settle():
        e = held["e"]

        def items(clock, number):
            return (
                e.lazy()
                .filter(pl.col(f"penalty_{clock}") > 0)
                .select("contract", "row", pl.lit(number).alias("clock"), pl.col(f"due_{clock}").alias("due"),
                        pl.col(f"penalty_{clock}").alias("amount"))
            )

        taken = (
            pl.concat([items("response", 0), items("resolution", 1)])
            .sort("contract", "due", "row", "clock")
            .with_columns(pl.col("amount").cum_sum().over("contract").alias("upto"))
            .select("row", (pl.min_horizontal(pl.lit(ROOM), "upto") - pl.min_horizontal(pl.lit(ROOM), pl.col("upto") - pl.col("amount"))).alias("deducted"))
            .group_by("row")
            .agg(pl.col("deducted").sum())
        )
        held["s"] = e.lazy().join(taken, on="row", how="left").with_columns(pl.col("deducted").fill_null(0)).collect()

    def once():
        start = time.perf_counter()
        evaluate()
        evaluated = time.perf_counter() - start
        settle()
        return evaluated, time.perf_counter() - start

    def totals():
        s = held["s"]
        total = lambda c: int(s[c].sum())
        return [total("breach_response"), total("breach_resolution"), total("free"), total("penalty"), total("deducted"),
                (total("due_response") + total("due_resolution")) % MOD, (total("late_response") + total("late_resolution")) % MOD]

    return n, once, totals, pl.__version__


def numpy_columns():
    import numpy as np
    import pyarrow.parquet as pq

    t = pq.read_table(f"{folder}/tickets.parquet").combine_chunks()
    column = lambda name: t[name].combine_chunks()

    def times(name):
        c = column(name)
        import pyarrow as pa
        return c.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), ~c.is_null().to_numpy(zero_copy_only=False)

    def codes(name, of):
        c = column(name)
        names = np.array([of(v) for v in c.dictionary.to_pylist()], dtype=np.int32)
        return names[c.indices.to_numpy(zero_copy_only=False)]

    contracts = pq.read_table(f"{folder}/contracts.parquet")["warranty_end"].combine_chunks()
    import pyarrow as pa
    return {
        "k": codes("kind", KINDS.index).astype(np.uint8),
        "contract": codes("contract", lambda name: int(name[1:])),
        "reported": times("reported_at")[0],
        "responded": times("responded_at"),
        "resolved": times("resolved_at"),
        "warranty_end": contracts.cast(pa.int64()).to_numpy(),
    }


def numpy_dense():
    import numpy as np

    t = numpy_columns()
    n = len(t["k"])
    tables = [np.array(v, dtype=np.int64) for v in (RESPONSE_LIMIT, RESOLUTION_LIMIT, RESPONSE_PENALTY, RESOLUTION_PENALTY)]
    row = np.arange(n, dtype=np.int64)
    held = {}

    def clock(limit, price, stop):
        at, there = stop
        due = t["reported"] + limit[t["k"]]
        end = np.where(there, at, AS_OF)
        breach = due < end
        return due, breach, np.where(breach, end - due, 0), np.where(breach, price[t["k"]], 0)

    def evaluate():
        held["r"] = clock(tables[0], tables[2], t["responded"])
        held["s"] = clock(tables[1], tables[3], t["resolved"])
        held["free"] = t["reported"] <= t["warranty_end"][t["contract"]]
        held["penalty"] = held["r"][3] + held["s"][3]

    def settle():
        lists = []
        for number, (due, _, _, penalty) in enumerate((held["r"], held["s"])):
            rows = np.flatnonzero(penalty)
            lists.append((t["contract"][rows], due[rows], rows * 2 + number, penalty[rows]))
        contract, due, place, amount = (np.concatenate(c) for c in zip(*lists))
        order = np.lexsort((place, due, contract))
        contract, place, amount = contract[order], place[order], amount[order]
        upto = np.cumsum(amount)
        starts = np.flatnonzero(np.diff(contract, prepend=-1))
        before = np.repeat(upto[starts] - amount[starts], np.diff(starts, append=len(contract)))
        upto -= before
        taken = np.minimum(ROOM, upto) - np.minimum(ROOM, upto - amount)
        both = np.zeros(2 * n, dtype=np.int64)
        both[place] = taken
        held["deducted"] = both[0::2] + both[1::2]

    def once():
        start = time.perf_counter()
        evaluate()
        evaluated = time.perf_counter() - start
        settle()
        return evaluated, time.perf_counter() - start

    def totals():
        (rd, rb, rl, _), (sd, sb, sl, _) = held["r"], held["s"]
        total = lambda a: int(a.sum())
        return [total(rb), total(sb), total(held["free"]), total(held["penalty"]), total(held["deducted"]),
                (total(rd) + total(sd)) % MOD, (total(rl) + total(sl)) % MOD]

    return n, once, totals, np.__version__


def duckdb_clauses():
    import duckdb

    db = duckdb_tables()
    n = db.execute("SELECT count(*) FROM tickets").fetchone()[0]
    # Clauses as data: what a ticket's kind has, joined and summed.
    db.execute("CREATE TABLE clauses (k INTEGER, lim BIGINT, price BIGINT)")
    db.executemany("INSERT INTO clauses VALUES (?, ?, ?)", [list(clause(j)) for j in range(count)])
    query = f"""
        CREATE OR REPLACE TABLE evaluated AS
        WITH each AS (
            SELECT row, reported + lim AS due, coalesce(resolved, {AS_OF}) AS ended, price
            FROM tickets JOIN clauses USING (k))
        SELECT row, count(*) FILTER (due < ended) AS breaches, coalesce(sum(price) FILTER (due < ended), 0)::BIGINT AS penalty,
               sum(due) AS dues, coalesce(sum(ended - due) FILTER (due < ended), 0)::BIGINT AS lates
        FROM each GROUP BY row"""

    def once():
        start = time.perf_counter()
        db.execute(query)
        took = time.perf_counter() - start
        return took, took

    def totals():
        a = db.execute(f"SELECT sum(breaches), sum(penalty), sum(dues::HUGEINT) % {MOD}, sum(lates::HUGEINT) % {MOD} FROM evaluated").fetchone()
        return [int(v or 0) for v in a]

    return n, once, totals, duckdb.__version__


def numpy_clauses():
    import numpy as np

    t = numpy_columns()
    n = len(t["k"])
    at, there = t["resolved"]
    held = {}

    def once():
        start = time.perf_counter()
        end = np.where(there, at, AS_OF)
        breaches, penalty, dues, lates = (np.zeros(n, dtype=np.int64) for _ in range(4))
        rows = [np.flatnonzero(t["k"] == k) for k in range(8)]
        reported = [t["reported"][r] for r in rows]
        ends = [end[r] for r in rows]
        for k in range(8):
            b, p, d, l = (np.zeros(len(rows[k]), dtype=np.int64) for _ in range(4))
            for j in range(k, count, 8):
                _, limit, price = clause(j)
                due = reported[k] + limit
                late = due < ends[k]
                b += late
                p += late * price
                d += due
                l += np.where(late, ends[k] - due, 0)
            breaches[rows[k]], penalty[rows[k]], dues[rows[k]], lates[rows[k]] = b, p, d, l
        held["o"] = breaches, penalty, dues, lates
        took = time.perf_counter() - start
        return took, took

    def totals():
        return [int(c.sum()) % MOD for c in held["o"]]

    return n, once, totals, np.__version__


NAMES = ["responses_late", "resolutions_late", "free", "penalty", "deducted", "dues", "lates"]
if engine.startswith("clauses-"):
    NAMES = ["breaches", "penalty", "dues", "lates"]
n, once, totals, version = {
    "duckdb": duckdb_dense,
    "polars": polars_dense,
    "numpy": numpy_dense,
    "clauses-duckdb": duckdb_clauses,
    "clauses-numpy": numpy_clauses,
}[engine]()
if runs > 1:
    once()
times = [once() for _ in range(runs)]
evaluate, total = (statistics.median(c) * 1e9 / n for c in zip(*times))
print(json.dumps({
    "engine": engine.removeprefix("clauses-"), "version": version, "n": n, "threads": threads, "runs": runs,
    "evaluate": evaluate, "total": total, "totals": dict(zip(NAMES, totals())),
}))
