"""Measures every engine in one run, holds the sums of each against the baseline's, and writes results.json.

usage: run.py PROGRAM [quick]     PROGRAM: the built holdback-peers; quick: small counts, to try the scripts
       HOLDBACK_PEERS             another program, built with the feature `holdback`, for Holdback's engines

Where the sums differ the run ends at once with an error and writes nothing.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
program = os.path.abspath(sys.argv[1])
holdback = os.environ.get("HOLDBACK_PEERS", program)
quick = "quick" in sys.argv[2:]
cores = os.cpu_count()
started = time.time()
results = []
baselines = {}


def call(*command, stdin=None):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stdin=stdin, text=True)
    if done.returncode != 0:
        sys.exit(f"failed: {command}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def settings(**values):
    return [f"{k}={v}" for k, v in values.items()]


def note(chart, line, x, baseline):
    """Keeps a line of results; its sums must be the baseline's."""
    if line is None:
        return
    if baseline is not None and line.get("totals") != baseline["totals"]:
        sys.exit(f"sums differ: {line}\nbaseline: {baseline}")
    line.update(chart=chart, x=x)
    if baseline is not None:
        line["ratio"] = (line["total"] or 0) / baseline["total"]
        if line.get("evaluate") is not None and line["chart"] != "clauses":
            line["evaluate_ratio"] = line["evaluate"] / baseline["evaluate"]
    results.append(line)
    print(f"{time.time() - started:6.0f} s  {chart:9} {x:>11,}  {line['engine']:24} {line['threads']} thread(s)"
          f"  {line['total']:12,.1f} ns", file=sys.stderr, flush=True)


