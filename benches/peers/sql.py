"""The policies in SQL, from file to file, with DuckDB.

usage: sql.py tickets FOLDER [threads=T] [runs=R]     tickets.parquet, contracts.parquet -> sql-tickets.parquet
       sql.py events  FOLDER [threads=T] [runs=R]     events.parquet -> sql-events.parquet
       sql.py sums    FOLDER of=0|1                  sums of holdback-tickets.parquet, or of both results of the log
       sql.py data    FOLDER n=N [contracts=C]        writes events.parquet, a made-up log
       sql.py check   FOLDER                          sql-events.parquet against a plain model
"""

import datetime
import json
import os
import statistics
import sys
import time

import duckdb

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
AS_OF = 1_735_689_600 * SECOND
HERE = os.path.dirname(os.path.abspath(__file__))


def connect(threads, ordered="false"):
    db = duckdb.connect()
    db.execute(f"SET threads = {threads}")
    db.execute("SET TimeZone = 'UTC'")
    db.execute(f"SET preserve_insertion_order = {ordered}")
    return db


def run(what, folder, threads, runs):
    text = open(f"{HERE}/sql/{what}.sql").read()
    for name in ["tickets", "contracts", "events"]:
        text = text.replace(f"${name}", f"{folder}/{name}.parquet")
    result = f"{folder}/sql-{what}.parquet"
    text = text.replace("$result", result)
    times = []
    for _ in range(runs):
        # Windows that stream over the log need its order.
        db = connect(threads, "true" if what == "events" else "false")
        start = time.perf_counter()
        db.execute(text)
        times.append(time.perf_counter() - start)
    rows, tickets, events = db.execute(
        f"SELECT count(*), count(DISTINCT ticket), (SELECT count(*) FROM '{folder}/{what}.parquet') FROM '{result}'"
    ).fetchone()
    took = statistics.median(times)
    line = {"engine": f"duckdb-sql-{what}", "version": duckdb.__version__, "n": tickets, "threads": threads, "runs": runs,
            "total": took * 1e9 / tickets, "evaluate": None, "input_rows": events, "output_rows": rows}
    if what == "tickets":
        values = db.execute(
            f"""SELECT count(*) FILTER (breached AND clock = 'response'), count(*) FILTER (breached AND clock = 'resolution'),
                       count(*) FILTER (class = 'free' AND clock = 'response'), sum(penalty), sum(deducted),
                       sum(epoch_us(due)::HUGEINT) % {2**63}, sum(late::HUGEINT) % {2**63} FROM '{result}'"""
        ).fetchone()
        names = ["responses_late", "resolutions_late", "free", "penalty", "deducted", "dues", "lates"]
        line["totals"] = dict(zip(names, map(int, values)))
    else:
        line["per_event"] = took * 1e9 / events
    print(json.dumps(line))


def sums(folder, of):
    """What Holdback has written, in the sums of the others; of the log what can be compared, of both."""
    db = connect(1)
    if of == 0:
        values = db.execute(
            f"""SELECT count(*) FILTER (breached AND clock = 'response'), count(*) FILTER (breached AND clock = 'resolution'),
                       count(*) FILTER (class = 'free' AND clock = 'response'), sum(penalty) * 100, sum(deducted) * 100,
                       sum(epoch_us(due)::HUGEINT) % {2**63}, sum(CASE WHEN breached THEN late_us ELSE 0 END::HUGEINT) % {2**63}
                FROM '{folder}/holdback-tickets.parquet'"""
        ).fetchone()
        names = ["responses_late", "resolutions_late", "free", "penalty", "deducted", "dues", "lates"]
        print(json.dumps(dict(zip(names, map(int, values)))))
        return
    read = lambda name, late, cents: list(map(int, db.execute(
        f"""SELECT count(*), count(*) FILTER (breached), sum(CASE WHEN breached THEN {late} ELSE 0 END::HUGEINT), sum(penalty) * {cents}
            FROM '{folder}/{name}-events.parquet'"""
    ).fetchone()))
    print(json.dumps({"holdback": read("holdback", "late_us", 100), "sql": read("sql", "late", 1)}))


