//! Where periods begin, end and close.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::terms::{Period as Days, PeriodUnit};
use crate::vocabulary::DueLength;
use crate::{Calendar, CalendarDef};

/// The periods begun before an instant: subject, beginning, end, closing.
fn shown(level: &Level, zone: Tz, begins: &str, ended: Option<&str>, before: &str) -> Vec<[String; 4]> {
    let days = Calendar::always_in(zone);
    let course = Course::new(level, at(begins), ended.map(at), &days, &days);
    let list = course.periods(at(before)).unwrap();
    let text = |at: Instant| at.to_chrono().with_timezone(&zone).format("%m-%dT%H:%M:%S%.f").to_string();
    list.into_iter().map(|p| [p.subject, text(p.from), text(p.until), text(p.closes)]).collect()
}

#[test]
fn months_last_as_long_as_the_clock_of_the_zone_says() {
    let days = Calendar::always_in(Tz::Europe__Berlin);
    for (period, begins, hours) in [
        (LevelPeriod::Month, "2026-03-01T00:00:00+01:00", 743),
        (LevelPeriod::Month, "2026-10-01T00:00:00+02:00", 745),
        (LevelPeriod::Month, "2026-02-01T00:00:00+01:00", 672),
        (LevelPeriod::Month, "2024-02-01T00:00:00+01:00", 696),
        (LevelPeriod::Quarter, "2026-01-01T00:00:00+01:00", 2159),
        (LevelPeriod::Quarter, "2026-10-01T00:00:00+02:00", 2209),
        (LevelPeriod::Year, "2026-01-01T00:00:00+01:00", 8760),
        (LevelPeriod::Year, "2024-01-01T00:00:00+01:00", 8784),
    ] {
        let begins = at(begins);
        let level = level(period);
        let course = Course::new(&level, begins, None, &days, &days);
        let [first] = &course.periods(begins.succ()).unwrap()[..] else { panic!("{begins}: not one period") };
        assert_eq!(first.until.since(first.from), Span::hours(hours), "{}", first.subject);
        assert!(first.whole && first.from == begins, "{}", first.subject);
    }
}

#[test]
fn periods_are_cut_to_the_contract() {
    let (begins, ended) = ("2026-01-15T09:30:00+08:00", Some("2026-04-10T12:00:00+08:00"));
    let list = shown(&level(LevelPeriod::Month), Tz::Asia__Shanghai, begins, ended, "2027-01-01T00:00:00Z");
    let expected = [
        ["2026-01", "01-15T09:30:00", "02-01T00:00:00", "02-01T00:00:00"],
        ["2026-02", "02-01T00:00:00", "03-01T00:00:00", "03-01T00:00:00"],
        ["2026-03", "03-01T00:00:00", "04-01T00:00:00", "04-01T00:00:00"],
        ["2026-04", "04-01T00:00:00", "04-10T12:00:00", "04-10T12:00:00"],
    ];
    assert_eq!(list, expected);
    let list =
        shown(&level(LevelPeriod::Quarter), Tz::Asia__Shanghai, begins, ended, "2026-04-01T00:00:00+08:00");
    assert_eq!(list, [["2026-Q1", "01-15T09:30:00", "04-01T00:00:00", "04-01T00:00:00"]]);
    let list = shown(&level(LevelPeriod::Year), Tz::Asia__Shanghai, begins, ended, "2026-12-31T00:00:00Z");
    assert_eq!(list, [["2026", "01-15T09:30:00", "04-10T12:00:00", "04-10T12:00:00"]]);
    let list =
        shown(&level(LevelPeriod::Months(3)), Tz::Asia__Shanghai, begins, ended, "2027-01-01T00:00:00Z");
    let expected = [
        ["2026-01", "01-15T09:30:00", "02-01T00:00:00", "02-01T00:00:00"],
        ["2026-02", "01-15T09:30:00", "03-01T00:00:00", "03-01T00:00:00"],
        ["2026-03", "01-15T09:30:00", "04-01T00:00:00", "04-01T00:00:00"],
        ["2026-04", "02-01T00:00:00", "04-10T12:00:00", "04-10T12:00:00"],
    ];
    assert_eq!(list, expected);
}

