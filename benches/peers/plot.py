"""Makes of results.json the table of ../README.md (between its marks) and the charts plots/*.svg."""

import html
import json
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))
data = json.load(open(f"{HERE}/results.json"))
results = data["results"]

NAMES = {
    "holdback-tickets": "Holdback: assess, ticket table", "holdback-events": "Holdback: assess, event log (calendar, pauses, reopenings)",
    "native-columns": "hand-written Rust, columns", "native-columns-avx2": "hand-written Rust, columns, AVX2",
    "native-columns-sse2": "hand-written Rust, columns, SSE2", "native-rows": "hand-written Rust, rows",
    "holdback-compiled": "Holdback, compiled", "holdback-typed": "Holdback, typed evaluator", "holdback-rhai": "Holdback, rhai reference",
    "duckdb": "DuckDB, tables in memory", "polars": "polars", "numpy": "numpy",
    "rhai-script": "rhai, the natural script", "rhai-flat": "rhai, flat and tuned",
    "rhai-grain-script": "rhai's bytecode, the natural script", "rhai-grain-flat": "rhai's bytecode, flat and tuned",
    "zen-expression": "zen-expression", "zen-engine": "zen-engine, expression node", "cel": "cel", "regorus": "regorus (RVM)",
    "json-rules-engine": "json-rules-engine (Node)",
    "duckdb-sql-tickets": "DuckDB, SQL file to file", "duckdb-sql-events": "DuckDB, SQL over an event log, file to file",
}
# Told apart by colour, dash and mark, and by the name at the line's end.
COLOURS = ["#1f5fa8", "#c8501e", "#2e8540", "#7d3c98", "#8a6d0b", "#c2185b", "#00838f", "#5d4037", "#546e7a", "#e07b00",
           "#4527a0", "#9e2a2b", "#33691e", "#0d47a1", "#6d6d00", "#ad1457", "#00695c", "#3e2723", "#000000"]
