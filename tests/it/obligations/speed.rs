//! Many events of one contract cost no more than their number.

use std::sync::Arc;

use holdback::{Engine, Event, Span, assess_contract};
use serde_json::json;

use super::{at, event, files};

/// A year of outages of one service, and a duty every hour, told in order.
fn year(events: usize) -> Vec<Event> {
    let first = at("2026-01-01T00:00");
    let mut all = vec![event("s", "signed", "2026-01-01T00:00", json!({}))];
    let step = 31_536_000 / events as i64;
    for n in 0..events as i64 {
        let (kind, data) = match n % 3 {
            0 => ("outage_started", json!({ "outage": format!("o{n}"), "service": "web" })),
            1 => ("outage_ended", json!({ "outage": format!("o{}", n - 1), "service": "web" })),
            _ => ("duty_done", json!({ "duty": "check" })),
        };
        let mut event = event(&format!("n{n:06}"), kind, "2026-01-01T00:00", data);
        event.at = first.checked_add(Span::seconds((n + 1) * step)).unwrap();
        all.push(event);
    }
    all
}

fn pack() -> Arc<holdback::Pack> {
    let mut files = files();
    files[3].1 = r#"//! clause: 1
fn duties() { [duty("check").every("FREQ=MINUTELY;INTERVAL=15").within(minutes(15))] }
fn penalty(breach) { terms.fine }
"#
    .to_owned();
    files[4].1 = r#"//! clause: 2
fn service_levels() { [availability("portal").of_service("web"), availability("year").over_months(12)] }
fn credit(period) { yuan(5) * period.missed }
"#
    .to_owned();
    holdback::Pack::from_files(files.into_iter().collect()).unwrap_or_else(|faults| panic!("{faults}")).into()
}

#[test]
fn a_year_of_events_is_taken_in_order_and_at_once() {
    let (pack, events) = (pack(), year(100_000));
    let end = at("2027-01-02T00:00");
    let mut engine = Engine::new();
    engine.open(Arc::clone(&pack)).unwrap();
    for event in &events {
        engine.submit(event.clone()).unwrap();
    }
    engine.advance(end).unwrap();
    let pure = assess_contract(&pack, &events, &[], end).unwrap();
    assert_eq!(engine.contract_assessment("c").as_ref(), Some(&pure));
    assert_eq!(pure.duties.len(), 365 * 96 + 97);
    assert_eq!(pure.levels.iter().filter(|level| level.closed).count(), 24);
}