def repeats(n, per=8_000_000, least=3, most=101):
    return max(least, min(most, per // n))


def rust(engine, n, contracts=100, threads=1, runs=None):
    tool = holdback if engine.startswith("holdback") else program
    return call(tool, "bench", engine, *settings(n=n, contracts=contracts, threads=threads, runs=runs or repeats(n)))


def baseline(n, contracts=100):
    key = n, contracts
    if key not in baselines:
        baselines[key] = rust("native-columns", n, contracts, runs=repeats(n, 40_000_000))
    return baselines[key]


folders = {}


def folder(n, contracts=100):
    """The tickets as Parquet, written once."""
    if (n, contracts) not in folders:
        path = os.path.join(scratch, f"{n}-{contracts}")
        os.makedirs(path)
        subprocess.run([program, "data", path, *settings(n=n, contracts=contracts)], check=True)
        folders[n, contracts] = path
    return folders[n, contracts]


def python(engine, n, contracts=100, threads=1, runs=None, **more):
    return call(sys.executable, f"{HERE}/bench.py", engine, folder(n, contracts),
                *settings(threads=threads, runs=runs or repeats(n, 2_000_000, 3, 9), **more))


def memory():
    with open("/proc/meminfo") as info:
        return next(int(line.split()[1]) * 1024 for line in info if line.startswith("MemAvailable"))


HOLDBACK = ["holdback-compiled", "holdback-typed", "holdback-rhai"]
ROWS = ["rhai-script", "rhai-flat", "rhai-grain-script", "rhai-grain-flat", "zen-expression", "zen-engine", "cel", "regorus"]

with tempfile.TemporaryDirectory(prefix="peers-", dir=os.environ.get("PEERS_SCRATCH")) as scratch:
    # ---- one policy, more and more tickets ----
    # 10^8 takes an hour and 14 GiB: asked for by name.
    wanted = int(os.environ.get("PEERS_LARGEST", 10**7))
    largest = 10**6 if quick else min(wanted, 10**8 if memory() > 14 * 2**30 else 10**7)
    sizes = [10**k for k in range(3, 9) if 10**k <= largest]
    limit = {
        "native-columns-sse2": 10**7, "native-columns-avx2": 10**7, "native-rows": 10**7,
        "holdback-compiled": 10**7, "holdback-typed": 10**6, "holdback-rhai": 10**5,
        "duckdb": 10**7, "polars": 10**7, "numpy": 10**7,
        "rhai-script": 10**5, "rhai-flat": 10**6, "rhai-grain-script": 10**5, "rhai-grain-flat": 10**6,
        "zen-expression": 10**5, "zen-engine": 10**5, "cel": 10**5, "regorus": 10**5,
        "json-rules-engine": 10**4,
    }
    if quick:
        limit = {k: min(v, 10**4) for k, v in limit.items()}
    for n in sizes:
        note("tickets", dict(baseline(n)), n, baseline(n))
        for engine in ["native-columns-avx2", "native-columns-sse2", "native-rows", *HOLDBACK]:
            if n <= limit[engine]:
                note("tickets", rust(engine, n), n, baseline(n))
        for engine in ROWS:
            if n <= limit[engine]:
                note("tickets", rust(engine, n, runs=repeats(n, 200_000, 1, 9)), n, baseline(n))
        for engine in ["duckdb", "polars", "numpy"]:
            if n <= limit[engine]:
                note("tickets", python(engine, n, runs=1 if n >= 10**7 else 3), n, baseline(n))
        if n <= limit["json-rules-engine"]:
            with open(os.path.join(scratch, "rows"), "w+") as rows:
                subprocess.run([program, "rows", "json", *settings(n=n)], stdout=rows, check=True)
                rows.seek(0)
                note("tickets", call("node", f"{HERE}/rules.mjs", 3, stdin=rows), n, baseline(n))

    # ---- threads ----
    n = 10**4 if quick else 10**6
    for threads in range(1, cores + 1):
        for engine in ["native-columns", "holdback-compiled", "holdback-typed", "holdback-rhai"]:
            count = n if engine in ("native-columns", "holdback-compiled") else n // 10
            note("threads", rust(engine, count, threads=threads), threads, baseline(count))
        for engine in ["duckdb", "polars"]:
            note("threads", python(engine, n, threads=threads), threads, baseline(n))

    # ---- contracts ----
    for contracts in [1, 10, 100, 1_000, 10_000, 100_000]:
        for engine in ["native-columns", "holdback-compiled"]:
            note("contracts", rust(engine, n, contracts), contracts, baseline(n, contracts))
        for engine in ["duckdb", "polars", "numpy"]:
            note("contracts", python(engine, n, contracts, runs=1), contracts, baseline(n, contracts))

    # ---- clauses ----
    n = 6_400 if quick else 64_000
    for count in [1, 2, 5, 10, 20, 50, 100, 200]:
        first = call(program, "clauses", "native-columns", *settings(n=n, count=count, runs=31))
        note("clauses", first, count, first)
        tool = call(holdback, "clauses", "holdback-compiled", *settings(n=n, count=count, runs=11))
        note("clauses", tool, count, first)
        note("clauses", call(program, "clauses", "rhai-flat", *settings(n=n, count=count, runs=1)), count, first)
        note("clauses", python("clauses-duckdb", n, count=count, runs=3), count, first)
        note("clauses", python("clauses-numpy", n, count=count, runs=3), count, first)

    # ---- SQL from file to file ----
    n = 10**4 if quick else 10**6
    for threads in sorted({1, cores}):
        line = call(sys.executable, f"{HERE}/sql.py", "tickets", folder(n), *settings(threads=threads, runs=3))
        note("files", line, threads, baseline(n))
        line = call(holdback, "files", "tickets", folder(n), *settings(threads=threads, runs=5))
        line["totals"] = call(sys.executable, f"{HERE}/sql.py", "sums", folder(n), "of=0")
        note("files", line, threads, baseline(n))
    log = os.path.join(scratch, "log")
    os.makedirs(log)
    call(sys.executable, f"{HERE}/sql.py", "data", log, f"n={n // 5}")
    for threads in sorted({1, cores}):
        note("files", call(sys.executable, f"{HERE}/sql.py", "events", log, *settings(threads=threads, runs=3)), threads, None)
        note("files", call(holdback, "files", "events", log, *settings(threads=threads, runs=5)), threads, None)
        both = call(sys.executable, f"{HERE}/sql.py", "sums", log, "of=1")
        if both["holdback"] != both["sql"]:
            sys.exit(f"sums differ: {both}")

    # ---- how steady the machine was ----
    n = 10**4 if quick else 10**6
    again = rust("native-columns", n)
    drift = again["total"] / baseline(n)["total"]

processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
with open(f"{HERE}/results.json", "w") as out:
    json.dump({
        "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "machine": {"processor": processor, "cores": cores, "avx512": "avx512f" in flags, "load": os.getloadavg()[1],
                    "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)},
        "versions": {"rustc": subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1],
                     "rhai": "1.27.0", "zen-engine": "2.1.6", "cel": "0.15.0", "regorus": "0.14.1", "json-rules-engine": "7.3.1",
                     "node": subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip(),
                     "python": platform.python_version(),
                     **{r["engine"]: r["version"] for r in results if r["engine"] in ("duckdb", "polars", "numpy")}},
        "seconds": round(time.time() - started),
        "drift": drift,
        "quick": quick,
        "results": results,
    }, out, indent=1)
    out.write("\n")
print(f"{len(results)} lines in {time.time() - started:.0f} s; the baseline at the end: {drift:.2f} of the first", file=sys.stderr)
