//! Cases from the meaning of working time, as tables.

use chrono::NaiveDate;

use super::{Boundary, Calendar, CalendarDef, CalendarError, DayNote, HolidayData, WeekDay};
use crate::time::{Instant, Span};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn def(json: &str) -> CalendarDef {
    serde_json::from_str(json).unwrap()
}

fn build(json: &str) -> Calendar {
    Calendar::build(&def(json)).unwrap()
}

/// Monday to Friday with a lunch hour.
fn office(zone: &str) -> CalendarDef {
    let hours = vec![
        ("09:00".parse().unwrap(), "12:00".parse().unwrap()),
        ("13:00".parse().unwrap(), "18:00".parse().unwrap()),
    ];
    CalendarDef::new(zone, WeekDay::ALL[..5].iter().map(|day| (*day, hours.clone())).collect())
}

/// All days from `00:00` to `24:00`, but for a Monday holiday far away, so that it is no plain arithmetic.
fn around_the_clock(zone: &str) -> Calendar {
    let mut def = office(zone);
    def.hours = WeekDay::ALL
        .into_iter()
        .map(|day| (day, vec![("00:00".parse().unwrap(), "24:00".parse().unwrap())]))
        .collect();
    def.holidays = vec![date("1950-01-02")];
    Calendar::build(&def).unwrap()
}

#[test]
fn adding_and_subtracting_at_the_edges_of_periods() {
    let calendar = Calendar::build(&office("UTC")).unwrap();
    // Start, hours, closing, next opening. 2026-03-02 is a Monday.
    let cases = [
        ("2026-03-02T08:00:00Z", 0, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T10:00:00Z", 0, "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02T12:00:00Z", 0, "2026-03-02T13:00:00Z", "2026-03-02T13:00:00Z"),
        ("2026-03-02T09:00:00Z", 3, "2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"),
        ("2026-03-02T09:00:00Z", 8, "2026-03-02T18:00:00Z", "2026-03-03T09:00:00Z"),
        ("2026-03-06T17:00:00Z", 1, "2026-03-06T18:00:00Z", "2026-03-09T09:00:00Z"),
        ("2026-03-07T17:00:00Z", 9, "2026-03-10T10:00:00Z", "2026-03-10T10:00:00Z"),
    ];
    for (start, hours, closing, opening) in cases {
        let add = |boundary| calendar.add_with(at(start), Span::hours(hours), boundary).unwrap();
        assert_eq!(add(Boundary::Closing), at(closing), "{start} + {hours} h");
        assert_eq!(add(Boundary::NextOpening), at(opening), "{start} + {hours} h");
    }
    let back = [
        ("2026-03-02T08:00:00Z", 0, "2026-02-27T18:00:00Z"),
        ("2026-03-02T09:00:00Z", 0, "2026-02-27T18:00:00Z"),
        ("2026-03-02T12:00:00Z", 0, "2026-03-02T12:00:00Z"),
        ("2026-03-02T12:30:00Z", 3, "2026-03-02T09:00:00Z"),
        ("2026-03-02T14:00:00Z", 1, "2026-03-02T13:00:00Z"),
        ("2026-03-02T14:00:00Z", 5, "2026-02-27T17:00:00Z"),
    ];
    for (end, hours, start) in back {
        assert_eq!(calendar.subtract(at(end), Span::hours(hours)).unwrap(), at(start), "{end} - {hours} h");
    }
    assert_eq!(
        calendar.add(at("2026-03-02T10:00:00Z"), Span::from_micros(-1)).unwrap_err(),
        CalendarError::NegativeSpan { span: Span::from_micros(-1) }
    );
}

#[test]
fn touching_periods_are_one_stretch_also_over_midnight_and_new_year() {
    let json = r#"{"zone": "UTC", "hours": {"wed": [["20:00", "22:00"], ["22:00", "24:00"]], "thu": [["00:00", "04:00"]]},
        "boundary": "next_opening"}"#;
    let calendar = build(json);
    // 2025-12-31 is a Wednesday.
    for (start, hours, end) in [
        ("2025-12-31T20:00:00Z", 2, "2025-12-31T22:00:00Z"),
        ("2025-12-31T20:00:00Z", 4, "2026-01-01T00:00:00Z"),
        ("2025-12-31T20:00:00Z", 8, "2026-01-07T20:00:00Z"),
    ] {
        assert_eq!(calendar.add(at(start), Span::hours(hours)).unwrap(), at(end), "{hours} h");
    }
    assert_eq!(
        calendar.subtract(at("2026-01-01T00:00:00Z"), Span::ZERO).unwrap(),
        at("2026-01-01T00:00:00Z")
    );
    assert_eq!(
        calendar.subtract(at("2026-01-01T04:00:00Z"), Span::hours(4)).unwrap(),
        at("2026-01-01T00:00:00Z")
    );
    let days = calendar.days(at("2025-12-31T00:00:00Z"), at("2026-01-02T00:00:00Z")).unwrap();
    assert_eq!(days.len(), 2);
    assert_eq!(days[0].periods, [(at("2025-12-31T20:00:00Z"), at("2026-01-01T00:00:00Z"))]);
}

