//! Holiday data: the product file, amendments and iCalendar feeds.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::HolidayData;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn amendments_are_known_from_their_publication_on() {
    let china = HolidayData::china().unwrap();
    let dates: Vec<String> = china.amendment_dates().iter().map(NaiveDate::to_string).collect();
    assert_eq!(dates, ["2015-05-13", "2019-03-22", "2020-01-27"]);
    assert_eq!(china.year_range(), Some((2007, 2026)));
    let lists = |on: &str, year: i32| china.known_on(date(on)).years[&year].clone();
    let off = |on: &str, day: &str| lists(on, day[..4].parse().unwrap()).holidays.contains(&date(day));
    let worked = |on: &str, day: &str| lists(on, day[..4].parse().unwrap()).workdays.contains(&date(day));
    for (day, published, before) in [
        ("2015-09-03", "2015-05-13", "2015-05-12"),
        ("2019-05-02", "2019-03-22", "2019-03-21"),
        ("2019-05-04", "2019-03-22", "2019-03-21"),
        ("2020-01-31", "2020-01-27", "2020-01-26"),
        ("2020-02-02", "2020-01-27", "2020-01-26"),
    ] {
        assert!(off(published, day) && !off(before, day), "{day}");
    }
    assert!(off("2019-03-21", "2019-05-01") && off("2020-01-26", "2020-01-30"));
    assert!(!worked("2019-03-21", "2019-04-28") && worked("2019-03-22", "2019-05-05"));
    assert!(worked("2020-01-26", "2020-02-01") && !worked("2020-01-27", "2020-02-01"));
    assert!(worked("2020-01-26", "2020-01-19") && worked("2020-01-27", "2020-01-19"));
    // What was known at any time holds together, and the last knowledge is the lists in force.
    for day in china.amendment_dates() {
        china.known_on(day.pred_opt().unwrap()).check().unwrap();
    }
    assert_eq!(china.known_on(NaiveDate::MAX), china);
}

