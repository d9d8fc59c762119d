//! Laws of working time, by the calendar itself and by a clock.

use holdback::{
    Boundary, Calendar, CalendarDef, ClockState, DateHours, Event, HourMinute, Hours, Instant, Span, WeekDay,
    assess,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::model::history::PACKS;

const DAYS: [WeekDay; 7] =
    [WeekDay::Mon, WeekDay::Tue, WeekDay::Wed, WeekDay::Thu, WeekDay::Fri, WeekDay::Sat, WeekDay::Sun];

fn time(minutes: u32) -> HourMinute {
    format!("{:02}:{:02}", minutes / 60, minutes % 60).parse().unwrap()
}

fn hours() -> impl Strategy<Value = Hours> {
    let period = (0..1439u32, 1..900u32).prop_map(|(from, long)| (time(from), time((from + long).min(1440))));
    prop::collection::vec(period, 0..3)
}

fn calendar() -> impl Strategy<Value = Calendar> {
    let zone =
        select(&["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"][..]);
    let boundary = select(&[Boundary::Closing, Boundary::NextOpening][..]);
    let date = |days: u64| chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(days);
    let holidays = prop::collection::btree_set(0..400u64, 0..12);
    let shifts = prop::collection::btree_map(0..400u64, hours(), 0..6);
    (zone, prop::collection::vec(hours(), 7), boundary, holidays, shifts).prop_filter_map(
        "never open",
        move |(zone, week, boundary, holidays, shifts)| {
            let mut def = CalendarDef::new(zone, DAYS.into_iter().zip(week).collect());
            def.boundary = boundary;
            def.holidays = holidays.into_iter().map(date).collect();
            def.shifts =
                shifts.into_iter().map(|(day, hours)| DateHours { date: date(day), hours }).collect();
            let weekly = def.hours.values().any(|hours| !hours.is_empty());
            weekly.then(|| Calendar::build(&def).unwrap())
        },
    )
}

/// An instant of 2026 and the month after, often on a minute.
fn instant() -> impl Strategy<Value = Instant> {
    let start: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
    (0..570_000i64, prop_oneof![3 => Just(0i64), 1 => 0..60_000_000i64]).prop_map(move |(minutes, micros)| {
        start.checked_add(Span::minutes(minutes) + Span::from_micros(micros)).unwrap()
    })
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![3 => (0..6000i64).prop_map(Span::minutes), 1 => (0..360_000_000_000i64).prop_map(Span::from_micros)]
}

/// When a clock of the test pack falls due that is reported and then paused and resumed in turn.
fn due_of(clock: &str, reported: i64, target: i64, turns: &[i64]) -> Option<Instant> {
    let event = |id: String, kind: &str, minutes: i64, data: serde_json::Value| Event {
        id,
        contract: "c".to_owned(),
        ticket: Some("T1".to_owned()),
        kind: kind.to_owned(),
        at: Instant::from_seconds(1_774_483_200 + minutes * 60).unwrap(),
        actor: None,
        via: None,
        data: data.as_object().cloned().unwrap_or_default(),
    };
    let facts = json!({ "kind": "a", "m": target, "n": target });
    let mut events = vec![event("r".to_owned(), "reported", reported, facts)];
    for (i, at) in turns.iter().enumerate() {
        let kind = if i % 2 == 0 { "paused" } else { "resumed" };
        events.push(event(format!("p{i}"), kind, *at, json!({ "reason": "customer" })));
    }
    let as_of = Instant::from_seconds(1_774_483_200 + 40 * 86_400).unwrap();
    let assessment = assess(&PACKS[0], &[], &events, as_of).unwrap();
    let clock = assessment.clocks.into_iter().find(|found| found.clock == clock).unwrap();
    assert_ne!(clock.state, ClockState::Running, "40 days are enough to be breached or paused");
    clock.due
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn added_working_time_measures_what_was_added(calendar in calendar(), start in instant(), span in span()) {
        let due = calendar.add(start, span).unwrap();
        prop_assert!(due >= start);
        prop_assert_eq!(calendar.between(start, due).unwrap(), span);
        let back = calendar.subtract(due, span).unwrap();
        prop_assert_eq!(calendar.between(back, due).unwrap(), span);
        prop_assert_eq!(calendar.between(due, start).unwrap(), Span::ZERO);
    }

    #[test]
    fn more_time_or_a_later_start_is_never_due_sooner(
        calendar in calendar(), a in instant(), b in instant(), x in span(), y in span()
    ) {
        let (first, second) = (a.min(b), a.max(b));
        let (short, long) = (x.min(y), x.max(y));
        prop_assert!(calendar.add(first, short).unwrap() <= calendar.add(second, short).unwrap());
        prop_assert!(calendar.add(first, short).unwrap() <= calendar.add(first, long).unwrap());
    }

    #[test]
    fn a_stretch_is_the_sum_of_its_parts(calendar in calendar(), mut at in [instant(), instant(), instant()]) {
        at.sort();
        let [a, b, c] = at;
        let parts = calendar.between(a, b).unwrap() + calendar.between(b, c).unwrap();
        prop_assert_eq!(calendar.between(a, c).unwrap(), parts);
    }

    #[test]
    fn a_clock_s_due_instant_follows_its_start_and_its_length(
        clock in select(&["plain", "answer", "fix", "next", "night"][..]),
        starts in (0..4000i64, 0..4000i64),
        targets in (0..60i64, 0..60i64),
        turns in prop::collection::btree_set(0..6000i64, 0..7),
    ) {
        let turns: Vec<i64> = turns.into_iter().collect();
        let (early, late) = (starts.0.min(starts.1), starts.0.max(starts.1));
        let (short, long) = (targets.0.min(targets.1) * 30, targets.0.max(targets.1) * 30);
        // A clock that is never due, since its last pause does not end, is due after all others.
        let due = |start, target| due_of(clock, start, target, &turns).unwrap_or(Instant::MAX);
        prop_assert!(due(early, short) <= due(late, short));
        prop_assert!(due(early, short) <= due(early, long));
    }
}