#[test]
fn days_count_the_hours_that_pass_on_them() {
    // Zone, date, hours of that date.
    for (zone, day, hours) in [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2019-02-16", 25),
        ("Asia/Tehran", "2022-03-22", 23),
        ("Australia/Sydney", "2026-04-05", 25),
        ("Australia/Sydney", "2026-10-04", 23),
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Kiritimati", "2026-01-01", 24),
    ] {
        let calendar = around_the_clock(zone);
        let before = calendar.end_of_day(date(day).pred_opt().unwrap()).unwrap();
        let end = calendar.end_of_day(date(day)).unwrap();
        assert_eq!(calendar.between(before, end).unwrap(), Span::hours(hours), "{zone} {day}");
        assert_eq!(end.since(before), Span::hours(hours), "{zone} {day}");
    }
}

#[test]
fn a_time_in_a_gap_moves_on_and_a_doubled_one_is_the_first() {
    // Zone, date, its one period, where that opens and closes.
    let cases = [
        ("Europe/Berlin", "2026-03-29", "02:30", "04:00", Some(("03:30:00+02:00", "04:00:00+02:00"))),
        ("Europe/Berlin", "2026-03-29", "02:30", "03:15", None),
        ("Europe/Berlin", "2026-10-25", "02:30", "03:30", Some(("02:30:00+02:00", "03:30:00+01:00"))),
        ("America/Sao_Paulo", "2018-11-04", "00:00", "00:30", Some(("01:00:00-02:00", "01:30:00-02:00"))),
        ("America/Sao_Paulo", "2018-11-04", "00:00", "02:00", Some(("01:00:00-02:00", "02:00:00-02:00"))),
        ("Asia/Tehran", "2022-03-22", "00:15", "02:00", Some(("01:15:00+04:30", "02:00:00+04:30"))),
        ("Australia/Lord_Howe", "2025-10-05", "02:10", "03:00", Some(("02:40:00+11:00", "03:00:00+11:00"))),
    ];
    for (zone, day, from, until, expected) in cases {
        let json = format!(
            r#"{{"zone": "{zone}", "hours": {{}}, "shifts": [{{"date": "{day}", "hours": [["{from}", "{until}"]]}},
                {{"date": "2030-01-01", "hours": [["09:00", "10:00"]]}}]}}"#
        );
        let calendar = build(&json);
        let opens = calendar.add(at("2000-01-01T00:00:00Z"), Span::ZERO).unwrap();
        match expected {
            Some((open, close)) => {
                let (open, close) = (at(&format!("{day}T{open}")), at(&format!("{day}T{close}")));
                assert_eq!(opens, open, "{zone} {day} {from}");
                assert_eq!(
                    calendar.subtract(at("2029-01-01T00:00:00Z"), Span::ZERO).unwrap(),
                    close,
                    "{zone} {day} {until}"
                );
            }
            None => assert!(opens > at("2029-12-31T00:00:00Z"), "{zone} {day} opens at {opens}"),
        }
    }
    let calendar =
        build(r#"{"zone": "Europe/Berlin", "hours": {"sun": [["02:00", "02:30"], ["03:00", "04:00"]]}}"#);
    let night = |hours| calendar.between(at("2026-03-28T12:00:00Z"), at(hours)).unwrap();
    assert_eq!(night("2026-03-29T12:00:00Z"), Span::hours(1));
}

