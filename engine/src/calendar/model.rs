//! The calendar against a second one that knows no tables: it steps minute by minute.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{Boundary, Calendar, CalendarDef, DateHours, DatedHours, HourMinute, Hours, WeekDay, WeekHours};
use crate::time::{Instant, Span};

const MINUTE: i64 = 60_000_000;
const WINDOW_DAYS: u64 = 45;

/// Open minutes of a window, by number since the window's start.
struct Minutes {
    start: i64,
    open: Vec<bool>,
}

fn wall_minutes(hours: &Hours, minutes: &mut [bool], to: bool) {
    for (from, until) in hours {
        minutes[(from.seconds() / 60) as usize..(until.seconds() / 60) as usize].fill(to);
    }
}

/// The open minutes of a date on its own clock, straight from the order of precedence.
fn date_minutes(def: &CalendarDef, date: NaiveDate) -> Vec<bool> {
    let mut weekly = &def.hours;
    let mut latest = NaiveDate::MIN;
    for dated in &def.hours_from {
        if dated.from <= date && dated.from > latest {
            (weekly, latest) = (&dated.hours, dated.from);
        }
    }
    let of = |day: usize| weekly.get(&WeekDay::ALL[day]).cloned().unwrap_or_default();
    let own = of(date.weekday().num_days_from_monday() as usize);
    let hours = if let Some(shift) = def.shifts.iter().find(|shift| shift.date == date) {
        shift.hours.clone()
    } else if def.workdays.contains(&date) {
        match &def.workday_hours {
            Some(hours) => hours.clone(),
            None if !own.is_empty() => own,
            None => (0..7).map(of).find(|hours| !hours.is_empty()).unwrap_or_default(),
        }
    } else if def.holidays.contains(&date) {
        Vec::new()
    } else {
        own
    };
    let mut minutes = vec![false; 1440];
    wall_minutes(&hours, &mut minutes, true);
    for pause in def.breaks.iter().filter(|pause| pause.date == date) {
        wall_minutes(&pause.hours, &mut minutes, false);
    }
    minutes
}

/// The first instant a clock shows a time, or as long after the gap's start as the time is.
fn to_utc(zone: Tz, local: NaiveDateTime) -> i64 {
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return at.timestamp_micros();
    }
    let mut before = local;
    loop {
        before -= TimeDelta::minutes(1);
        if let Some(at) = zone.from_local_datetime(&before).latest() {
            return (at + (local - before)).timestamp_micros();
        }
    }
}

impl Minutes {
    fn new(def: &CalendarDef, first: NaiveDate) -> Minutes {
        let zone: Tz = def.zone.parse().unwrap();
        let start = first.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        let mut open = vec![false; (WINDOW_DAYS * 1440) as usize];
        for date in (first - Days::new(4)).iter_days().take(WINDOW_DAYS as usize + 8) {
            let minutes = date_minutes(def, date);
            let midnight = date.and_time(NaiveTime::MIN);
            let utc = |minute: usize| to_utc(zone, midnight + TimeDelta::minutes(minute as i64));
            let mut minute = 0;
            while minute < 1440 {
                let run = minutes[minute..].iter().take_while(|open| **open).count();
                if run > 0 {
                    let (from, until) = (utc(minute), utc(minute + run));
                    let mut at = from.max(start);
                    while at < until && ((at - start) / MINUTE) < open.len() as i64 {
                        open[((at - start) / MINUTE) as usize] = true;
                        at += MINUTE;
                    }
                }
                minute += run.max(1);
            }
        }
        Minutes { start, open }
    }

    fn at(&self, micros: i64) -> Option<bool> {
        usize::try_from((micros - self.start).div_euclid(MINUTE)).ok().and_then(|i| self.open.get(i)).copied()
    }

    fn next_minute(&self, micros: i64) -> i64 {
        self.start + ((micros - self.start).div_euclid(MINUTE) + 1) * MINUTE
    }

    fn next_open(&self, mut at: i64) -> Option<i64> {
        while !self.at(at)? {
            at = self.next_minute(at);
        }
        Some(at)
    }

