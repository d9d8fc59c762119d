//! What holds a clock: force majeure, pauses up to a limit; and deadlines that count back.

use holdback::{ClockState, DecisionKind, Instant};
use serde_json::json;

use super::{at, engine, event, jump, live, money_owed, pack, reported, steps};

const HOURLY: &str = "yuan(10) * started(breach.late, hours(1))";

#[test]
fn force_majeure_holds_a_clock_until_its_own_end() {
    let clock = ".within(hours(2))";
    let started = |id, time, data| event(id, "force_majeure_started", time, data);
    let ended = |id, time, data| event(id, "force_majeure_ended", time, data);
    let held = pack(clock, HOURLY);
    let flood = json!({ "window": "flood" });
    // Before the breach: half an hour was used, the rest comes after the flood.
    let events = [
        reported(),
        started("2", "02T10:30", flood.clone()),
        event("3", "resumed", "02T11:00", json!({})),
        ended("4", "02T18:00", flood.clone()),
    ];
    steps(&held, &events, "02T20:30", &[("02T19:30", 10)]);
    // In the middle of growth; an end without a name ends every window.
    let events = [
        reported(),
        started("2", "02T12:30", flood.clone()),
        started("3", "02T14:00", json!({ "window": "strike", "clocks": ["repair"] })),
        ended("4", "02T15:00", flood.clone()),
        ended("5", "02T16:00", json!({})),
        event("6", "resolved", "02T17:00", json!({})),
    ];
    steps(&held, &events, "03T12:00", &[("02T12:00", 10), ("02T16:30", 20)]);
    // The end of another window, and a window of other clocks, change nothing.
    let events = [
        reported(),
        started("2", "02T09:00", json!({ "clocks": ["response"] })),
        ended("3", "02T11:00", flood.clone()),
    ];
    steps(&held, &events, "02T13:00", &[("02T12:00", 10)]);
    // A stop counts as usual; one that never ends goes on.
    let events = [reported(), started("2", "02T09:00", json!({}))];
    steps(&held, &events, "20T13:00", &[]);
    let (mut engine, _) = jump(&held, &events, at("20T13:00"));
    let clock = |engine: &holdback::Engine| engine.assessment("c", "T1").unwrap().clocks.remove(0);
    assert_eq!((clock(&engine).state, clock(&engine).due), (ClockState::Paused, None));
    engine.submit(event("3", "resolved", "20T12:00", json!({}))).unwrap();
    assert_eq!(clock(&engine).state, ClockState::Met);
}

#[test]
fn force_majeure_told_late_takes_a_penalty_back() {
    let held = pack(".within(hours(2))", HOURLY);
    let (mut engine, _) = live(&held, &[reported()], at("02T14:30"));
    assert_eq!(money_owed(&engine), [3_000]);
    let told = event("2", "force_majeure_started", "02T11:00", json!({}));
    let decided = engine.submit(told).unwrap();
    let kinds: Vec<DecisionKind> = decided.iter().map(|decision| decision.kind).collect();
    assert!(kinds.contains(&DecisionKind::Reversed) && kinds.contains(&DecisionKind::Restored), "{kinds:?}");
    assert!(money_owed(&engine).is_empty());
    let stretch = engine.explain("c", "T1").unwrap().clocks.remove(0).stretches.remove(0);
    assert_eq!((stretch.to, stretch.ended_by.as_deref()), (at("02T11:00"), Some("force_majeure_started")));
}

const LIMITED: &str = ".within(hours(2)).pauses_for(\"customer\", \"parts\").pauses_at_most(hours(3))";

/// The clock as it stands, and when the engine wants to be asked again.
fn state_at(events: &[holdback::Event], to: Instant) -> (ClockState, Option<Instant>, Option<Instant>) {
    let (engine, _) = jump(&pack(LIMITED, HOURLY), events, to);
    let clock = engine.assessment("c", "T1").unwrap().clocks.remove(0);
    (clock.state, clock.due, engine.next_due())
}