#[test]
fn mean_time_offsets_with_seconds_and_old_years_work() {
    // Shanghai's local mean time was 8:05:43 ahead until 1901.
    let calendar = Calendar::build(&office("Asia/Shanghai")).unwrap();
    let opens = calendar.add(at("1900-03-05T00:00:00Z"), Span::ZERO).unwrap();
    assert_eq!(opens, at("1900-03-05T00:54:17Z"));
    let start = calendar.end_of_day(date("1900-12-31")).unwrap();
    // The clock was set back over midnight, so 24:00 is the one on the new offset.
    assert_eq!(start, at("1900-12-31T16:00:00Z"));
    let far = calendar.add(at("2200-03-03T00:00:00Z"), Span::hours(1)).unwrap();
    assert_eq!(far, at("2200-03-03T02:00:00Z"));
}

#[test]
fn a_skipped_date_is_no_day() {
    let calendar = Calendar::build(&office("Pacific/Apia")).unwrap();
    let thursday = at("2011-12-29T12:00:00-10:00");
    // Friday the 30th never was: the next working day is Monday.
    assert_eq!(calendar.working_days_after(thursday, 1).unwrap(), at("2012-01-02T18:00:00+14:00"));
    assert_eq!(calendar.calendar_days_after(thursday, 1).unwrap(), at("2012-01-02T18:00:00+14:00"));
    assert_eq!(calendar.same_time_after(thursday, 1).unwrap(), at("2012-01-02T12:00:00+14:00"));
    let days = calendar.days(thursday, at("2012-01-02T12:00:00+14:00")).unwrap();
    let dates: Vec<String> = days.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, ["2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02"]);
}

fn china() -> Calendar {
    let mut def = office("Asia/Shanghai");
    let data = HolidayData::china().unwrap();
    data.add_to(&mut def);
    def.years = data.year_range();
    Calendar::build(&def).unwrap()
}

#[test]
fn china_counts_make_up_days_and_the_spring_festival() {
    let calendar = china();
    // 2026: off from 15 to 23 February, worked on Saturdays 14 and 28 February.
    let start = at("2026-02-13T17:00:00+08:00");
    assert_eq!(calendar.add(start, Span::hours(9)).unwrap(), at("2026-02-14T18:00:00+08:00"));
    assert_eq!(calendar.add(start, Span::hours(10)).unwrap(), at("2026-02-24T10:00:00+08:00"));
    assert_eq!(calendar.working_days_after(start, 2).unwrap(), at("2026-02-24T18:00:00+08:00"));
    assert_eq!(calendar.same_time_after(start, 2).unwrap(), at("2026-02-24T17:00:00+08:00"));
    assert_eq!(calendar.calendar_days_after(start, 3).unwrap(), at("2026-02-24T18:00:00+08:00"));
    assert_eq!(calendar.calendar_weeks_after(start, 1).unwrap(), at("2026-02-24T18:00:00+08:00"));
    assert!(calendar.is_open(at("2026-02-28T10:00:00+08:00")).unwrap());
    let days = calendar.days(at("2026-02-12T00:00:00+08:00"), at("2026-02-16T00:00:00+08:00")).unwrap();
    let notes: Vec<DayNote> = days.iter().map(|day| day.note).collect();
    assert_eq!(notes, [DayNote::Open, DayNote::Open, DayNote::MakeUpDay, DayNote::Holiday]);
    assert_eq!(days[2].counted, Span::hours(8));
}

