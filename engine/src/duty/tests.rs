//! Recurrence rules good and bad, and single duties by hand.

use std::sync::Arc;

use chrono_tz::{Asia, Europe, Tz};

use super::recurrence::RecurrenceError;
use super::{DutySpec, Recurrence, run};
use crate::clock::{ClockState, CountRule, Length};
use crate::terms::{Period, PeriodUnit};
use crate::{Calendar, Instant, Span};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn times(rule: &str, zone: Tz, begins: &str, until: &str) -> Vec<String> {
    let rule = Recurrence::read(rule).unwrap();
    let all = rule.occurrences(at(begins), None, zone, Instant::MIN, at(until));
    all.iter().map(|at| at.to_chrono().with_timezone(&zone).format("%m-%dT%H:%M").to_string()).collect()
}

#[test]
fn occurrences_follow_the_rule_from_the_midnight_of_the_beginning() {
    let begins = "2026-03-02T10:00:00+08:00";
    for (rule, until, expected) in [
        // A Monday at ten: the one o'clock of that day lies before the beginning.
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=1", "2026-03-20T00:00:00+08:00", "03-09T01:00 03-16T01:00"),
        ("FREQ=DAILY;BYHOUR=9,18", "2026-03-04T00:00:00+08:00", "03-02T18:00 03-03T09:00 03-03T18:00"),
        // Without an hour: midnight.
        ("FREQ=DAILY;INTERVAL=2", "2026-03-07T00:00:00+08:00", "03-04T00:00 03-06T00:00"),
        ("freq=monthly;bymonthday=-1;byhour=12", "2026-05-01T00:00:00+08:00", "03-31T12:00 04-30T12:00"),
        // The first of three lies before the beginning, and is one of the three.
        ("FREQ=DAILY;BYHOUR=9;COUNT=3", "2026-04-01T00:00:00+08:00", "03-03T09:00 03-04T09:00"),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20260304", "2026-04-01T00:00:00+08:00", "03-03T09:00 03-04T09:00"),
        (
            "FREQ=DAILY;BYHOUR=9;UNTIL=20260304T010000Z",
            "2026-04-01T00:00:00+08:00",
            "03-03T09:00 03-04T09:00",
        ),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20260304T085959", "2026-04-01T00:00:00+08:00", "03-03T09:00"),
        ("FREQ=DAILY;BYHOUR=9;UNTIL=20260101", "2026-04-01T00:00:00+08:00", ""),
        ("FREQ=MINUTELY;INTERVAL=720", "2026-03-03T13:00:00+08:00", "03-02T12:00 03-03T00:00 03-03T12:00"),
    ] {
        assert_eq!(times(rule, Asia::Shanghai, begins, until).join(" "), expected, "{rule}");
    }
}

#[test]
fn a_spring_gap_moves_and_an_ambiguous_hour_is_the_first() {
    let gap = times(
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=30",
        Europe::Berlin,
        "2026-03-28T00:00:00Z",
        "2026-03-30T12:00:00Z",
    );
    assert_eq!(gap.join(" "), "03-28T02:30 03-29T03:30 03-30T02:30");
    // Both wall times of the gap are one instant; and a later one may come first.
    let both = times(
        "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,45",
        Europe::Berlin,
        "2026-03-28T23:30:00Z",
        "2026-03-29T22:00:00Z",
    );
    assert_eq!(both.join(" "), "03-29T03:00 03-29T03:45");
    let rule = Recurrence::read("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,45").unwrap();
    let mut series = rule.series(at("2026-03-28T23:30:00Z"), Europe::Berlin);
    assert_eq!(series.first_from(Instant::MIN), Some(at("2026-03-29T01:15:00Z")));
    let fall = Recurrence::read("FREQ=DAILY;BYHOUR=2;BYMINUTE=30").unwrap();
    let begins = at("2026-10-24T22:30:00Z");
    let found = fall.occurrences(begins, None, Europe::Berlin, begins, at("2026-10-25T22:00:00Z"));
    assert_eq!(found, [at("2026-10-25T00:30:00Z")]);
}

#[test]
fn the_end_of_the_contract_ends_the_rule() {
    let rule = Recurrence::read("FREQ=DAILY;BYHOUR=9").unwrap();
    let (begins, ended) = (at("2026-03-02T00:00:00Z"), at("2026-03-04T09:00:00Z"));
    let found = rule.occurrences(begins, Some(ended), Tz::UTC, begins, at("2027-01-01T00:00:00Z"));
    assert_eq!(found, [at("2026-03-02T09:00:00Z"), at("2026-03-03T09:00:00Z")]);
}

