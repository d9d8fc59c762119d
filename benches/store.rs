//! The store in a file: how fast it takes events, opens, finds what is due, proves itself and judges tickets again. Each bench
//! asserts its answer. Goals: see the names.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant as Clock;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use holdback::store::{Access, SqliteStore};
use holdback::{DurableEngine, Event, Instant, Pack, TimeFrom, verify};

/// A pack with one clock of ten open hours, in a calendar without Wednesdays or with them.
fn pack(wednesday: bool) -> Arc<Pack> {
    let day = |name: &str| format!("{name} = [[\"09:00\", \"17:00\"]]\n");
    let mut days = ["mon", "tue", "thu", "fri"].map(day).concat();
    if wednesday {
        days += &day("wed");
    }
    let files = [
        (
            "pack.toml",
            format!(
                "format = 1\nname = \"bench\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\n\
                 [calendars.office.hours]\n{days}"
            ),
        ),
        ("contract.md", "# [1] Repair\n# [2] Deposit\n".to_owned()),
        (
            "clauses/1.rhai",
            "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(30)).in_calendar(\"office\").met_by(\"resolved\")] }\n\
             fn penalty(breach) { yuan(500) }\n"
                .to_owned(),
        ),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }\n".to_owned()),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    Pack::from_files(files.into()).unwrap().into()
}

/// So many tickets, each reported and answered; 500 a minute, so that none is late while they come.
fn events(tickets: usize) -> impl Iterator<Item = Event> {
    let event = |i: usize, kind: &str| Event {
        id: format!("{kind}-{i}"),
        contract: "c".to_owned(),
        ticket: Some(format!("T{i:07}")),
        kind: kind.to_owned(),
        at: Instant::from_seconds(1_772_416_800 + i as i64 / 500 * 2).unwrap(),
        actor: None,
        via: Some("phone".to_owned()),
        data: serde_json::Map::new(),
    };
    (0..tickets).flat_map(move |i| [event(i, "reported"), event(i, "responded")])
}

fn fresh(folder: &Path, name: &str) -> DurableEngine {
    let mut engine = DurableEngine::create(&folder.join(name), TimeFrom::Events).unwrap();
    engine.take_pack(pack(true)).unwrap();
    engine
}

fn fill(engine: &mut DurableEngine, tickets: usize, batch: usize) {
    let mut all = events(tickets).peekable();
    while all.peek().is_some() {
        let part: Vec<Event> = all.by_ref().take(batch).collect();
        assert!(engine.ingest(part).iter().all(Result::is_ok));
    }
}

/// What the disk itself does: a page written and synced, again and again.
fn syncs(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("sync")).unwrap();
    let (begun, count) = (Clock::now(), 300);
    for n in 0..count {
        file.seek(SeekFrom::Start(n * 4096)).unwrap();
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}

/// Bytes of memory that the process has taken at its most.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn ingest(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    println!("the disk: {:.0} syncs/s", syncs(folder.path()));
    let mut group = c.benchmark_group("store: events/s, synchronous FULL");
    group.sample_size(10);
    let mut n = 0;
    for (name, tickets, batch) in [("in batches of 100, at least 20,000", 5000, 100), ("one by one", 100, 1)]
    {
        group.throughput(Throughput::Elements(2 * tickets as u64));
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    n += 1;
                    fresh(folder.path(), &format!("{n}.db"))
                },
                |mut engine| {
                    fill(&mut engine, tickets, batch);
                    assert_eq!(engine.records(), 2 * tickets as u64 + 1);
                    engine
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    println!("the disk: {:.0} syncs/s", syncs(folder.path()));
}

/// `HOLDBACK_TICKETS=1000000` measures what the goals name; making the file takes a minute or two.
fn large(c: &mut Criterion) {
    let tickets = std::env::var("HOLDBACK_TICKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.db");
    let mut engine = fresh(folder.path(), "large.db");
    fill(&mut engine, tickets, 1000);
    let first_due = engine.next_due().unwrap();
    let records = engine.records();
    engine.close().unwrap();
    let mut group = c.benchmark_group(format!("store: {tickets} open tickets"));
    group.sample_size(10);
    group.bench_function("open and find the next due instant, at most 1 s", |b| {
        b.iter(|| {
            let engine = DurableEngine::open(&path).unwrap();
            assert_eq!(engine.next_due(), Some(first_due));
            assert_eq!(engine.records(), records);
        });
    });
    let mut engine = DurableEngine::open(&path).unwrap();
    group.bench_function("next due instant, at most 1 ms", |b| {
        b.iter(|| assert_eq!(engine.next_due(), Some(first_due)));
    });
    let mut n = 0;
    group.bench_function("an event on a ticket that is not in memory, with its sync", |b| {
        b.iter(|| {
            n += 1;
            let mut event = events(1).next().unwrap();
            (event.id, event.ticket) = (format!("again-{n}"), Some(format!("T{:07}", n * 7919 % tickets)));
            (event.kind, event.at) = ("dispatched".to_owned(), engine.now());
            let before = engine.records();
            assert!(engine.submit(event).is_ok());
            assert_eq!(engine.records(), before + 1);
        });
    });
    println!("memory of the whole process at its most, filling included: {} MiB, at most 300", peak() >> 20);
    assert!(peak() < 300 << 20);
    engine.close().unwrap();
    group.throughput(Throughput::Elements(records));
    group.bench_function("verify, at least 200,000 records/s", |b| {
        b.iter(|| {
            let store = SqliteStore::open(&path, Access::Read).unwrap();
            let found = verify(&store).unwrap();
            assert!(found.is_whole() && found.records >= records, "{found:?}");
        });
    });
    group.finish();
    // Once, since it can be done once: all of them missed, then the statement's first line.
    let mut engine = DurableEngine::open(&path).unwrap();
    let begun = Clock::now();
    engine.advance(first_due).unwrap();
    println!("the first due instant: {:.0?}", begun.elapsed());
    engine.close().unwrap();
    let begun = Clock::now();
    let engine = DurableEngine::open_to_read(&path).unwrap();
    let mut lines = 0;
    let mut tell = |_| {
        lines += 1;
        std::ops::ControlFlow::Break(())
    };
    engine.statement_lines("c", &mut tell).unwrap();
    assert_eq!(lines, 1);
    println!("the first line of the statement, opening included: {:.1?}", begun.elapsed());
}

/// `HOLDBACK_TICKETS` again, at most 100,000.
fn correct(_: &mut Criterion) {
    let tickets: usize = std::env::var("HOLDBACK_TICKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let tickets = tickets.min(100_000);
    let folder = tempfile::tempdir().unwrap();
    let mut engine = fresh(folder.path(), "correct.db");
    fill(&mut engine, tickets, 1000);
    let due = engine.next_due().unwrap();
    let begun = Clock::now();
    let correction = engine.correct("c", pack(false)).unwrap();
    assert_eq!(correction.affected, tickets as u64);
    let mut decisions = 0;
    while let Some(some) = engine.go_on_correcting().unwrap() {
        decisions += some.len();
    }
    println!(
        "{tickets} open tickets judged again by another calendar, at most 5 s for 100,000: {:.2?}",
        begun.elapsed()
    );
    assert_eq!(decisions, tickets, "each is due at another instant");
    assert!(engine.next_due().unwrap() > due);
}

criterion_group!(benches, ingest, large, correct);
criterion_main!(benches);
