//! Batches: packs made ready, generated histories from file to file on one core and on two, JSON lines, and many clauses. Goals: a pack
//! ready in 5 ms, 4,000,000 tickets of a table a second and core, 1,000,000 of an event log, 200 clauses within twice the time of 20.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use holdback::{Instant, Pack};
use holdback_batch::generate::{Form, Synthetic, generate};
use holdback_batch::{Batch, Job, Numbers, OnError, Output, Report, assess_history};

fn ready(pack: &Arc<Pack>) -> Batch {
    let as_of: Instant = "2025-06-01T00:00:00Z".parse().unwrap();
    Batch::new(Arc::clone(pack), as_of).unwrap().of_any_contract()
}

fn assess(batch: &Batch, input: &Path, out: Option<&Path>, threads: usize) -> Report {
    let output = out.map_or(Output::Nothing, |out| Output::File(out.to_owned()));
    let (input, contract_events, on_error) = (input.to_owned(), Vec::new(), OnError::Stop);
    let job = Job { input, contract_events, output, on_error, threads, memory: 2 << 30, ends: false };
    assess_history(batch, &job, &mut |_| {}).unwrap()
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch: a pack made ready");
    for name in ["school-after-sales", "it-incidents"] {
        let pack = holdback_benches::pack(name, &[]).unwrap();
        assert!(ready(&pack).uncompiled().is_empty());
        group.bench_function(name, |b| b.iter(|| ready(&pack)));
    }
    group.finish();
}

/// Is this a run that only tries the benches?
fn tries() -> bool {
    std::env::args().any(|arg| arg == "--test")
}

fn histories(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (tickets, form) = (if tries() { 20_000 } else { 1_000_000 }, |name: &str| folder.path().join(name));
    let make = |name: &str, tickets: u64, of: Form| {
        let path = form(name);
        let spec = Synthetic { tickets, contracts: 1_000, seed: 1, form: of };
        generate(&spec, File::create(&path).unwrap(), &mut |_| {}).unwrap();
        path
    };
    let (table, log) = (make("t.parquet", tickets, Form::Tickets), make("e.parquet", tickets, Form::Events));
    let (few, out) = (make("few.parquet", 3_000, Form::Events), form("out.parquet"));
    let always =
        holdback_benches::pack("it-incidents", &[("calendar", "always"), ("customer_pauses", "false")]);
    let packs = [
        ("ticket table, 24x7", always.unwrap(), &table),
        ("event log, calendars and pauses", holdback_benches::pack("it-incidents", &[]).unwrap(), &log),
    ];
    let mut group = c.benchmark_group("batch: Parquet to Parquet");
    group.sample_size(10);
    group.throughput(Throughput::Elements(tickets));
    for (name, pack, input) in &packs {
        let batch = ready(pack);
        // The columns agree with the engine, ticket by ticket, and both forms and any number of threads with each other.
        let told = |report: &Report| (report.tickets, report.clocks.clone(), report.contracts.clone());
        let by_rows = ready(pack).row_by_row();
        assert_eq!(told(&assess(&batch, &few, None, 1)), told(&assess(&by_rows, &few, None, 1)));
        let whole = told(&assess(&batch, input, Some(&out), 1));
        assert_eq!(whole.0, tickets);
        assert!(whole.1.iter().all(|clock| clock.met > 0 && clock.missed > 0 && clock.penalty.minor() > 0));
        for threads in [1, 2] {
            group.bench_function(format!("{name}, {threads} threads"), |b| {
                b.iter(|| assert_eq!(told(&assess(&batch, input, Some(&out), threads)), whole));
            });
        }
    }
    group.finish();
}

/// So many clauses, each for its own kind of tickets.
fn clauses(count: usize) -> Arc<Pack> {
    let mut files = BTreeMap::new();
    let mut contract = "# [floor] Deposit\n".to_owned();
    for clause in 0..count {
        writeln!(contract, "# [{clause}] Clause {clause}").unwrap();
        let (kind, limit, price) = (clause, 60 + 37 * clause, 10 + clause % 50);
        let text = format!(
            "//! clause: {clause}\nfn applies(ticket) {{ ticket.kind == \"k{kind}\" }}\n\
             fn deadlines(ticket) {{ [due(\"clock\").within(seconds({limit})).met_by(\"resolved\")] }}\n\
             fn penalty(breach) {{ money(\"{price}.00\") }}\n",
        );
        files.insert(format!("clauses/{clause}.rhai"), text);
    }
    let floor = "//! clause: floor\nfn deposit_floor() { money(\"0.00\") }\n";
    files.insert("clauses/floor.rhai".to_owned(), floor.to_owned());
    let kinds: Vec<String> = (0..count).map(|kind| format!("\"k{kind}\"")).collect();
    let pack = format!(
        "format = 1\nname = \"clauses\"\nversion = \"1\"\ncurrency = \"USD\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\n\
         [facts.kind]\ntype = \"one-of\"\nvalues = [{}]\ndoc = \"kind\"\n",
        kinds.join(", ")
    );
    files.insert("pack.toml".to_owned(), pack);
    files.insert("contract.md".to_owned(), contract);
    Arc::new(Pack::from_files(files).unwrap())
}