def data(folder, n, contracts, seed=1):
    """A log of `n` tickets: instants on whole seconds, some exactly at opening or closing, pauses for the
    customer and for others, resumptions with and without a reason, reopenings, clocks that never stop."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    start, end = 1_640_995_200, 1_732_924_800
    at = np.sort(rng.integers(start, end, n))
    slots = []  # kind, instant, there, reason, priority

    def gap(scale):
        return 1 + rng.exponential(scale, n).astype(np.int64)

    def sharp(t):
        """Every sixteenth instant is moved to the full hour that follows."""
        return np.where(rng.random(n) < 1 / 16, -(-t // 3600) * 3600, t)

    none = np.full(n, None, dtype=object)
    priority = rng.choice(np.array(["P1", "P2", "P3", "P4"], dtype=object), n, p=[0.1, 0.2, 0.5, 0.2])
    yes = np.ones(n, dtype=bool)
    t = at
    slots.append(("reported", t, yes, none, priority))
    t = sharp(t + gap(7200))
    slots.append(("responded", t, rng.random(n) < 0.97, none, none))
    t = sharp(t + gap(3600))
    other = rng.choice(np.array(["P1", "P2", "P3", "P4", None], dtype=object), n)
    slots.append(("updated", t, rng.random(n) < 0.4, none, other))
    reasons = rng.choice(np.array(["customer", "vendor", None], dtype=object), n, p=[0.6, 0.3, 0.1])
    paused = rng.random(n) < 0.35
    t = sharp(t + gap(7200))
    slots.append(("paused", t, paused, reasons, none))
    t = sharp(t + gap(30000))
    given = np.where(rng.random(n) < 0.5, reasons, none)
    slots.append(("resumed", t, paused & (rng.random(n) < 0.9), given, none))
    t = sharp(t + gap(20000))
    again = rng.random(n) < 0.1
    slots.append(("paused", t, again, rng.choice(np.array(["customer", "vendor"], dtype=object), n), none))
    t = sharp(t + gap(20000))
    slots.append(("resumed", t, again & (rng.random(n) < 0.8), none, none))
    t = sharp(t + gap(40000))
    resolved = rng.random(n) < 0.9
    slots.append(("resolved", t, resolved, none, none))
    t = sharp(t + gap(100000))
    reopened = resolved & (rng.random(n) < 0.15)
    slots.append(("reopened", t, reopened, none, none))
    t = sharp(t + gap(30000))
    slots.append(("resolved", t, reopened & (rng.random(n) < 0.9), none, none))
    t = sharp(t + gap(100000))
    slots.append(("closed", t, rng.random(n) < 0.85, none, none))

    column = lambda i: np.stack([s[i] for s in slots], axis=1).ravel()
    there = column(2)
    kind = np.tile(np.array([s[0] for s in slots], dtype=object), n)[there]
    instants = column(1)[there]
    kept = instants < AS_OF // SECOND
    row = np.repeat(np.arange(n), len(slots))[there][kept]
    contract = rng.integers(0, contracts, n)
    tickets = np.array([f"T{i:09d}" for i in range(n)], dtype=object)
    names = pa.array([f"c{i:05d}" for i in range(contracts)])
    table = pa.table({
        "contract": pa.DictionaryArray.from_arrays(pa.array(contract[row], pa.int32()), names),
        "ticket": pa.array(tickets[row], pa.string()),
        "kind": pa.array(kind[kept], pa.string()).dictionary_encode(),
        "at": pa.array(instants[kept] * SECOND, pa.timestamp("us", tz="UTC")),
        "reason": pa.array(column(3)[there][kept], pa.string()).dictionary_encode(),
        "priority": pa.array(column(4)[there][kept], pa.string()).dictionary_encode(),
    })
    pq.write_table(table, f"{folder}/events.parquet", row_group_size=122_880)
    print(json.dumps({"tickets": n, "events": table.num_rows}))


# ---- a plain model ----


def between(a, b):
    """Open microseconds from a to b, day by day."""
    total = 0
    day = a // DAY
    while day * DAY < b:
        if (day + 3) % 7 < 5:
            total += max(0, min(b, day * DAY + 18 * HOUR) - max(a, day * DAY + 9 * HOUR))
        day += 1
    return total


def after(a, length):
    """The instant at which so much open time has passed since a; at closing: the next opening."""
    day = a // DAY
    while True:
        if (day + 3) % 7 < 5:
            opening, closing = max(a, day * DAY + 9 * HOUR), day * DAY + 18 * HOUR
            if opening < closing:
                if length < closing - opening:
                    return opening + length
                length -= closing - opening
        day += 1


LIMITS = {"P1": (HOUR // 2, 2 * HOUR, 10000, 20000), "P2": (HOUR, 4 * HOUR, 5000, 10000),
          "P3": (8 * HOUR, 24 * HOUR, 0, 1000), "P4": (24 * HOUR, 72 * HOUR, 0, 500)}


def model(events):
    """One ticket: for both clocks due, met, late, price."""
    first = next(p for _, _, _, p in events if p is not None)
    limits = LIMITS[first]
    reported = events[0][1]
    responded = next((at for kind, at, _, _ in events if kind == "responded"), None)
    end = AS_OF if responded is None else responded
    late = max(0, between(reported, end) - limits[0])
    yield after(reported, limits[0]), responded, late, limits[2]

    stops, pauses, used, due, breached, since = [], set(), 0, None, False, None
    for kind, at, reason, _ in events + [("end", AS_OF, None, None)]:
        ran = since is not None
        if kind in ("resolved", "closed"):
            stops.append(at)
            pauses.clear()
        elif kind == "reopened":
            stops.clear()
            pauses.clear()
        elif kind == "paused" and reason == "customer":
            pauses.add(reason)
        elif kind == "resumed":
            pauses.discard("customer") if reason is None else pauses.discard(reason)
        runs = not stops and not pauses and kind != "end"
        if ran and not runs:
            if not breached:
                due = after(since, limits[1] - used)
                breached = due < at
            used += between(since, at)
            since = None
        elif runs and not ran:
            since = at
    met = stops[0] if stops else None
    if not breached and (pauses and not stops or met is not None and met > due):
        due = None
    yield due, met, max(0, used - limits[1]) if breached else 0, limits[3]


def check(folder):
    db = connect(2)
    log = db.execute(
        f"SELECT contract, ticket, kind, epoch_us(\"at\"), reason, priority FROM read_parquet('{folder}/events.parquet', file_row_number = true) ORDER BY file_row_number"
    ).fetchall()
    tickets = {}
    for contract, ticket, *event in log:
        tickets.setdefault((ticket, contract), []).append(tuple(event))
    rows = []
    for (ticket, contract), events in tickets.items():
        for clock, (due, met, late, price) in enumerate(model(events)):
            rows.append([contract, ticket, clock, due, met, late > 0, late, price if late > 0 else 0, 0, None])
    left = {}
    for row in sorted((r for r in rows if r[7] > 0), key=lambda r: (r[3], r[1], r[2])):
        balance = left.setdefault(row[0], 10_000_000)
        row[8] = min(row[7], balance - 100_000)
        row[9] = left[row[0]] = balance - row[8]
    got = db.execute(
        f"""SELECT contract, ticket, (clock = 'resolution')::INT, epoch_us(due), epoch_us(met), breached, late, penalty, deducted, balance
            FROM '{folder}/sql-events.parquet'"""
    ).fetchall()
    want = sorted(map(tuple, rows), key=lambda r: r[:3])
    got = sorted(got, key=lambda r: r[:3])
    wrong = [(w, g) for w, g in zip(want, got) if w != g]
    for w, g in wrong[:5]:
        print("model", w, "\nsql  ", g, "\n", tickets[w[1], w[0]], file=sys.stderr)
    late = sum(r[5] for r in want)
    print(json.dumps({"rows": len(want), "late": late, "deducted": sum(r[8] for r in want),
                      "without_due": sum(r[3] is None for r in want), "wrong": len(wrong) + abs(len(want) - len(got))}))
    sys.exit(bool(wrong) or len(want) != len(got))


what, folder = sys.argv[1:3]
options = {k: int(v) for k, v in (arg.split("=") for arg in sys.argv[3:])}
if what == "data":
    data(folder, options["n"], options.get("contracts", 100))
elif what == "sums":
    sums(folder, options["of"])
elif what == "check":
    check(folder)
else:
    run(what, folder, options.get("threads", 1), options.get("runs", 1))