#[test]
fn dates_without_data_are_errors_not_guesses() {
    let calendar = china();
    let late = at("2026-12-31T17:00:00+08:00");
    assert_eq!(calendar.add(late, Span::hours(1)).unwrap(), at("2026-12-31T18:00:00+08:00"));
    let outside = CalendarError::OutsideYears { year: 2027, first: 2007, last: 2026, demanded: true };
    for result in [
        calendar.add(late, Span::hours(2)),
        calendar.add_with(late, Span::hours(1), Boundary::NextOpening),
        calendar.add(at("2027-03-01T00:00:00Z"), Span::ZERO),
        calendar.working_days_after(late, 1),
        calendar.calendar_months_after(late, 1),
        calendar.end_of_day(date("2027-01-01")),
    ] {
        assert_eq!(result, Err(outside.clone()));
    }
    assert_eq!(
        calendar.subtract(at("2027-01-01T00:00:00+08:00"), Span::ZERO).unwrap(),
        at("2026-12-31T18:00:00+08:00")
    );
    assert!(calendar.subtract(at("2007-01-04T09:00:00+08:00"), Span::hours(1)).is_err());
    assert_eq!(
        outside.to_string(),
        "year 2027 is outside 2007 to 2026, the years the calendar's data covers"
    );
    let unlimited = Calendar::build(&office("Asia/Shanghai")).unwrap();
    assert!(unlimited.is_open(at("1899-06-01T00:00:00Z")).is_err());
    assert!(unlimited.is_open(at("2300-06-01T00:00:00Z")).is_err());
}

#[test]
fn months_end_on_the_corresponding_or_the_last_day() {
    let calendar = Calendar::always_in(chrono_tz::Asia::Shanghai);
    for (start, months, end) in [
        ("2026-01-31T10:00:00+08:00", 1, "2026-03-01T00:00:00+08:00"),
        ("2024-01-31T10:00:00+08:00", 1, "2024-03-01T00:00:00+08:00"),
        ("2026-01-15T10:00:00+08:00", 12, "2027-01-16T00:00:00+08:00"),
    ] {
        assert_eq!(calendar.calendar_months_after(at(start), months).unwrap(), at(end));
    }
    assert_eq!(calendar.calendar_months_after(at("2026-01-15T10:00:00Z"), 0), Err(CalendarError::ZeroCount));
    assert!(calendar.calendar_months_after(at("2026-01-15T10:00:00Z"), u32::MAX).is_err());
    assert!(calendar.calendar_days_after(at("2026-01-15T10:00:00Z"), u32::MAX).is_err());
    assert!(calendar.working_days_after(at("2026-01-15T10:00:00Z"), u32::MAX).is_err());
}

#[test]
fn precedence_is_shift_then_make_up_day_then_holiday_then_week() {
    let calendar = build(
        r#"{"zone": "UTC", "hours": {"tue": [["09:00", "17:00"]], "wed": [["08:00", "12:00"]]},
            "holidays": ["2026-03-03", "2026-03-04", "2026-03-10"],
            "workdays": ["2026-03-04", "2026-03-07", "2026-03-10"],
            "shifts": [{"date": "2026-03-10", "hours": [["20:00", "24:00"]]}, {"date": "2026-03-17", "hours": []}],
            "breaks": [{"date": "2026-03-10", "hours": [["21:00", "22:00"], ["21:30", "22:30"]]}],
            "hours_from": [{"from": "2026-04-01", "hours": {"fri": [["10:00", "11:00"]]}}]}"#,
    );
    let days = calendar.days(at("2026-03-03T00:00:00Z"), at("2026-04-11T00:00:00Z")).unwrap();
    let hours = |day: &str| {
        let day = days.iter().find(|d| d.date == date(day)).unwrap();
        (day.note, day.counted.whole_seconds() / 60, day.has_break)
    };
    for (day, expected) in [
        ("2026-03-03", (DayNote::Holiday, 0, false)),
        ("2026-03-04", (DayNote::MakeUpDay, 240, false)),
        ("2026-03-07", (DayNote::MakeUpDay, 480, false)),
        ("2026-03-08", (DayNote::Weekend, 0, false)),
        ("2026-03-10", (DayNote::Shift, 150, true)),
        ("2026-03-17", (DayNote::Shift, 0, false)),
        ("2026-03-24", (DayNote::Open, 480, false)),
        ("2026-04-07", (DayNote::Weekend, 0, false)),
        ("2026-04-10", (DayNote::Open, 60, false)),
    ] {
        assert_eq!(hours(day), expected, "{day}");
    }
}