#[test]
fn contradictory_data_are_refused() {
    for (text, expected) in [
        (r#"{"2026": {"holidays": ["2026-01-01"], "workdays": ["2026-01-01"]}}"#, "both a holiday"),
        (r#"{"2026": {"holidays": ["2025-12-01"]}}"#, "outside the year"),
        (r#"{"2026": {"holiday": []}}"#, "unknown field"),
        (
            r#"{"years": {}, "amendments": [{"published": "2026-01-01", "added_holidays": ["2026-01-02"]}]}"#,
            "lacks",
        ),
        ("[", "EOF"),
    ] {
        let error = HolidayData::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(HolidayData::from_json(r#"{"2026": {"holidays": ["2025-12-31"]}}"#).is_ok());
}

fn feed(events: &[&str]) -> String {
    let events: String =
        events.iter().map(|event| format!("BEGIN:VEVENT\r\nUID:u1\r\n{event}\r\nEND:VEVENT\r\n")).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

fn holidays(events: &[&str]) -> Vec<String> {
    let data = HolidayData::from_ical_years(&feed(events), 2024, 2027).unwrap();
    data.years.values().flat_map(|lists| &lists.holidays).map(NaiveDate::to_string).collect()
}

#[test]
fn all_day_events_give_their_dates() {
    for (event, expected) in [
        ("DTSTART;VALUE=DATE:20260703", &["2026-07-03"][..]),
        ("DTSTART;VALUE=DATE:20260703\r\nDTEND;VALUE=DATE:20260705", &["2026-07-03", "2026-07-04"]),
        ("DTSTART;VALUE=DATE:20260703\r\nDURATION:P2D", &["2026-07-03", "2026-07-04"]),
        ("SUMMARY:long\r\n  name\r\nDTSTART;VALUE=DATE:2026\r\n 0703", &["2026-07-03"]),
        ("DTSTART;VALUE=DATE:20260703\r\nSTATUS:CANCELLED", &[]),
        (
            "DTSTART;VALUE=DATE:20101225\r\nRRULE:FREQ=YEARLY",
            &["2024-12-25", "2025-12-25", "2026-12-25", "2027-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20101225\r\nRRULE:FREQ=YEARLY;UNTIL=20251225\r\nEXDATE;VALUE=DATE:20241225",
            &["2025-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20241128\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2",
            &["2024-11-28", "2025-11-27"],
        ),
        ("DTSTART;VALUE=DATE:20231231\r\nDURATION:P2D\r\nRRULE:FREQ=YEARLY;COUNT=1", &["2024-01-01"]),
        (
            "DTSTART;VALUE=DATE:20260703\r\nRDATE;VALUE=DATE:20260706,20260707",
            &["2026-07-03", "2026-07-06", "2026-07-07"],
        ),
    ] {
        assert_eq!(holidays(&[event]), expected, "{event}");
    }
    let moved = [
        "DTSTART;VALUE=DATE:20260703\r\nRRULE:FREQ=WEEKLY;COUNT=2",
        "RECURRENCE-ID;VALUE=DATE:20260710\r\nDTSTART;VALUE=DATE:20260711",
    ];
    assert_eq!(holidays(&moved), ["2026-07-03", "2026-07-11"]);
    let data = HolidayData::from_ical(&feed(&[
        "SUMMARY:国庆节 补班\r\nDTSTART;VALUE=DATE:20261010",
        "SUMMARY:Moved day\r\nCATEGORIES:OFFICE,Workday\r\nDTSTART;VALUE=DATE:20261011",
    ]))
    .unwrap();
    assert_eq!(data.years[&2026].workdays, [date("2026-10-10"), date("2026-10-11")]);
    // Line feeds alone and a byte order mark are read too.
    let text = format!("\u{feff}{}", feed(&["DTSTART;VALUE=DATE:20260703"]).replace("\r\n", "\n"));
    assert_eq!(HolidayData::from_ical(&text).unwrap().years.len(), 1);
}

#[test]
fn feeds_at_fault_are_refused_by_name() {
    for (event, expected) in [
        (
            "SUMMARY:Meeting\r\nDTSTART:20260703T100000Z",
            "event `Meeting` (uid `u1`): its DTSTART is `20260703T100000Z`",
        ),
        ("DTSTART;VALUE=DATE:20260230", "`20260230`"),
        ("SUMMARY:x", "no DTSTART"),
        ("DTSTART;VALUE=DATE:20260703\r\nDTEND;VALUE=DATE:20260703", "lasts 0 days"),
        ("DTSTART;VALUE=DATE:20260703\r\nDURATION:PT1H", "DURATION"),
        ("DTSTART;VALUE=DATE:20260703\r\nRRULE:FREQ=SOMETIMES", "RRULE"),
        ("DTSTART;VALUE=DATE:20260703\r\nRRULE:FREQ=HOURLY", "all-day"),
        ("DTSTART;VALUE=DATE:20260703\r\nno property", "line 6"),
        ("DTSTART;VALUE=DATE:20260703\r\nEND:VTODO", "line 6"),
    ] {
        let error = HolidayData::from_ical(&feed(&[event])).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for text in ["", "hello", "BEGIN:VCALENDAR", "BEGIN:VEVENT\r\nEND:VEVENT", "END:VCALENDAR"] {
        assert!(HolidayData::from_ical(text).is_err(), "{text}");
    }
    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\n".repeat(10_000));
    assert!(HolidayData::from_ical(&deep).is_err());
    let worked_and_off = ["DTSTART;VALUE=DATE:20260703", "SUMMARY:班\r\nDTSTART;VALUE=DATE:20260703"];
    assert!(HolidayData::from_ical(&feed(&worked_and_off)).unwrap_err().to_string().contains("both"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Recurrence rules of any shape end, and none panics.
    #[test]
    fn any_rule_is_answered(
        freq in proptest::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]),
        parts in proptest::collection::vec((proptest::sample::select(vec![
            "INTERVAL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "UNTIL", "BYEASTER",
        ]), -400i32..400), 0..3),
        day in proptest::option::of(proptest::sample::select(vec!["MO", "-1FR", "5SU", "53TU", "XX"])),
        start in proptest::sample::select(vec!["19000101", "20240229", "99991231", "00010101"]),
    ) {
        let mut rule = format!("FREQ={freq}");
        for (name, value) in parts {
            rule.push_str(&format!(";{name}={value}"));
        }
        if let Some(day) = day {
            rule.push_str(&format!(";BYDAY={day}"));
        }
        let _ = HolidayData::from_ical(&feed(&[&format!("DTSTART;VALUE=DATE:{start}\r\nRRULE:{rule}")]));
    }

    #[test]
    fn any_text_is_answered(lines in proptest::collection::vec(
        prop_oneof![
            Just("BEGIN:VEVENT".to_owned()), Just("END:VEVENT".to_owned()), Just("DTSTART;VALUE=DATE:20260101".to_owned()),
            "[A-Z;=:\"]{0,12}", "\\PC{0,16}",
        ], 0..12)) {
        let _ = HolidayData::from_ical(&lines.join("\n"));
        let _ = HolidayData::from_ical(&format!("BEGIN:VCALENDAR\n{}\nEND:VCALENDAR", lines.join("\n")));
    }
}