/// Tickets of all kinds in turn, resolved an hour after their report.
fn tickets(rows: i64, kinds: i64) -> arrow::array::RecordBatch {
    use arrow::array::{ArrayRef, DictionaryArray, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::Int32Type;
    let names: Vec<String> = (0..kinds).map(|kind| format!("k{kind}")).collect();
    let kinds: DictionaryArray<Int32Type> =
        (0..rows).map(|row| names[usize::try_from(row % kinds).unwrap()].as_str()).collect();
    let ids: StringArray = (0..rows).map(|row| Some(format!("T{row:07}"))).collect();
    let at = |after: i64| {
        let at = (0..rows).map(|row| 1_700_000_000_000_000 + (row * 7 + after) * 1_000_000);
        TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC")
    };
    let columns: [(&str, ArrayRef); 4] = [
        ("ticket", Arc::new(ids)),
        ("kind", Arc::new(kinds)),
        ("reported_at", Arc::new(at(0))),
        ("resolved_at", Arc::new(at(3_600))),
    ];
    arrow::array::RecordBatch::try_from_iter(columns).unwrap()
}

fn many_clauses(c: &mut Criterion) {
    let rows = 1 << 16;
    let mut group = c.benchmark_group("batch: clauses with a guard each");
    group.throughput(Throughput::Elements(rows as u64));
    for count in [20, 200] {
        let (batch, kinds) = (ready(&clauses(count)), i64::try_from(count).unwrap());
        let table = tickets(rows, kinds);
        let mut numbers = Numbers::default();
        group.bench_function(format!("{count} clauses"), |b| {
            b.iter(|| batch.judge_into(&table, &mut numbers).unwrap());
        });
        batch.judge_into(&table, &mut numbers).unwrap();
        // Clause n judges the tickets of kind n, an hour against 60 + 37 n seconds.
        assert_eq!(numbers.clocks.len(), count);
        for clock in &numbers.clocks {
            let clause: i64 = clock.clause.parse().unwrap();
            let late = if 60 + 37 * clause < 3_600 { 5 } else { 3 };
            assert!(clock.state.iter().all(|state| *state == late), "{clause}");
            assert_eq!(clock.rows.as_ref().map(|rows| i64::from(rows[1]) % kinds), Some(clause), "{clause}");
        }
    }
    group.finish();
}

/// A million tickets as JSON lines of 171 bytes, read and judged, with nothing written; and the same tickets judged as they lie in memory.
/// The difference is what the lines cost.
fn json_lines(c: &mut Criterion) {
    use arrow::array::{ArrayRef, DictionaryArray, StringArray, TimestampMicrosecondArray};
    use arrow::datatypes::Int32Type;
    let rows = if tries() { 20_000 } else { 1_000_000 };
    let at = |row: i64, after: i64| Instant::from_seconds(1_700_000_000 + row * 7 + after).unwrap();
    let told = |row: i64| {
        let (contract, priority) = (format!("c{:05}", row % 997), format!("P{}", 1 + row % 4));
        let times = [at(row, 0), at(row, 60 + row % 3_600), at(row, 3_600 * (row % 40))];
        (contract, format!("T{row:09}"), priority, times)
    };
    let mut text = String::new();
    for (contract, ticket, priority, [reported, responded, resolved]) in (0..rows).map(told) {
        writeln!(
            text,
            "{{\"contract\":\"{contract}\",\"ticket\":\"{ticket}\",\"priority\":\"{priority}\",\"reported_at\":\"{reported}\",\
             \"responded_at\":\"{responded}\",\"resolved_at\":\"{resolved}\"}}"
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("t.ndjson");
    std::fs::write(&lines, &text).unwrap();
    let tables: Vec<arrow::array::RecordBatch> = (0..rows)
        .step_by(1 << 14)
        .map(|from| {
            let part = || (from..rows.min(from + (1 << 14))).map(told);
            let names: DictionaryArray<Int32Type> =
                part().map(|of| of.0).collect::<Vec<_>>().iter().map(String::as_str).collect();
            let kinds: DictionaryArray<Int32Type> =
                part().map(|of| of.2).collect::<Vec<_>>().iter().map(String::as_str).collect();
            let times = |nth: usize| -> ArrayRef {
                let at = part().map(|of| of.3[nth].micros());
                Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC"))
            };
            let columns: [(&str, ArrayRef); 6] = [
                ("contract", Arc::new(names)),
                ("ticket", Arc::new(part().map(|of| Some(of.1)).collect::<StringArray>())),
                ("priority", Arc::new(kinds)),
                ("reported_at", times(0)),
                ("responded_at", times(1)),
                ("resolved_at", times(2)),
            ];
            arrow::array::RecordBatch::try_from_iter(columns).unwrap()
        })
        .collect();
    let always =
        holdback_benches::pack("it-incidents", &[("calendar", "always"), ("customer_pauses", "false")]);
    let batch = ready(&always.unwrap());
    let mut numbers = Numbers::default();
    let mut judged = || {
        let mut missed = 0;
        for table in &tables {
            batch.judge_into(table, &mut numbers).unwrap();
            let states = numbers.clocks.iter().flat_map(|clock| &clock.state);
            missed += states.filter(|state| matches!(state, 4 | 5)).count() as u64;
        }
        missed
    };
    let wanted = judged();
    let read = || {
        let report = assess(&batch, &lines, None, 1);
        assert_eq!((report.tickets, report.refused, report.by_rows), (rows.unsigned_abs(), 0, 0));
        report.clocks.iter().map(|clock| clock.missed).sum::<u64>()
    };
    assert!(wanted > 0);
    let mut group = c.benchmark_group("batch: tickets judged");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows.unsigned_abs()));
    group.bench_function("JSON lines", |b| b.iter(|| assert_eq!(read(), wanted)));
    group.bench_function("the same in memory", |b| b.iter(|| assert_eq!(judged(), wanted)));
    group.finish();
}

criterion_group!(benches, compile, histories, many_clauses, json_lines);
criterion_main!(benches);
