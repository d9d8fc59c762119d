//! Histories that once went wrong, each with what it was about.

use std::sync::Arc;

use holdback::{
    Assessment, ClockOutcome, ClockState, DecisionKind, Engine, Event, Instant, Pack, Span, assess,
};
use serde_json::{Value, json};

use crate::model::history::PACKS;

/// An event of ticket T1 at a time of 2 to 9 March 2026, a Monday to a Monday, Shanghai time.
fn event(id: &str, kind: &str, at: &str, data: Value) -> Event {
    let at = format!("2026-03-{at}:00+08:00");
    let event = json!({ "id": id, "contract": "c", "ticket": "T1", "kind": kind, "at": at, "data": data });
    Event::from_value(event).unwrap()
}

fn at(text: &str) -> Instant {
    format!("2026-03-{text}:00+08:00").parse().unwrap()
}

fn judge(events: &[Event], as_of: &str) -> Assessment {
    let assessment = assess(&PACKS[0], &[], events, at(as_of)).unwrap();
    assert_eq!(assessment.fault, None);
    assessment
}

fn clock(assessment: &Assessment, name: &str) -> ClockOutcome {
    assessment.clocks.iter().find(|clock| &*clock.clock == name).unwrap().clone()
}

fn facts(m: i64, n: i64) -> Value {
    json!({ "kind": "a", "m": m, "n": n })
}

/// A live engine kept judging by the old facts when an event told ahead of its instant changed them.
#[test]
fn facts_told_ahead_of_time_count_from_their_instant_on() {
    let mut engine = Engine::live(at("02T09:00"));
    engine.open(Arc::clone(&PACKS[0])).unwrap();
    engine.submit(event("1", "reported", "02T09:00", facts(60, 480))).unwrap();
    engine.submit(event("2", "updated", "02T09:30", json!({ "m": 180 }))).unwrap();
    engine.advance(at("02T09:29")).unwrap();
    assert_eq!(clock(&engine.assessment("c", "T1").unwrap(), "plain").due, Some(at("02T10:00")));
    let decisions = engine.advance(at("02T11:00")).unwrap();
    assert_eq!(clock(&engine.assessment("c", "T1").unwrap(), "plain").due, Some(at("02T12:00")));
    assert!(!decisions.iter().any(|decision| decision.kind == DecisionKind::Breached), "{decisions:?}");
    assert_eq!(engine.statement("c").unwrap().penalties, []);
}

/// `resolved` stopped the clock, `responded` came after it; reopening took both back.
#[test]
fn a_stop_for_good_outlives_the_stop_that_reopening_takes_back() {
    let events = [
        event("1", "reported", "02T09:00", facts(60, 480)),
        event("2", "resolved", "02T09:20", json!({})),
        event("3", "responded", "02T09:40", json!({})),
        event("4", "reopened", "02T09:50", json!({})),
    ];
    let plain = clock(&judge(&events, "03T09:00"), "plain");
    assert_eq!((plain.state, plain.stopped), (ClockState::Met, Some(at("02T09:40"))));
}

/// The same for a clock that starts later: what stands when it starts meets it.
#[test]
fn what_stands_when_a_clock_starts_meets_it_though_another_stop_was_taken_back() {
    let events = [
        event("1", "reported", "02T09:00", facts(60, 480)),
        event("2", "resolved", "02T09:20", json!({})),
        event("3", "plan_proposed", "02T09:30", json!({})),
        event("4", "reopened", "02T09:40", json!({})),
    ];
    let assessment = judge(&events, "03T09:00");
    assert_eq!(clock(&assessment, "fix").due, Some(at("02T10:20")));
    let plan = clock(&assessment, "plan");
    assert_eq!((plan.state, plan.started), (ClockState::Met, Some(at("02T10:20"))));
    assert_eq!(plan.stopped, plan.started);
}