    fn add(&self, start: i64, mut left: i64, boundary: Boundary) -> Option<i64> {
        let mut at = self.next_open(start)?;
        if left == 0 {
            return Some(at);
        }
        loop {
            let minute_end = self.next_minute(at);
            if self.at(at)? {
                let here = left.min(minute_end - at);
                left -= here;
                at += here;
                if left == 0 {
                    let ends = at == minute_end && boundary == Boundary::NextOpening;
                    return if ends { self.next_open(at) } else { Some(at) };
                }
            } else {
                at = minute_end;
            }
        }
    }

    fn subtract(&self, end: i64, mut left: i64) -> Option<i64> {
        let minute_start = |at: i64| self.start + (at - 1 - self.start).div_euclid(MINUTE) * MINUTE;
        let mut at = end;
        while !self.at(at - 1)? {
            at = minute_start(at);
        }
        while left > 0 {
            if self.at(at - 1)? {
                let here = left.min(at - minute_start(at));
                left -= here;
                at -= here;
            } else {
                at = minute_start(at);
            }
        }
        Some(at)
    }

    fn between(&self, start: i64, end: i64) -> Option<i64> {
        let (mut at, mut sum) = (start, 0);
        while at < end {
            let until = self.next_minute(at).min(end);
            if self.at(at)? {
                sum += until - at;
            }
            at = until;
        }
        Some(sum)
    }
}

fn hour_minute(minute: u32) -> HourMinute {
    HourMinute::from_seconds(minute * 60).unwrap()
}

/// Up to six periods: some touch, one may overlap the others, many end at `24:00` or start at `00:00`.
fn hours() -> impl Strategy<Value = Hours> {
    let point = prop_oneof![
        Just(0u32),
        Just(1440),
        Just(120),
        Just(150),
        (0u32..=48).prop_map(|n| n * 30),
        0u32..=1440
    ];
    let chain = proptest::collection::btree_set(point.clone(), 0..7);
    (chain, any::<u8>(), proptest::option::weighted(0.2, (point.clone(), point))).prop_map(
        |(points, kept, extra)| {
            let points: Vec<u32> = points.into_iter().collect();
            let mut hours: Hours = points
                .windows(2)
                .enumerate()
                .filter(|(i, _)| kept & (1 << i) != 0)
                .map(|(_, pair)| (hour_minute(pair[0]), hour_minute(pair[1])))
                .collect();
            hours.extend(extra.filter(|(a, b)| a < b).map(|(a, b)| (hour_minute(a), hour_minute(b))));
            hours
        },
    )
}

fn week() -> impl Strategy<Value = WeekHours> {
    let days = proptest::collection::vec(hours(), 7);
    days.prop_map(|days| WeekDay::ALL.into_iter().zip(days).filter(|(_, hours)| !hours.is_empty()).collect())
}

/// Zones with a date at which something happens to their clocks.
const EDGES: [(&str, (i32, u32, u32)); 17] = [
    ("UTC", (2024, 12, 31)),
    ("Asia/Shanghai", (2026, 2, 14)),
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2025, 10, 26)),
    ("America/Sao_Paulo", (2018, 11, 4)),
    ("America/Sao_Paulo", (2019, 2, 17)),
    ("America/New_York", (2026, 3, 8)),
    ("America/St_Johns", (2011, 11, 6)),
    ("America/Havana", (2025, 11, 2)),
    ("Asia/Tehran", (2022, 3, 22)),
    ("Asia/Tehran", (2022, 9, 22)),
    ("Australia/Sydney", (2026, 4, 5)),
    ("Australia/Lord_Howe", (2025, 10, 5)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("Pacific/Kiritimati", (1994, 12, 31)),
    ("Africa/Casablanca", (2026, 2, 15)),
    ("Asia/Kathmandu", (1986, 1, 1)),
];

fn date_hours(hours: impl Strategy<Value = Hours>) -> impl Strategy<Value = BTreeMap<u64, Hours>> {
    proptest::collection::btree_map(0..WINDOW_DAYS, hours, 0..4)
}