#[test]
fn a_period_is_whole_when_the_month_that_names_it_is() {
    let days = Calendar::always_in(Tz::UTC);
    for (period, ended, whole) in [
        (LevelPeriod::Month, "2026-04-01T00:00:00Z", [false, true, true]),
        (LevelPeriod::Month, "2026-03-31T23:59:59.999999Z", [false, true, false]),
        (LevelPeriod::Months(3), "2026-04-01T00:00:00Z", [false, true, true]),
        (LevelPeriod::Months(3), "2026-03-02T00:00:00Z", [false, true, false]),
    ] {
        let level = level(period);
        let course = Course::new(&level, at("2026-01-01T00:00:00.000001Z"), Some(at(ended)), &days, &days);
        let list = course.periods(Instant::from_micros(at(ended).micros() + 1).unwrap()).unwrap();
        assert_eq!(list.iter().map(|p| p.whole).collect::<Vec<_>>(), whole, "{period:?} {ended}");
    }
}

#[test]
fn a_period_of_no_time_does_not_exist() {
    let (march, april) = ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00");
    let list = |ended, before| {
        let list = shown(&level(LevelPeriod::Month), Tz::Europe__Berlin, march, ended, before);
        list.into_iter().map(|[subject, ..]| subject).collect::<Vec<_>>()
    };
    assert_eq!(list(Some(april), "2027-01-01T00:00:00Z"), ["2026-03"]);
    assert_eq!(
        list(Some("2026-04-01T00:00:00.000001+02:00"), "2027-01-01T00:00:00Z"),
        ["2026-03", "2026-04"]
    );
    assert!(list(Some(march), "2027-01-01T00:00:00Z").is_empty());
    assert!(list(None, march).is_empty());
    assert_eq!(list(None, "2026-03-01T00:00:00.000001+01:00"), ["2026-03"]);
    assert_eq!(list(None, april), ["2026-03"]);
    assert_eq!(list(None, "2026-04-01T00:00:00.000001+02:00"), ["2026-03", "2026-04"]);
}

#[test]
fn a_period_closes_after_the_settling_time() {
    let week = r#"{"zone": "Asia/Shanghai", "hours": {"mon": [["09:00", "18:00"]], "tue": [["09:00", "18:00"]],
        "wed": [["09:00", "18:00"]], "thu": [["09:00", "18:00"]], "fri": [["09:00", "18:00"]]}}"#;
    let def: CalendarDef = serde_json::from_str(week).unwrap();
    let (office, days) = (Calendar::build(&def).unwrap(), Calendar::always_in(Tz::Asia__Shanghai));
    let days_of = |unit, n| Some(DueLength::Period(Days { unit, n }));
    for (settles, calendar, closes) in [
        (None, &days, "2026-04-01T00:00:00+08:00"),
        (Some(DueLength::Span(Span::hours(36))), &days, "2026-04-02T12:00:00+08:00"),
        (Some(DueLength::Span(Span::hours(-36))), &days, "2026-04-01T00:00:00+08:00"),
        (days_of(PeriodUnit::Days, 0), &days, "2026-04-01T00:00:00+08:00"),
        (days_of(PeriodUnit::Days, 5), &days, "2026-04-06T00:00:00+08:00"),
        (days_of(PeriodUnit::Months, 1), &days, "2026-05-01T00:00:00+08:00"),
        // 1 April is a Wednesday, the fourth a Saturday.
        (days_of(PeriodUnit::WorkingDays, 4), &office, "2026-04-06T18:00:00+08:00"),
        (days_of(PeriodUnit::Days, 4), &office, "2026-04-06T18:00:00+08:00"),
    ] {
        let level = Level { settles, ..level(LevelPeriod::Month) };
        let begins = at("2026-03-01T00:00:00+08:00");
        let course = Course::new(&level, begins, None, &days, calendar);
        assert_eq!(course.periods(begins.succ()).unwrap()[0].closes, at(closes), "{settles:?}");
        assert_eq!(course.next_close(begins).unwrap(), Some(at(closes)), "{settles:?}");
    }
}