/// A clock met while it stood still told the due instant from before the pause, which lay before the stop.
#[test]
fn a_clock_met_in_a_pause_has_no_due_instant() {
    let events = [
        event("1", "reported", "02T09:00", facts(60, 480)),
        event("2", "paused", "02T09:30", json!({ "reason": "customer" })),
        event("3", "resolved", "02T11:00", json!({})),
    ];
    let fix = clock(&judge(&events, "03T09:00"), "fix");
    assert_eq!((fix.state, fix.due, fix.used), (ClockState::Met, None, Span::minutes(30)));
}

/// Lateness past an agreed date was told by the clock on the wall, through nights and weekends.
#[test]
fn lateness_past_an_agreed_date_is_open_time() {
    let agreed = json!({ "kind": "b", "plan_due": "2026-03-06T17:00:00+08:00" });
    let events = [
        event("1", "reported", "02T09:00", facts(60, 480)),
        event("2", "plan_agreed", "02T10:00", agreed),
        event("3", "resolved", "09T10:00", json!({})),
    ];
    let agreed = clock(&judge(&events, "09T12:00"), "agreed");
    assert_eq!((agreed.state, agreed.due), (ClockState::Late, Some(at("06T17:00"))));
    assert_eq!(agreed.late, Span::hours(2), "Friday's last hour and Monday's first");
}

/// A late fact took the clause away, and with it the clock: nobody was told that its breach was undone.
#[test]
fn the_breach_of_a_clock_that_is_gone_is_taken_back() {
    let mut engine = Engine::new();
    engine.open(Arc::clone(&PACKS[0])).unwrap();
    engine.submit(event("1", "reported", "02T09:00", json!({ "kind": "b", "m": 6000, "n": 6000 }))).unwrap();
    let decisions = engine.advance(at("05T09:00")).unwrap();
    let of = |kind| move |d: &holdback::Decision| d.kind == kind && d.clock.as_deref() == Some("days");
    assert!(decisions.iter().any(of(DecisionKind::Breached)));
    let decisions = engine.submit(event("2", "updated", "02T09:01", json!({ "kind": "a" }))).unwrap();
    assert!(decisions.iter().any(of(DecisionKind::Restored)), "{decisions:?}");
}

/// A host that slept until `next_due` missed the day on which holidays were published anew.
#[test]
fn the_publication_of_holidays_is_due() {
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\
            [calendars.work]\nholidays = [\"days.json\"]\n[calendars.work.hours]\nmon = [[\"00:00\", \"24:00\"]]\n\
            tue = [[\"00:00\", \"24:00\"]]\n[facts]\nm = { type = \"integer\" }\nn = { type = \"integer\" }\n\
            kind = { type = \"text\" }",
        ),
        ("contract.md", "# [1] Repair"),
        (
            "clauses/1.rhai",
            "//! clause: 1\nfn deadlines(ticket) {\n    \
            [due(\"repair\").within(hours(30)).in_calendar(\"work\").met_by(\"resolved\")]\n}",
        ),
        ("days.json", DAYS),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let mut engine = Engine::live(at("02T09:00"));
    engine
        .open(Arc::new(Pack::from_files(files.into()).unwrap_or_else(|faults| panic!("{faults}"))))
        .unwrap();
    engine.submit(event("1", "reported", "02T08:00", json!({}))).unwrap();
    let due =
        |engine: &Engine| clock(&engine.assessment("c", "T1").unwrap(), "repair").due.unwrap().to_string();
    assert_eq!(due(&engine), "2026-03-03T06:00:00Z");
    let published: Instant = "2026-03-03T00:00:00Z".parse().unwrap();
    assert_eq!(engine.next_due(), Some(published));
    let decisions = engine.advance(published).unwrap();
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    assert_eq!(due(&engine), "2026-03-09T06:00:00Z");
}

const DAYS: &str = r#"{
    "years": { "2026": { "holidays": ["2026-03-03"] } },
    "amendments": [{ "published": "2026-03-03", "added_holidays": ["2026-03-03"] }]
}"#;