ORDER = list(NAMES)


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def short(value):
    for power, unit in ((9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{value / 10**power:g}{unit}"
    return f"{value:g}"


def chart(name, title, below, lines, log_x=True, log_y=True):
    """One chart: {engine: [(x, y)]}, both axes logarithmic unless said."""
    lines = {k: sorted(v) for k, v in lines.items() if v}
    if not lines:
        return
    width, height, left, right, top, bottom = 900, 520, 70, 250, 46, 56
    xs = sorted({x for line in lines.values() for x, _ in line})
    ys = [y for line in lines.values() for _, y in line]
    fx = math.log10 if log_x else float
    fy = math.log10 if log_y else float
    y0 = 10 ** math.floor(math.log10(min(ys))) if log_y else 0
    y1 = 10 ** math.ceil(math.log10(max(ys))) if log_y else max(ys) * 1.1
    spread = (fx(xs[-1]) - fx(xs[0])) or 1
    px = lambda x: left + (fx(x) - fx(xs[0])) / spread * (width - left - right)
    py = lambda y: height - bottom - (fy(y) - fy(y0)) / (fy(y1) - fy(y0)) * (height - top - bottom)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
           f"<title>{html.escape(title)}</title>", f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           f'<text x="{left}" y="24" font-size="15" fill="#222222">{html.escape(title)}</text>',
           f'<text x="{(left + width - right) / 2}" y="{height - 14}" text-anchor="middle" fill="#444444">{html.escape(below)}</text>']
    if log_y:
        ticks = [10.0**k for k in range(round(math.log10(y0)), round(math.log10(y1)) + 1)]
    else:
        ticks = [y1 * k / 5 for k in range(6)]
    for y in ticks:
        out.append(f'<path d="M{left} {py(y):.1f}H{width - right}" stroke="#dddddd"/>'
                   f'<text x="{left - 8}" y="{py(y) + 4:.1f}" text-anchor="end" fill="#444444">{short(round(y, 2))}</text>')
    for x in xs:
        out.append(f'<text x="{px(x):.1f}" y="{height - bottom + 18}" text-anchor="middle" fill="#444444">{short(x)}</text>')
    ends = []
    for engine, line in lines.items():
        colour = COLOURS[ORDER.index(engine) % len(COLOURS)]
        dash = "" if engine.startswith(("native", "holdback")) else ' stroke-dasharray="5 3"'
        thick = 2.6 if engine.startswith("holdback") else 1.6
        path = "L".join(f"{px(x):.1f} {py(y):.1f}" for x, y in line)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{thick}"{dash}/>')
        out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="2.6" fill="{colour}"/>' for x, y in line]
        ends.append([py(line[-1][1]), px(line[-1][0]), colour, NAMES[engine]])
    # Names at the right, pushed apart where they would touch, each tied to its line's end.
    ends.sort()
    place = top
    for end in ends:
        place = max(end[0], place)
        end.append(place)
        place += 15
    over = max(0, ends[-1][4] - (height - bottom))
    for i in range(len(ends) - 1, -1, -1):
        most = height - bottom - 15 * (len(ends) - 1 - i) if over else ends[i][4]
        ends[i][4] = min(ends[i][4], most)
    for y, x, colour, text, at in ends:
        out.append(f'<path d="M{x + 4:.1f} {y:.1f}L{width - right + 12} {at:.1f}" stroke="{colour}" stroke-width="0.6" fill="none"/>'
                   f'<text x="{width - right + 15}" y="{at + 4:.1f}" fill="{colour}">{html.escape(text)}</text>')
    out.append("</svg>\n")
    os.makedirs(f"{HERE}/plots", exist_ok=True)
    with open(f"{HERE}/plots/{name}.svg", "w") as file:
        file.write("\n".join(out))


def lines(name, value="total", without=()):
    found = {}
    for r in results:
        if r["chart"] == name and r["engine"] not in without and r.get(value) is not None:
            found.setdefault(r["engine"], []).append((r["x"], r[value]))
    return found


variants = ("native-columns-avx2", "native-columns-sse2")
chart("tickets", "Nanoseconds a ticket, deposit included, by the number of tickets (one thread)", "tickets", lines("tickets", without=variants))
chart("evaluate", "Nanoseconds a ticket, without the deposit, by the number of tickets (one thread)", "tickets", lines("tickets", "evaluate"))
chart("clauses", "Nanoseconds a ticket by the number of clauses (one thread)", "clauses", lines("clauses"))
chart("contracts", "Nanoseconds a ticket by the number of contracts (one thread)", "contracts", lines("contracts"))
chart("threads", "Nanoseconds a ticket by the number of threads", "threads", lines("threads"), log_x=False)

# ---- the table: each engine at the largest count up to a million that it was given ----
best = {}
for r in results:
    if r["chart"] == "tickets" and r["x"] <= 10**6 and r["x"] >= best.get(r["engine"], r)["x"]:
        best[r["engine"]] = r
machine, versions = data["machine"], data["versions"]
table = ["| Engine | Tickets | ns a ticket, no deposit | × | ns a ticket, all | × |", "|---|--:|--:|--:|--:|--:|"]
for r in sorted(best.values(), key=lambda r: r["total"]):
    name = NAMES[r["engine"]]
    if r["engine"] == "native-columns":
        name = f"**{name} (the baseline)**"
    elif r["engine"].startswith("holdback"):
        name = f"**{name}**"
    table.append(f"| {name} | {r['x']:,} | {number(r['evaluate'])} | {number(r['evaluate_ratio'])} | {number(r['total'])} | {number(r['ratio'])} |")
table += ["", "| From file to file | Threads | ns a ticket | ns an event |", "|---|--:|--:|--:|"]
for r in results:
    if r["chart"] == "files":
        table.append(f"| {NAMES[r['engine']]} | {r['threads']} | {number(r['total'])} | {number(r['per_event']) if 'per_event' in r else ''} |")
table += ["", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{', AVX-512' if machine['avx512'] else ''}; {data['at']}, "
          f"load {machine['load']:.1f}; the baseline took {data['drift']:.2f} times as long at the end of the run as at its beginning. "
          + ", ".join(f"{k} {v}" for k, v in versions.items()) + "."]
if data["quick"]:
    table.append("\n**A quick run, to try the scripts: not measurements.**")

path = f"{HERE}/../README.md"
begin, end = "<!-- peers: begin -->", "<!-- peers: end -->"
text = open(path).read() if os.path.exists(path) else f"# Benches\n\n## Peers\n\n{begin}\n{end}\n"
if begin not in text:
    text += f"\n## Peers\n\n{begin}\n{end}\n"
head, rest = text.split(begin, 1)
tail = rest.split(end, 1)[1]
open(path, "w").write(head + begin + "\n" + "\n".join(table) + "\n" + end + tail)