prop_compose! {
    /// A definition and the first date of the window it is asked about.
    fn case()(
        edge in 0..EDGES.len(),
        before in 5u64..25,
        week in week(),
        later in proptest::option::weighted(0.3, (0..WINDOW_DAYS, week())),
        holidays in proptest::collection::vec(0..WINDOW_DAYS, 0..6),
        workdays in proptest::collection::vec(0..WINDOW_DAYS, 0..6),
        workday_hours in proptest::option::of(hours()),
        shifts in date_hours(hours()),
        breaks in date_hours(hours()),
        next_opening in any::<bool>(),
    ) -> (CalendarDef, NaiveDate) {
        let (zone, (year, month, day)) = EDGES[edge];
        let first = NaiveDate::from_ymd_opt(year, month, day).unwrap() - Days::new(before);
        let date = |n: &u64| first + Days::new(*n);
        let listed = |list: &BTreeMap<u64, Hours>| -> Vec<DateHours> {
            list.iter().map(|(n, hours)| DateHours { date: date(n), hours: hours.clone() }).collect()
        };
        let mut def = CalendarDef::new(zone, week);
        def.hours_from = later.map(|(n, hours)| DatedHours { from: date(&n), hours }).into_iter().collect();
        def.holidays = holidays.iter().map(date).collect();
        def.workdays = workdays.iter().map(date).collect();
        def.workday_hours = workday_hours;
        def.shifts = listed(&shifts);
        def.breaks = listed(&breaks);
        def.boundary = if next_opening { Boundary::NextOpening } else { Boundary::Closing };
        (def, first)
    }
}

