//! The checked language: reading and checking a pack, and evaluating clauses by the typed program and by rhai's interpreter.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use holdback::{Evaluator, Event, Pack, Span};

/// Response and resolution with limits by kind, free in the warranty, a fixed and a growing price with a cap.
const CLAUSE: &str = r#"//! clause: 1
fn response(ticket) {
    switch ticket.kind { "failure" => terms.response_failure, "emergency" => terms.response_emergency, _ => terms.response }
}
fn resolution(ticket) {
    switch ticket.kind { "failure" => terms.resolution_failure, "emergency" => terms.resolution_emergency, _ => terms.resolution }
}
fn deadlines(ticket) {
    [
        due("response").within(response(ticket)).met_by("responded"),
        due("resolution").within(resolution(ticket)).met_by("resolved"),
    ]
}
fn penalty(breach) {
    if breach.clock == "response" {
        terms.fine
    } else {
        min(terms.fine * breach.late.started(terms.step), terms.cap)
    }
}
fn classify(ticket) {
    if ticket.reported_at <= contract.accepted_at + terms.warranty { free("warranty") } else { paid("over") }
}
fn deposit_floor() { terms.floor }
"#;

const PACK: &str = r#"format = 1
name = "bench"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[facts.kind]
type = "one-of"
values = ["failure", "emergency", "question"]
"#;

fn files() -> BTreeMap<String, String> {
    let mut terms = String::new();
    for (name, unit, value) in [
        ("response", "hours", "8"),
        ("response_failure", "minutes", "10"),
        ("response_emergency", "minutes", "30"),
        ("resolution", "hours", "72"),
        ("resolution_failure", "hours", "2"),
        ("resolution_emergency", "hours", "24"),
        ("warranty", "hours", "26280"),
        ("step", "hours", "1"),
        ("fine", "CNY", "\"50.00\""),
        ("cap", "CNY", "\"500.00\""),
        ("floor", "CNY", "\"0.00\""),
    ] {
        terms += &format!(
            "[{name}]\nclause = \"1\"\nunit = \"{unit}\"\nvalues = [{{ from = 2020-01-01, value = {value} }}]\n"
        );
    }
    [
        ("pack.toml", PACK.to_owned()),
        ("terms.toml", terms),
        ("contract.md", "# [1] Response and resolution\n".to_owned()),
        ("clauses/1.rhai", CLAUSE.to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into()
}

fn event(text: &str) -> Event {
    Event::from_json(text).expect("an event")
}

/// One ticket: both limits, the class, and the price of both breaches.
fn evaluate(c: &mut Criterion) {
    let contract =
        [event(r#"{"id":"a","contract":"c","kind":"project_accepted","at":"2026-01-01T00:00:00Z"}"#)];
    let ticket = [event(
        r#"{"id":"r","contract":"c","ticket":"t","kind":"reported","at":"2026-03-02T00:00:00Z","data":{"kind":"failure"}}"#,
    )];
    let mut group = c.benchmark_group("response and resolution, one ticket");
    for (name, evaluator) in [("typed program", Evaluator::Program), ("rhai", Evaluator::Reference)] {
        let pack = Pack::from_files(files()).expect("a pack").evaluated_by(evaluator);
        let quote = pack.quote(&contract, &ticket).expect("a quote");
        let late = Span::minutes(150);
        let prices: Vec<_> = (0..2).map(|clock| quote.price(clock, late).expect("a price")).collect();
        assert_eq!(prices.iter().flatten().map(|money| money.minor()).sum::<i64>(), 5_000 + 15_000);
        assert_eq!((quote.free(), quote.clocks().count()), (Some(true), 2));
        group.bench_function(name, |b| {
            b.iter(|| {
                let asked = quote.again(black_box(late)).expect("answers");
                assert_eq!(asked, 4, "limits, class, two prices");
            });
        });
    }
    group.finish();
}

/// The school pack from disk, cold: read, parsed, typed, checked.
fn check(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/school-after-sales");
    let mut group = c.benchmark_group("the school pack");
    group.sample_size(20);
    group.bench_function("check from disk", |b| {
        b.iter(|| {
            let check = Pack::check_folder(&folder);
            assert!(check.pack.is_some(), "{:?}", check.diagnostics);
            check.diagnostics.len()
        });
    });
    group.finish();
}

criterion_group!(benches, evaluate, check);
criterion_main!(benches);