#[test]
fn bad_rules_are_refused_by_name() {
    use RecurrenceError::{EndsBefore, Malformed, NeverFires, StartInside, TooOften};
    let name = |rule: &str| match Recurrence::read(rule) {
        Ok(_) => "taken",
        Err(Malformed { .. }) => "malformed",
        Err(NeverFires { .. }) => "never",
        Err(TooOften { .. }) => "too often",
        Err(StartInside { .. }) => "start inside",
        Err(EndsBefore { .. }) => "ends before",
    };
    let seconds: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let bomb = format!("FREQ=YEARLY;BYHOUR={};BYMINUTE={0};BYSECOND={0}", seconds[..24].join(","),);
    let bomb = bomb.replace("{0}", &seconds.join(","));
    for (rule, expected) in [
        ("", "malformed"),
        ("every Monday", "malformed"),
        ("FREQ=FORTNIGHTLY", "malformed"),
        ("FREQ=WEEKLY;BYDAY=XX", "malformed"),
        ("FREQ=DAILY;BYHOUR=25", "malformed"),
        ("FREQ=DAILY;INTERVAL=0", "malformed"),
        ("FREQ=DAILY;COUNT=0", "malformed"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101", "malformed"),
        ("FREQ=DAILY;UNTIL=tomorrow", "malformed"),
        ("FREQ=DAILY\nRDATE:20260101", "malformed"),
        ("FREQ=DAILY;频率=1", "malformed"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", "start inside"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31;INTERVAL=7", "never"),
        ("FREQ=SECONDLY", "too often"),
        ("FREQ=MINUTELY", "too often"),
        ("FREQ=MINUTELY;BYMONTH=12", "too often"),
        ("FREQ=HOURLY;BYMINUTE=0,10,20,30,40", "too often"),
        ("FREQ=MINUTELY;INTERVAL=14", "too often"),
        (&bomb, "too often"),
        ("FREQ=DAILY;UNTIL=18991231", "ends before"),
        ("FREQ=MINUTELY;INTERVAL=15", "taken"),
        ("FREQ=SECONDLY;INTERVAL=3600", "taken"),
        ("FREQ=MINUTELY;BYHOUR=9", "taken"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "taken"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;INTERVAL=12", "taken"),
    ] {
        assert_eq!(name(rule), expected, "{rule}");
    }
    let told = Recurrence::read("FREQ=WEEKLY;BYDAY=XX").unwrap_err().to_string();
    assert!(told.contains("`FREQ=WEEKLY;BYDAY=XX`") && told.contains("RFC 5545"), "{told}");
}

fn spec(length: Length) -> DutySpec {
    DutySpec { clause: 0, name: Arc::from("d"), length, early: Span::ZERO, calendar: 0, needs: Arc::new([]) }
}

/// Minutes after the occurrence at noon.
fn minute(n: i64) -> Instant {
    at("2026-03-02T12:00:00Z").checked_add(Span::minutes(n)).unwrap()
}

#[test]
fn a_duty_is_met_at_its_due_instant_and_late_after_it() {
    let calendar = Calendar::always();
    let hour = spec(Length::Open(Span::hours(1)));
    let judged = |done: Option<i64>, still: &[(i64, Option<i64>)], as_of: i64| {
        let still: Vec<_> = still.iter().map(|(a, b)| (minute(*a), b.map(minute))).collect();
        let run =
            run(&hour, &calendar, minute(0), done.map(minute), &still, minute(as_of), &mut |_| {}).unwrap();
        (
            run.state,
            run.due.map(|due| due.since(minute(0)).whole_seconds() / 60),
            run.late.whole_seconds() / 60,
        )
    };
    use ClockState::{Breached, Late, Met, Paused, Running, Waiting};
    assert_eq!(judged(None, &[], -1), (Waiting, None, 0));
    assert_eq!(judged(None, &[], 0), (Running, Some(60), 0));
    assert_eq!(judged(None, &[], 60), (Running, Some(60), 0));
    assert_eq!(judged(None, &[], 61), (Breached, Some(60), 1));
    assert_eq!(judged(Some(60), &[], 90), (Met, Some(60), 0));
    assert_eq!(judged(Some(61), &[], 90), (Late, Some(60), 1));
    assert_eq!(judged(Some(-10), &[], -5), (Met, Some(60), 0));
    // Standing still for half an hour, from the start, over the end, and at the very due instant.
    assert_eq!(judged(None, &[(10, Some(40))], 90), (Running, Some(90), 0));
    assert_eq!(judged(None, &[(10, Some(40))], 91), (Breached, Some(90), 1));
    assert_eq!(judged(None, &[(0, Some(30))], 91), (Breached, Some(90), 1));
    assert_eq!(judged(None, &[(-50, Some(-20)), (10, None)], 900), (Paused, None, 0));
    assert_eq!(judged(None, &[(60, None)], 900), (Paused, None, 0));
    assert_eq!(judged(Some(100), &[(10, None)], 900), (Met, None, 0));
    assert_eq!(judged(None, &[(61, Some(100))], 120), (Breached, Some(60), 21));
    assert_eq!(judged(None, &[(10, Some(20)), (30, Some(40))], 81), (Breached, Some(80), 1));
}

#[test]
fn a_duty_in_days_ends_with_the_last_of_them() {
    let calendar = Calendar::always();
    let days = spec(Length::Days(Period { unit: PeriodUnit::Days, n: 2 }, CountRule::ContractLaw));
    let judged = run(&days, &calendar, minute(0), None, &[], minute(1), &mut |_| {}).unwrap();
    assert_eq!(judged.due, Some(at("2026-03-05T00:00:00Z")));
    let moved = [(minute(10), Some(minute(70)))];
    let judged = run(&days, &calendar, minute(0), None, &moved, minute(71), &mut |_| {}).unwrap();
    assert_eq!(judged.due, Some(at("2026-03-05T01:00:00Z")));
}