#[test]
fn open_time_that_runs_out_is_an_error_at_once() {
    let calendar = build(
        r#"{"zone": "UTC", "hours": {}, "shifts": [{"date": "2026-03-02", "hours": [["09:00", "17:00"]]}]}"#,
    );
    let start = at("2026-03-01T00:00:00Z");
    assert_eq!(calendar.add(start, Span::hours(8)).unwrap(), at("2026-03-02T17:00:00Z"));
    for error in [
        calendar.add(start, Span::hours(9)),
        calendar.add_with(start, Span::hours(8), Boundary::NextOpening),
        calendar.add(start, Span::from_micros(i64::MAX)),
        calendar.add(at("2100-01-01T00:00:00Z"), Span::ZERO),
        calendar.subtract(start, Span::ZERO),
    ] {
        assert!(matches!(error, Err(CalendarError::NotEnoughOpenTime { .. })), "{error:?}");
    }
    let days = calendar.working_days_after(start, 2);
    assert!(matches!(days, Err(CalendarError::NotEnoughWorkingDays { days: 2, .. })), "{days:?}");
}

#[test]
fn faulty_definitions_are_named() {
    for (json, expected) in [
        (r#"{"zone": "Europe/Berln", "hours": {"mon": [["09:00", "17:00"]]}}"#, "nearest is `Europe/Berlin`"),
        (
            r#"{"zone": "UTC", "hours": {"mon": [["22:00", "06:00"]]}}"#,
            "hours.mon: period `22:00` to `06:00`",
        ),
        (r#"{"zone": "UTC", "hours": {}}"#, "never open"),
        (r#"{"zone": "UTC", "hours": {"mon": []}, "workdays": ["2026-03-07"]}"#, "never open"),
        (
            r#"{"zone": "UTC", "hours": {}, "shifts": [{"date": "2026-03-07", "hours": [["09:00", "10:00"]]}],
                "breaks": [{"date": "2026-03-07", "hours": [["08:00", "11:00"]]}]}"#,
            "never open",
        ),
        (
            r#"{"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]},
                "shifts": [{"date": "2026-03-07", "hours": []}, {"date": "2026-03-07", "hours": []}]}"#,
            "shifts: `2026-03-07` stands twice",
        ),
        (
            r#"{"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "years": [2026, 2025]}"#,
            "`2026` to `2025`",
        ),
    ] {
        let error = Calendar::build(&def(json)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for json in [
        r#"{"zone": "UTC", "hours": {"monday": []}}"#,
        r#"{"zone": "UTC", "hours": {"mon": [["9:00", "17:00"]]}}"#,
        r#"{"zone": "UTC", "hours": {"mon": [["09:00", "24:01"]]}}"#,
        r#"{"zone": "UTC", "hours": {}, "holidays": ["2026-02-29"]}"#,
        r#"{"zone": "UTC", "hours": {}, "holidays": ["2026-2-9"]}"#,
        r#"{"zone": "UTC", "hours": {}, "holiday": []}"#,
    ] {
        assert!(serde_json::from_str::<CalendarDef>(json).is_err(), "{json}");
    }
}

#[test]
fn a_definition_is_written_as_it_is_read() {
    let mut written = office("Asia/Shanghai");
    written.holidays = vec![date("2026-01-01")];
    written.boundary = Boundary::NextOpening;
    written.years = Some((2020, 2026));
    let json = serde_json::to_string(&written).unwrap();
    assert!(json.contains(r#""mon":[["09:00","12:00"],["13:00","18:00"]]"#), "{json}");
    assert_eq!(def(&json), written);
}

#[test]
fn long_spans_fold_their_days() {
    let calendar = Calendar::build(&office("Asia/Shanghai")).unwrap();
    let (start, end) = (at("2020-01-01T00:00:00+08:00"), at("2026-01-01T00:00:00+08:00"));
    let days = calendar.days(start, end).unwrap();
    let last = days.last().unwrap();
    assert_eq!((days.len(), last.note, last.through), (400, DayNote::Folded, date("2025-12-31")));
    let sum: i64 = days.iter().map(|day| day.counted.micros()).sum();
    assert_eq!(sum, calendar.between(start, end).unwrap().micros());
    assert!(calendar.days(end, start).unwrap().is_empty());
}

#[test]
fn a_calendar_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Calendar>();
    let calendar = Calendar::build(&office("Europe/Berlin")).unwrap();
    let add = || calendar.add(at("2026-03-02T08:00:00Z"), Span::hours(20_000)).unwrap();
    std::thread::scope(|scope| {
        let ends: Vec<_> = (0..4).map(|_| scope.spawn(add)).collect();
        assert!(ends.into_iter().all(|end| end.join().unwrap() == add()));
    });
}

#[test]
fn always_open_is_plain_arithmetic() {
    let calendar = Calendar::always();
    let (start, span) = (at("2024-02-28T10:00:00Z"), Span::hours(24 * 400));
    let end = start.checked_add(span).unwrap();
    assert_eq!(calendar.add_with(start, span, Boundary::NextOpening).unwrap(), end);
    assert_eq!(calendar.subtract(end, span).unwrap(), start);
    assert_eq!(calendar.between(start, end).unwrap(), span);
    let tables = around_the_clock("UTC");
    assert_eq!(tables.add_with(start, span, Boundary::NextOpening).unwrap(), end);
    assert_eq!(tables.subtract(end, span).unwrap(), start);
    assert_eq!(tables.between(start, end).unwrap(), span);
}

#[test]
fn days_count_back_from_an_instant() {
    let calendar = Calendar::build(&office("UTC")).unwrap();
    let always = Calendar::always();
    // 2026-03-12 is a Thursday, the 14th a Saturday.
    let (thursday, saturday) = (at("2026-03-12T10:00:00Z"), at("2026-03-14T10:00:00Z"));
    for (end, n, closing, same) in [
        (thursday, 0, "2026-03-12T10:00:00Z", "2026-03-12T10:00:00Z"),
        (thursday, 1, "2026-03-10T18:00:00Z", "2026-03-11T10:00:00Z"),
        (thursday, 4, "2026-03-05T18:00:00Z", "2026-03-06T10:00:00Z"),
        (at("2026-03-12T18:00:00Z"), 1, "2026-03-11T18:00:00Z", "2026-03-11T18:00:00Z"),
        (saturday, 1, "2026-03-12T18:00:00Z", "2026-03-12T10:00:00Z"),
        (saturday, 5, "2026-03-06T18:00:00Z", "2026-03-06T10:00:00Z"),
    ] {
        assert_eq!(calendar.working_days_before(end, n).unwrap(), at(closing), "{end} - {n} working days");
        assert_eq!(calendar.same_time_before(end, n).unwrap(), at(same), "{end} - {n} working days");
    }
    assert_eq!(always.days_earlier(thursday, 12).unwrap(), at("2026-02-28T10:00:00Z"));
    assert_eq!(always.months_earlier(at("2026-03-31T10:00:00Z"), 1).unwrap(), at("2026-02-28T10:00:00Z"));
    assert_eq!(always.months_earlier(thursday, 0).unwrap(), thursday);
    assert!(matches!(always.days_earlier(thursday, u32::MAX), Err(CalendarError::OutsideYears { .. })));
    assert!(matches!(always.months_earlier(thursday, u32::MAX), Err(CalendarError::OutsideYears { .. })));
    assert!(matches!(
        calendar.working_days_before(thursday, u32::MAX),
        Err(CalendarError::OutsideYears { .. })
    ));
}

/// Forward, a time in the gap is moved on; back, it is moved back, so that the way there is no shorter than the way back.
#[test]
fn counting_back_into_a_gap_goes_before_it() {
    let berlin = Calendar::always_in("Europe/Berlin".parse().unwrap());
    let monday = at("2026-03-30T02:30:00+02:00");
    assert_eq!(berlin.days_earlier(monday, 1).unwrap(), at("2026-03-29T01:30:00+01:00"));
    let october = at("2026-10-26T02:30:00+01:00");
    assert_eq!(berlin.days_earlier(october, 1).unwrap(), at("2026-10-25T02:30:00+02:00"));
}