#[test]
fn pauses_hold_a_clock_up_to_their_limit() {
    use ClockState::{Breached, Paused, Running};
    let paused = |id, time, reason| event(id, "paused", time, json!({ "reason": reason }));
    let events = [reported(), paused("2", "02T10:30", "customer")];
    let (limit, due) = (at("02T13:30"), at("02T15:00"));
    assert_eq!(state_at(&events, at("02T13:29")), (Paused, None, Some(limit)));
    assert_eq!(state_at(&events, limit), (Running, Some(due), Some(due.succ())));
    assert_eq!(state_at(&events, due.succ()).0, Breached);
    steps(&pack(LIMITED, HOURLY), &events, "02T16:30", &[("02T15:00", 10), ("02T16:00", 20)]);
    // Two pauses share the limit, and pauses that overlap are one.
    let events = [
        reported(),
        paused("2", "02T10:30", "customer"),
        event("3", "resumed", "02T12:00", json!({})),
        paused("4", "02T12:30", "parts"),
        paused("5", "02T13:30", "customer"),
        event("6", "resumed", "02T13:45", json!({ "reason": "parts" })),
        event("7", "resumed", "02T20:00", json!({})),
        paused("8", "02T21:00", "customer"),
    ];
    // Used: 30 min, then 30 min from noon, then from 14:00 on.
    assert_eq!(state_at(&events, at("02T13:59")), (Paused, None, Some(at("02T14:00"))));
    assert_eq!(state_at(&events, at("02T14:00")).1, Some(at("02T15:00")));
    steps(
        &pack(LIMITED, "yuan(10) * full(breach.late, hours(3))"),
        &events,
        "02T21:30",
        &[("02T18:00", 10), ("02T21:00", 20)],
    );
    // A pause before the start is counted from the start on, and what a stop ends is not counted.
    let events = [
        paused("1", "02T08:00", "customer"),
        event("2", "reported", "02T10:00", json!({})),
        event("3", "resolved", "02T11:00", json!({})),
        event("4", "reopened", "02T18:00", json!({})),
        paused("5", "02T19:00", "customer"),
    ];
    assert_eq!(state_at(&events, at("02T20:30")), (Paused, None, Some(at("02T21:00"))));
    assert_eq!(
        state_at(&events, at("02T21:00")),
        (Running, Some(at("02T22:00")), Some(at("02T22:00").succ()))
    );
}

/// A missed clock that is paused up to a limit grows on after it.
#[test]
fn a_penalty_grows_on_when_the_pauses_are_used_up() {
    let paused = event("2", "paused", "02T12:30", json!({ "reason": "customer" }));
    let events = [reported(), paused];
    let (engine, _) = jump(&pack(LIMITED, HOURLY), &events, at("02T13:00"));
    assert_eq!(engine.next_due(), Some(at("02T16:00").succ()));
    steps(
        &pack(LIMITED, HOURLY),
        &events,
        "02T17:30",
        &[("02T12:00", 10), ("02T16:00", 20), ("02T17:00", 30)],
    );
}

/// While force majeure holds the clock, no pause is used up.
#[test]
fn force_majeure_does_not_use_up_pauses() {
    let events = [
        reported(),
        event("2", "paused", "02T10:30", json!({ "reason": "customer" })),
        event("3", "force_majeure_started", "02T11:30", json!({})),
        event("4", "force_majeure_ended", "02T20:00", json!({})),
    ];
    assert_eq!(state_at(&events, at("02T19:00")), (ClockState::Paused, None, Some(at("02T20:00"))));
    assert_eq!(state_at(&events, at("02T20:00")), (ClockState::Paused, None, Some(at("02T22:00"))));
    steps(&pack(LIMITED, HOURLY), &events, "02T23:31", &[("02T23:30", 10)]);
}

#[test]
fn a_deadline_counts_back_from_an_instant() {
    let due = |length: &str, course: &str| {
        let pack = pack(length, HOURLY);
        let mut engine = engine(&pack);
        let told = json!({ "course_at": course });
        engine.submit(event("1", "reported", "02T10:00", told)).unwrap();
        engine.advance(at("02T10:01")).unwrap();
        let clock = engine.assessment("c", "T1").unwrap().clocks.remove(0);
        (clock.state, clock.due.unwrap())
    };
    let course = "2026-03-12T14:00:00Z";
    for (length, wanted) in [
        (".before(\"course_at\", days(3))", "09T14:00"),
        (".before(\"course_at\", weeks(1))", "05T14:00"),
        // The days between are whole: Wednesday and Tuesday.
        (".before(\"course_at\", working_days(2)).in_calendar(\"work\")", "09T17:00"),
    ] {
        assert_eq!(due(length, course), (ClockState::Running, at(wanted)), "{length}");
    }
    let passed = due(".before(\"course_at\", months(1))", course);
    assert_eq!(passed, (ClockState::Breached, "2026-02-12T14:00:00Z".parse().unwrap()));
}
