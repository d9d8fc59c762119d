//! Adding and measuring open time: the cost of one operation, for spans of hours and of years. Goal: at most 100 ns to add.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use holdback::{Calendar, CalendarDef, HolidayData, Instant, Span};

/// China's office hours from 2021 to 2025, lunch breaks, holidays and make-up days in.
fn office() -> Calendar {
    let day = r#"[["09:00", "12:00"], ["13:00", "18:00"]]"#;
    let hours: Vec<String> =
        ["mon", "tue", "wed", "thu", "fri"].iter().map(|name| format!("\"{name}\": {day}")).collect();
    let text = format!(r#"{{"zone": "Asia/Shanghai", "hours": {{{}}}}}"#, hours.join(", "));
    let mut def: CalendarDef = serde_json::from_str(&text).expect("a definition");
    HolidayData::china().expect("the shipped data").add_to(&mut def);
    Calendar::build(&def).expect("a calendar")
}

/// A thousand starts over five years, at all hours of day and night.
fn starts() -> Vec<Instant> {
    let first: Instant = "2021-01-01T00:00:00Z".parse().unwrap();
    (0..1_000_i64).map(|i| first.checked_add(Span::seconds(i * 157_679)).unwrap()).collect()
}

fn add(c: &mut Criterion) {
    let calendar = office();
    let starts = starts();
    for (name, span) in [
        ("add 2 hours", Span::hours(2)),
        ("add 40 hours", Span::hours(40)),
        ("add 2 years of working time", Span::hours(2 * 2_000)),
    ] {
        // Adding and then measuring gives the span back: the answers are right before they are timed.
        for start in &starts {
            let due = calendar.add(*start, span).unwrap();
            assert_eq!(calendar.between(*start, due).unwrap(), span);
        }
        let mut next = starts.iter().cycle();
        c.bench_function(&format!("calendar: {name}"), |b| {
            b.iter(|| calendar.add(black_box(*next.next().unwrap()), black_box(span)).unwrap());
        });
    }
    let end = *starts.last().unwrap();
    let mut next = starts.iter().cycle();
    c.bench_function("calendar: measure up to 5 years", |b| {
        b.iter(|| calendar.between(black_box(*next.next().unwrap()), black_box(end)).unwrap());
    });
}

criterion_group!(benches, add);
criterion_main!(benches);