/// Offsets into the window in microseconds: mostly whole half hours, where the edges are.
fn offset(days: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        1 => Just(0),
        3 => (0..days * 48).prop_map(|n| n * 30 * MINUTE),
        2 => (0..days * 1440).prop_map(|n| n * MINUTE),
        1 => 0..days * 1440 * MINUTE,
    ]
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_calendar_counts_what_stepping_by_minutes_counts(
        (def, first) in case(),
        asked in proptest::collection::vec((offset(44), offset(6)), 12),
    ) {
        let Ok(calendar) = Calendar::build(&def) else { return Ok(()) };
        let model = Minutes::new(&def, first);
        for (from, open) in asked {
            let start = model.start + from;
            let show = format!("{} {} {}", at(start), Span::from_micros(open), def.zone);
            for boundary in [Boundary::Closing, Boundary::NextOpening] {
                if let Some(end) = model.add(start, open, boundary) {
                    let got = calendar.add_with(at(start), Span::from_micros(open), boundary).unwrap();
                    prop_assert_eq!(got, at(end), "add {} {:?}", &show, boundary);
                }
            }
            if let Some(begin) = model.subtract(start, open) {
                let got = calendar.subtract(at(start), Span::from_micros(open)).unwrap();
                prop_assert_eq!(got, at(begin), "subtract {}", &show);
            }
            if let Some(sum) = model.between(start, start + open) {
                let got = calendar.between(at(start), at(start + open)).unwrap();
                prop_assert_eq!(got.micros(), sum, "between {}", &show);
                prop_assert_eq!(calendar.between(at(start + open), at(start)).unwrap(), Span::ZERO.min(got));
            }
            prop_assert_eq!(calendar.is_open(at(start)).unwrap(), model.at(start).unwrap(), "open {}", &show);
        }
    }

    #[test]
    fn the_answers_fit_each_other(
        (def, first) in case(),
        asked in proptest::collection::vec((offset(20), offset(9), offset(9)), 8),
    ) {
        let Ok(calendar) = Calendar::build(&def) else { return Ok(()) };
        let origin = first.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        for (from, open, more) in asked {
            let (start, open, more) = (at(origin + from), Span::from_micros(open), Span::from_micros(more));
            let Ok(end) = calendar.add(start, open) else { continue };
            prop_assert_eq!(calendar.between(start, end).unwrap(), open);
            prop_assert!(end >= start);
            if let Ok(later) = calendar.add(start.checked_add(more).unwrap(), open) {
                prop_assert!(later >= end, "a later start ends earlier");
            }
            if let Ok(longer) = calendar.add(start, open + more) {
                prop_assert!(longer >= end, "a longer span ends earlier");
            }
            // Zero open time back from the first opening of all leads to a closing that is not there.
            if open > Span::ZERO {
                let back = calendar.subtract(end, open).unwrap();
                prop_assert_eq!(calendar.between(back, end).unwrap(), open);
                // Back from the end lies the start as it was moved into open time.
                prop_assert_eq!(back, calendar.add_with(start, Span::ZERO, Boundary::Closing).unwrap());
            }
            let until = start.checked_add(more).unwrap();
            let days = calendar.days(start, until).unwrap();
            let sum: i64 = days.iter().map(|day| day.counted.micros()).sum();
            prop_assert_eq!(sum, calendar.between(start, until).unwrap().micros());
            for day in &days {
                let shown: i64 = day.periods.iter().map(|(from, until)| until.since(*from).micros()).sum();
                prop_assert_eq!(shown, day.counted.micros());
            }
        }
    }

    #[test]
    fn working_days_end_at_the_last_minute_open_on_them(
        (def, first) in case(), from in offset(30), n in 1u32..8,
    ) {
        let Ok(calendar) = Calendar::build(&def) else { return Ok(()) };
        let zone: Tz = def.zone.parse().unwrap();
        let start = at(first.and_time(NaiveTime::MIN).and_utc().timestamp_micros() + from);
        let date = DateTime::from_timestamp_micros(start.micros()).unwrap().with_timezone(&zone).date_naive();
        let midnight = |date: NaiveDate| to_utc(zone, date.and_time(NaiveTime::MIN));
        let closes = |date: &NaiveDate| -> Option<(NaiveDate, i64)> {
            let minutes = date_minutes(&def, *date);
            let utc = |n: usize| to_utc(zone, date.and_time(NaiveTime::MIN) + TimeDelta::minutes(n as i64));
            let opening = |n: &usize| minutes[*n] && (*n == 0 || !minutes[*n - 1]);
            let opens: Vec<usize> = (0..1440).filter(opening).collect();
            let ends = opens.iter().map(|open| (*open..1440).find(|n| !minutes[*n]).unwrap_or(1440));
            let closings = opens.iter().zip(ends).map(|(a, b)| (utc(*a), utc(b))).filter(|(a, b)| a < b);
            let exists = midnight(*date) < midnight(date.succ_opt().unwrap());
            closings.map(|(_, b)| b).max().filter(|_| exists).map(|close| (*date, close))
        };
        let later = date.iter_days().skip(1).take(200);
        if let Some((day, close)) = later.filter_map(|date| closes(&date)).nth(n as usize - 1) {
            prop_assert_eq!(calendar.working_days_after(start, n).unwrap(), at(close));
            let gap = u32::try_from((day - date).num_days()).unwrap();
            prop_assert_eq!(calendar.calendar_days_after(start, gap).unwrap(), at(close));
            let same = calendar.same_time_after(start, n).unwrap();
            let clock = DateTime::from_timestamp_micros(start.micros()).unwrap().with_timezone(&zone).time();
            let shown = DateTime::from_timestamp_micros(same.micros()).unwrap().with_timezone(&zone);
            prop_assert!(shown.date_naive() == day);
            let skipped = zone.from_local_datetime(&day.and_time(clock)).earliest().is_none();
            prop_assert!(shown.time() == clock || skipped);
        }
    }

    #[test]
    fn forward_of_back_is_not_after((def, first) in case(), from in offset(40), n in 0u32..8) {
        let Ok(calendar) = Calendar::build(&def) else { return Ok(()) };
        let end = at(first.and_time(NaiveTime::MIN).and_utc().timestamp_micros() + from);
        if let Ok(back) = calendar.same_time_before(end, n) {
            prop_assert!(calendar.same_time_after(back, n).unwrap() <= end, "{} - {}", end, n);
        }
        if let (Ok(back), true) = (calendar.working_days_before(end, n), n > 0) {
            // Just before the close: at 24:00 the next day has begun.
            let before = at(back.micros() - 1);
            prop_assert!(calendar.working_days_after(before, n).unwrap() <= end, "{} - {}", end, n);
            // One more day does not fit, unless the count starts earlier still.
            prop_assert!(calendar.working_days_after(before, n + 1).unwrap() > end, "{} - {}", end, n);
        }
        let back = calendar.days_earlier(end, n).unwrap();
        prop_assert!(back <= end && end.since(back) <= Span::hours(24 * i64::from(n) + 25));
    }
}
