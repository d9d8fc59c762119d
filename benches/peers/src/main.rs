//! Measures one policy on one engine, and prints what it took and its sums as a line of JSON.

mod clauses;
mod compiled;
mod data;
mod native;
mod policy;
#[cfg(feature = "rivals")]
mod rivals;

use std::path::Path;
use std::time::Instant;

use crate::data::Columns;
use crate::native::{Level, Room};
use crate::policy::{Outcome, Outcomes, Ticket, Timing, Totals};

const USAGE: &str = "usage:
  holdback-peers data FOLDER [n=N] [contracts=C] [seed=S]        tickets.parquet and contracts.parquet
  holdback-peers rows json [n=N] [contracts=C] [seed=S]          the tickets as lines of JSON
  holdback-peers bench ENGINE [n=N] [contracts=C] [threads=T] [runs=R] [seed=S]
  holdback-peers files tickets|events FOLDER [threads=T] [runs=R]  the Parquet file of a folder, to another
  holdback-peers clauses ENGINE count=K [n=N] [runs=R] [seed=S]";

/// Runs `prepare` (not timed) and `run` some times over; the median of each of the times `run` gives, in
/// nanoseconds a ticket.
pub fn measure(n: usize, runs: usize, mut run: impl FnMut() -> (f64, f64)) -> Timing {
    // Once to warm up, unless one run is all there is time for.
    if runs > 1 {
        run();
    }
    let (mut evaluate, mut total): (Vec<f64>, Vec<f64>) = (0..runs).map(|_| run()).unzip();
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] * 1e9 / n as f64
    };
    Timing { evaluate: median(&mut evaluate), total: median(&mut total), runs }
}

fn native_columns(columns: &Columns, threads: usize, runs: usize, level: Level) -> (Totals, Timing) {
    let mut out = Outcomes::new(columns.len());
    let mut rooms: Vec<Room> = (0..threads).map(|_| Room::default()).collect();
    let timing = measure(columns.len(), runs, || {
        out.spoil();
        let start = Instant::now();
        native::evaluate(columns, &mut out, threads, level).unwrap();
        let evaluated = start.elapsed().as_secs_f64();
        native::settle(columns, &mut out, &mut rooms).unwrap();
        (evaluated, start.elapsed().as_secs_f64())
    });
    (out.totals(), timing)
}

fn native_rows(columns: &Columns, runs: usize) -> (Totals, Timing) {
    let n = columns.len();
    let tickets: Vec<Ticket> = (0..n).map(|row| columns.row(row)).collect();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(n);
    let mut out = Outcomes::new(n);
    let mut rooms = [Room::default()];
    let timing = measure(n, runs, || {
        let start = Instant::now();
        native::rows(&tickets, &columns.warranty_end, &mut outcomes).unwrap();
        let evaluated = start.elapsed().as_secs_f64();
        // The deposit is settled over columns: moving there is not the engine's.
        out.spoil();
        for (row, outcome) in outcomes.iter().enumerate() {
            out.put(row, outcome);
        }
        let start = Instant::now();
        native::settle(columns, &mut out, &mut rooms).unwrap();
        (evaluated, evaluated + start.elapsed().as_secs_f64())
    });
    (out.totals(), timing)
}

#[cfg(feature = "rivals")]
fn rival(name: &str, columns: &Columns, runs: usize) -> Option<(Totals, Timing)> {
    let n = columns.len();
    let mut engine = rivals::engine(name)?;
    let mut out = Outcomes::new(n);
    let mut rooms = [Room::default()];
    let timing = measure(n, runs, || {
        out.spoil();
        let start = Instant::now();
        for row in 0..n {
            let ticket = columns.row(row);
            let outcome = engine.decide(&ticket, columns.warranty_end[ticket.contract as usize]);
            out.put(row, &outcome.unwrap_or_else(|e| panic!("{name}, row {row}: {e}")));
        }
        let evaluated = start.elapsed().as_secs_f64();
        native::settle(columns, &mut out, &mut rooms).unwrap();
        (evaluated, start.elapsed().as_secs_f64())
    });
    Some((out.totals(), timing))
}

