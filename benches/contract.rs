//! The contract itself: a year of outages and duties, and a month's close of many contracts. Each asserts its answer.
#![allow(missing_docs, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use criterion::{Criterion, criterion_group, criterion_main};
use holdback::{Engine, Event, Instant, Pack, Span, assess_contract};

const EVENTS: i64 = 100_000;
const CONTRACTS: usize = 1_000;
const TICKETS: usize = 100;

fn pack() -> Arc<Pack> {
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\n",
        ),
        ("contract.md", "# [1] Checks\n# [2] Availability\n# [3] Repairs\n# [4] Deposit\n"),
        (
            "clauses/1.rhai",
            "//! clause: 1\nfn duties() { [duty(\"check\").every(\"FREQ=MINUTELY;INTERVAL=15\").within(minutes(15))] }\n\
             fn penalty(breach) { yuan(1) }\n",
        ),
        (
            "clauses/2.rhai",
            "//! clause: 2\nfn service_levels() { [availability(\"portal\").of_service(\"web\").per_month()] }\n\
             fn credit(period) { if period.share < percent(\"99.9\") { yuan(100) } else { yuan(0) } }\n",
        ),
        (
            "clauses/3.rhai",
            "//! clause: 3\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }\n\
             fn service_levels() { [in_time(\"repairs\", \"repair\").per_month()] }\n\
             fn credit(period) { if period.share < percent(95) { yuan(500) } else { yuan(0) } }\n",
        ),
        ("clauses/4.rhai", "//! clause: 4\nfn deposit_floor() { yuan(0) }\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Arc::new(Pack::from_files(files.into()).unwrap_or_else(|faults| panic!("{faults}")))
}

fn at(text: &str) -> Instant {
    text.parse().unwrap_or(Instant::MIN)
}

fn event(id: String, contract: &str, ticket: Option<String>, kind: &str, at: Instant, data: &str) -> Event {
    Event {
        id,
        contract: contract.to_owned(),
        ticket,
        kind: kind.to_owned(),
        at,
        actor: None,
        via: None,
        data: serde_json::from_str(data).unwrap_or_default(),
    }
}

fn after(from: Instant, seconds: i64) -> Instant {
    from.checked_add(Span::seconds(seconds)).unwrap_or(from)
}

/// A year of outages and checks, in order.
fn year() -> Vec<Event> {
    let first = at("2026-01-01T00:00:00+08:00");
    let mut all = vec![event("s".to_owned(), "c", None, "signed", first, "{}")];
    for n in 0..EVENTS {
        let (kind, data) = match n % 3 {
            0 => ("outage_started", format!(r#"{{"outage":"o{n}","service":"web"}}"#)),
            1 => ("outage_ended", format!(r#"{{"outage":"o{}","service":"web"}}"#, n - 1)),
            _ => ("duty_done", r#"{"duty":"check"}"#.to_owned()),
        };
        let when = after(first, (n + 1) * (31_536_000 / EVENTS));
        all.push(event(format!("n{n:06}"), "c", None, kind, when, &data));
    }
    all
}

fn taken(pack: &Arc<Pack>, events: &[Event], end: Instant) -> Engine {
    let mut engine = Engine::new();
    assert!(engine.open(Arc::clone(pack)).is_ok());
    for event in events {
        assert!(engine.submit(event.clone()).is_ok());
    }
    assert!(engine.advance(end).is_ok());
    engine
}

/// A year of 100,000 outage and duty events of one contract: assessed at once, and taken one by one.
fn a_year(c: &mut Criterion) {
    let (pack, events, end) = (pack(), year(), at("2027-01-02T00:00:00+08:00"));
    let closed = |found: Option<usize>| assert_eq!(found, Some(24));
    let mut group = c.benchmark_group("contract/a year of 100,000 events");
    group.sample_size(10);
    group.bench_function("assessed at once", |b| {
        b.iter(|| {
            let found = assess_contract(&pack, &events, &[], end).ok();
            closed(found.map(|found| found.levels.iter().filter(|level| level.closed).count()));
        });
    });
    group.bench_function("taken one by one", |b| {
        b.iter(|| {
            let engine = taken(&pack, &events, end);
            assert!(!engine.ledger("c").is_empty());
        });
    });
    group.finish();
}

/// Many contracts with their tickets of March, the moment before the month ends.
fn before_the_close(pack: &Arc<Pack>) -> Engine {
    let (signed, first) = (at("2026-03-01T00:00:00+08:00"), at("2026-03-02T00:00:00+08:00"));
    let mut engine = Engine::new();
    let names: Vec<String> = (0..CONTRACTS).map(|n| format!("c{n}")).collect();
    for name in &names {
        assert!(engine.open_as(name, Arc::clone(pack)).is_ok());
        assert!(engine.submit(event(format!("{name}/s"), name, None, "signed", signed, "{}")).is_ok());
    }
    for ticket in 0..TICKETS {
        let reported = after(first, 6 * 3_600 * ticket as i64);
        // Every tenth is late.
        let resolved = after(reported, if ticket % 10 == 0 { 7_201 } else { 7_200 });
        for (kind, when) in [("reported", reported), ("resolved", resolved)] {
            for name in &names {
                let id = format!("{name}/{ticket}/{kind}");
                assert!(engine.submit(event(id, name, Some(format!("T{ticket}")), kind, when, "{}")).is_ok());
            }
        }
    }
    assert!(engine.advance(at("2026-03-31T23:59:59+08:00")).is_ok());
    engine
}

/// The close of March for 1,000 contracts with 100 tickets each: measures, credits, the ledger, decisions and notices.
fn a_close(c: &mut Criterion) {
    let pack = {
        // Without the quarter-hourly checks: their own bench is above.
        let mut files = std::collections::BTreeMap::new();
        let whole = pack();
        for path in ["pack.toml", "contract.md", "clauses/2.rhai", "clauses/3.rhai", "clauses/4.rhai"] {
            files.insert(path.to_owned(), whole.file(path).unwrap_or_default().replace("# [1] Checks\n", ""));
        }
        Arc::new(Pack::from_files(files).unwrap_or_else(|faults| panic!("{faults}")))
    };
    let mut group = c.benchmark_group("contract/a month's close");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_millis(1));
    group.bench_function("1,000 contracts, 100 tickets each", |b| {
        b.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                let mut engine = before_the_close(&pack);
                let watch = stopwatch();
                let decisions = engine.advance(at("2026-04-01T00:00:00+08:00"));
                total += watch.elapsed();
                let closed = decisions.map(|all| all.iter().filter(|d| d.amount.is_some()).count()).ok();
                assert!(closed.is_some_and(|closed| closed >= CONTRACTS), "{closed:?}");
            }
            total
        });
    });
    group.finish();
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn stopwatch() -> Stopwatch {
    Stopwatch::now()
}

criterion_group!(benches, a_year, a_close);
criterion_main!(benches);