#[test]
fn a_date_that_comes_twice_belongs_to_the_period_it_began() {
    // At 00:01 of 1 November 1987 .. 2010 the clocks of St. John's went back to 23:01 of 31 October.
    let days = Calendar::always_in(Tz::America__St_Johns);
    let level = level(LevelPeriod::Month);
    let course = Course::new(&level, at("2009-06-01T00:00:00Z"), None, &days, &days);
    let midnight = at("2009-11-01T00:00:00-02:30");
    let again = midnight.checked_add(Span::minutes(30)).unwrap();
    let before = again.succ();
    let subject = |at| course.holding(at, before).unwrap().into_iter().map(|p| p.subject).collect::<Vec<_>>();
    assert_eq!(again.to_chrono().with_timezone(&days.zone()).format("%F").to_string(), "2009-10-31");
    assert_eq!(subject(again), ["2009-11"]);
    assert_eq!(subject(midnight), ["2009-11"]);
    assert_eq!(subject(Instant::from_micros(midnight.micros() - 1).unwrap()), ["2009-10"]);
}

#[test]
fn what_no_calendar_covers_is_an_error() {
    let days = Calendar::always_in(Tz::UTC);
    let level = level(LevelPeriod::Months(u32::MAX));
    let course = Course::new(&level, at("2299-11-05T00:00:00Z"), None, &days, &days);
    assert_eq!(course.periods(at("2299-12-31T23:00:00Z")).unwrap().len(), 2);
    assert!(course.periods(Instant::MAX).is_err() && course.next_close(Instant::MAX).is_err());
    let course = Course::new(&level, Instant::MIN, Some(Instant::MAX), &days, &days);
    assert!(course.periods(at("2026-01-01T00:00:00Z")).is_err());
    assert!(course.holding(Instant::MAX, Instant::MAX).is_err());
}

fn kinds() -> impl Strategy<Value = LevelPeriod> {
    prop_oneof![
        Just(LevelPeriod::Month),
        Just(LevelPeriod::Quarter),
        Just(LevelPeriod::Year),
        (0u32..14).prop_map(LevelPeriod::Months),
    ]
}

/// An instant of five years, often at an edge.
fn moment() -> impl Strategy<Value = Instant> {
    let edge = |month: i64| {
        let (year, month) = (2024 + month / 12, month % 12 + 1);
        at(&format!("{year}-{month:02}-01T00:00:00+01:00"))
    };
    prop_oneof![
        (0i64..60).prop_map(edge),
        (0i64..60, -1i64..2).prop_map(move |(m, by)| edge(m).checked_add(Span::from_micros(by)).unwrap()),
        (0i64..1800).prop_map(|n| minute(n * 1440 - 365 * 2 * 1440)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_asked_by_instant_is_found_among_all(
        period in kinds(), begins in moment(), ended in proptest::option::of(moment()), settle in 0i64..60,
        asked in proptest::collection::vec((moment(), moment()), 6),
    ) {
        let days = Calendar::always_in(Tz::Europe__Berlin);
        let settles = (settle > 0).then_some(DueLength::Span(Span::hours(settle * 24)));
        let level = Level { settles, ..level(period) };
        let course = Course::new(&level, begins, ended, &days, &days);
        let far = at("2035-01-01T00:00:00Z");
        let all = course.periods(far).unwrap();
        // Without gaps, each with its own name.
        let own = |p: &Period| all.iter().find(|q| q.number == p.number - 1).map(|q| q.until);
        for p in &all {
            prop_assert!(p.from < p.until && p.until <= p.closes);
            prop_assert!(p.from >= begins && ended.is_none_or(|ended| p.until <= ended));
            match period {
                LevelPeriod::Months(_) => {}
                _ => prop_assert_eq!(own(p).unwrap_or(begins), p.from),
            }
            prop_assert!(all.iter().filter(|q| q.subject == p.subject).count() == 1);
        }
        prop_assert_eq!(all.last().and_then(|p| ended.map(|_| p.until)), ended.filter(|ended| *ended > begins));
        for (a, b) in asked {
            let begun = course.periods(b).unwrap();
            prop_assert_eq!(&begun[..], &all[..begun.len()]);
            let holding: Vec<_> = begun.iter().filter(|p| p.from <= a && a < p.until).cloned().collect();
            prop_assert_eq!(course.holding(a, b).unwrap(), holding);
            let closing: Vec<_> = all.iter().filter(|p| a < p.closes && p.closes <= b).cloned().collect();
            prop_assert_eq!(course.closing(a, b).unwrap(), closing);
            let next = all.iter().map(|p| p.closes).filter(|closes| *closes > a).min();
            prop_assert_eq!(course.next_close(a).unwrap(), next);
        }
    }
}