fn bench(engine: &str, columns: &Columns, threads: usize, runs: usize) -> Option<(Totals, Timing)> {
    match engine {
        "native-rows" => Some(native_rows(columns, runs)),
        "native-columns" => Some(native_columns(columns, threads, runs, Level::Best)),
        "native-columns-sse2" => Some(native_columns(columns, threads, runs, Level::Plain)),
        "native-columns-avx2" => Some(native_columns(columns, threads, runs, Level::Avx2)),
        "holdback-compiled" => compiled::compiled(columns, threads, runs),
        "holdback-typed" => compiled::typed(columns, threads, runs),
        "holdback-rhai" => compiled::rhai(columns, threads, runs),
        #[cfg(feature = "rivals")]
        name => rival(name, columns, runs),
        #[cfg(not(feature = "rivals"))]
        _ => None,
    }
}

fn many(
    engine: &str,
    columns: &Columns,
    count: usize,
    runs: usize,
) -> Option<(clauses::ClauseTotals, Timing)> {
    let run: fn(&Columns, usize, &mut clauses::ClauseOutcomes) = match engine {
        "native-columns" => clauses::native,
        #[cfg(feature = "rivals")]
        "rhai-flat" => clauses::rhai,
        "holdback-compiled" => return compiled::compiled_clauses(columns, count, runs),
        _ => return None,
    };
    let mut out = clauses::ClauseOutcomes::new(columns.len());
    let timing = measure(columns.len(), runs, || {
        out.spoil();
        let start = Instant::now();
        run(columns, count, &mut out);
        let took = start.elapsed().as_secs_f64();
        (took, took)
    });
    Some((out.totals(), timing))
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: usize| {
        args.iter()
            .find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='))
            .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
    };
    let (Some(command), Some(what)) = (args.first(), args.get(1)) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let n = option("n", 1_000_000);
    let contracts = option("contracts", 100);
    let threads = option("threads", 1);
    let runs = option("runs", 5);
    let columns = data::generate(n, contracts, option("seed", 1) as u64);
    let line = match command.as_str() {
        "data" => {
            let folder = Path::new(what);
            data::write(&columns, &folder.join("tickets.parquet"), &folder.join("contracts.parquet"))
                .unwrap();
            return;
        }
        "rows" => {
            let mut text = String::new();
            for row in 0..columns.len() {
                let t = columns.row(row);
                let ticket = serde_json::json!({
                    "contract": t.contract, "kind": policy::KINDS[t.kind as usize], "reported": t.reported,
                    "responded": t.responded, "resolved": t.resolved,
                    "warranty_end": columns.warranty_end[t.contract as usize],
                });
                text.push_str(&ticket.to_string());
                text.push('\n');
            }
            print!("{text}");
            return;
        }
        "files" => {
            let Some((tickets, seconds)) = compiled::files(what, Path::new(&args[2]), threads, runs) else {
                panic!("built without the feature `holdback`");
            };
            let total = seconds * 1e9 / tickets as f64;
            println!(
                "{}",
                serde_json::json!({"engine": format!("holdback-{what}"), "n": tickets, "threads": threads, "runs": runs,
                                   "evaluate": null, "total": total})
            );
            return;
        }
        "bench" => bench(what, &columns, threads, runs).map(|(totals, timing)| (totals.json(), timing)),
        "clauses" => {
            many(what, &columns, option("count", 1), runs).map(|(totals, timing)| (totals.json(), timing))
        }
        _ => panic!("{USAGE}"),
    };
    let Some((totals, timing)) = line else {
        println!("null");
        return;
    };
    println!(
        "{}",
        serde_json::json!({
            "engine": what, "n": n, "contracts": contracts, "threads": threads, "runs": timing.runs,
            "evaluate": timing.evaluate, "total": timing.total, "totals": totals,
        })
    );
}
