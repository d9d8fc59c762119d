//! A calendar as prefix sums over the years that a batch is about. What lies outside of them is asked of the calendar itself, so
//! that an answer never hangs on how far the table reaches.

use std::sync::{Arc, OnceLock};

use chrono::{Datelike, Months, NaiveDate};
use holdback::{Boundary, Calendar, CountRule, Instant, Period, PeriodUnit, Span};

const DAY: i64 = 86_400_000_000;
/// The years that calendars speak about, less their edges.
const ALL_YEARS: (i32, i32) = (1901, 2298);
/// Stretches looked at one by one before the rest is searched.
const NEAR: usize = 6;

/// Open stretches with their running totals.
#[derive(Debug)]
pub(crate) struct OpenTime {
    calendar: Arc<Calendar>,
    /// The years, in UTC microseconds.
    from: i64,
    until: i64,
    /// It never closes.
    always: bool,
    starts: Vec<i64>,
    ends: Vec<i64>,
    /// Open time before each stretch; one more for the end.
    before: Vec<i64>,
    /// For each UTC day the first stretch that ends after it begins.
    days: Vec<u32>,
    to_opening: bool,
    /// Made when a clock counts in days.
    dates: OnceLock<Option<Dates>>,
    /// The years of the table of days.
    years: (i32, i32),
}

/// The closes of local days.
#[derive(Debug)]
struct Dates {
    /// The first date.
    first: NaiveDate,
    /// When each local day begins, and one more.
    begins: Vec<i64>,
    /// The close of the first working day from each day on.
    closes: Vec<i64>,
    /// The working days' closes.
    working: Vec<i64>,
    /// How many working days there are up to and including each day.
    so_far: Vec<u32>,
}

fn instant(micros: i64) -> Option<Instant> {
    Instant::from_micros(micros).ok()
}

impl OpenTime {
    /// A table of these years, both included; of all years for a calendar that never closes.
    pub(crate) fn new(calendar: Arc<Calendar>, years: (i32, i32)) -> OpenTime {
        let all = OpenTime::of(Arc::clone(&calendar), ALL_YEARS, true);
        if all.always { OpenTime { years, ..all } } else { OpenTime::of(calendar, years, false) }
    }

    fn of(calendar: Arc<Calendar>, years: (i32, i32), only_always: bool) -> OpenTime {
        let begin = |year: i32| {
            let date = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
            date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
        };
        let (from, until) = (begin(years.0), begin(years.1 + 1));
        let mut table = OpenTime {
            to_opening: calendar.boundary() == Boundary::NextOpening,
            calendar,
            from,
            until,
            always: false,
            starts: Vec::new(),
            ends: Vec::new(),
            before: Vec::new(),
            days: Vec::new(),
            dates: OnceLock::new(),
            years,
        };
        if table.fill(only_always).is_none() {
            // Such as a calendar that speaks about other years: every question goes to it.
            table.until = table.from;
        }
        table
    }

    fn fill(&mut self, only_always: bool) -> Option<()> {
        let (from, until) = (instant(self.from)?, instant(self.until)?);
        let open = self.calendar.between(from, until).ok()?;
        if open == until.since(from) {
            self.always = true;
            return Some(());
        }
        if only_always {
            return None;
        }
        let mut at = from;
        while at < until {
            // Fewer days than a list has at most.
            let to = instant((at.micros() + 300 * DAY).min(self.until))?;
            for day in self.calendar.days(at, to).ok()? {
                for (start, end) in day.periods {
                    match self.ends.last_mut().filter(|last| **last == start.micros()) {
                        Some(last) => *last = end.micros(),
                        None => {
                            self.starts.push(start.micros());
                            self.ends.push(end.micros());
                        }
                    }
                }
            }
            at = to;
        }
        let mut sum = 0;
        self.before.push(0);
        for (start, end) in self.starts.iter().zip(&self.ends) {
            sum += end - start;
            self.before.push(sum);
        }
        let mut index = 0;
        let mut day = self.from;
        while day <= self.until {
            while self.ends.get(index).is_some_and(|end| *end <= day) {
                index += 1;
            }
            self.days.push(u32::try_from(index).ok()?);
            day += DAY;
        }
        Some(())
    }

    fn holds(&self, at: i64) -> bool {
        at >= self.from && at < self.until
    }

    /// Whether it never closes, within the years of the table.
    pub(crate) fn is_always(&self) -> bool {
        self.always
    }

    /// The years of the table.
    pub(crate) fn reach(&self) -> (i64, i64) {
        (self.from, self.until)
    }

    /// The first stretch that ends after an instant of the table.
    #[inline]
    fn index(&self, at: i64) -> usize {
        let day = usize::try_from((at - self.from) / DAY).unwrap_or(0);
        let mut index = self.days.get(day).map_or(0, |index| *index as usize);
        while self.ends.get(index).is_some_and(|end| *end <= at) {
            index += 1;
        }
        index
    }

    /// Open time from the beginning of the table.
    #[inline]
    fn used(&self, at: i64) -> i64 {
        let index = self.index(at);
        let before = self.before.get(index).copied().unwrap_or_default();
        self.starts.get(index).map_or(before, |start| before + (at - start).max(0))
    }

    /// The instant at which so much open time has passed; nothing when the calendar has no answer.
    #[inline]
    pub(crate) fn add(&self, start: i64, open: i64) -> Option<i64> {
        if self.holds(start) && open >= 0 && open < self.until - start {
            if self.always {
                return Some(start + open);
            }
            if let Some(end) = self.walk(start, open) {
                return Some(end);
            }
        }
        let end = self.calendar.add(instant(start)?, Span::from_micros(open)).ok()?;
        Some(end.micros())
    }

    #[inline]
    fn walk(&self, start: i64, open: i64) -> Option<i64> {
        let mut index = self.index(start);
        if open == 0 {
            return self.starts.get(index).map(|opening| (*opening).max(start));
        }
        let here = self.before.get(index)? + (start - self.starts.get(index)?).max(0);
        let used = here + open;
        let ends_by = |index: usize| self.before.get(index + 1).is_some_and(|by| *by >= used);
        let mut near = 0;
        while !ends_by(index) {
            index += 1;
            near += 1;
            if near == NEAR {
                let later = self.before.get(index + 1..)?;
                index += later.partition_point(|by| *by < used);
                break;
            }
        }
        let end = self.starts.get(index)? + (used - self.before.get(index)?);
        if self.to_opening && end == *self.ends.get(index)? {
            return self.starts.get(index + 1).copied();
        }
        Some(end)
    }

    /// The open time between two instants; nothing when the calendar has no answer.
    #[inline]
    pub(crate) fn between(&self, from: i64, until: i64) -> Option<i64> {
        if self.holds(from) && self.holds(until) {
            return Some(match (until <= from, self.always) {
                (true, _) => 0,
                (_, true) => until - from,
                _ => self.used(until) - self.used(from),
            });
        }
        Some(self.calendar.between(instant(from)?, instant(until)?).ok()?.micros())
    }

    /// The end of a period counted in days from an instant.
    pub(crate) fn period_end(&self, start: i64, period: Period, count: CountRule) -> Option<i64> {
        if let Some(end) = self.dated_end(start, period, count) {
            return Some(end);
        }
        let (calendar, at) = (&self.calendar, instant(start)?);
        let end = match (period.unit, count) {
            (PeriodUnit::WorkingDays, CountRule::ContractLaw) => calendar.working_days_after(at, period.n),
            (PeriodUnit::WorkingDays, CountRule::SameTime) => calendar.same_time_after(at, period.n),
            (PeriodUnit::Days, _) => calendar.calendar_days_after(at, period.n),
            (PeriodUnit::Weeks, _) => calendar.calendar_weeks_after(at, period.n),
            (PeriodUnit::Months, _) => calendar.calendar_months_after(at, period.n),
            (PeriodUnit::Years, _) => calendar.calendar_months_after(at, period.n.saturating_mul(12)),
        };
        Some(end.ok()?.micros())
    }

    /// So long before an instant.
    pub(crate) fn period_start(&self, end: i64, period: Period, count: CountRule) -> Option<i64> {
        let (calendar, at) = (&self.calendar, instant(end)?);
        let start = match (period.unit, count) {
            (PeriodUnit::WorkingDays, CountRule::ContractLaw) => calendar.working_days_before(at, period.n),
            (PeriodUnit::WorkingDays, CountRule::SameTime) => calendar.same_time_before(at, period.n),
            (PeriodUnit::Days, _) => calendar.days_earlier(at, period.n),
            (PeriodUnit::Weeks, _) => calendar.days_earlier(at, period.n.saturating_mul(7)),
            (PeriodUnit::Months, _) => calendar.months_earlier(at, period.n),
            (PeriodUnit::Years, _) => calendar.months_earlier(at, period.n.saturating_mul(12)),
        };
        Some(start.ok()?.micros())
    }

    fn dated_end(&self, start: i64, period: Period, count: CountRule) -> Option<i64> {
        if !self.holds(start)
            || period.n == 0
            || (period.unit, count) == (PeriodUnit::WorkingDays, CountRule::SameTime)
        {
            return None;
        }
        let dates = self.dates.get_or_init(|| Dates::new(&self.calendar, self.years)).as_ref()?;
        let day = dates.day(start)?;
        let n = usize::try_from(period.n).ok()?;
        match period.unit {
            PeriodUnit::WorkingDays => {
                let before = usize::try_from(*dates.so_far.get(day)?).ok()?;
                dates.working.get(before.checked_add(n)?.checked_sub(1)?).copied()
            }
            PeriodUnit::Days => dates.closes.get(day.checked_add(n)?).copied(),
            PeriodUnit::Weeks => dates.closes.get(day.checked_add(n.checked_mul(7)?)?).copied(),
            PeriodUnit::Months | PeriodUnit::Years => {
                let months =
                    if period.unit == PeriodUnit::Years { period.n.checked_mul(12)? } else { period.n };
                let date = dates.first.checked_add_days(chrono::Days::new(day as u64))?;
                let target = date.checked_add_months(Months::new(months))?;
                let day = (target - dates.first).num_days();
                dates.closes.get(usize::try_from(day).ok()?).copied()
            }
        }
    }
}

impl Dates {
    fn new(calendar: &Calendar, years: (i32, i32)) -> Option<Dates> {
        let first = NaiveDate::from_ymd_opt(years.0, 1, 2)?;
        let last = NaiveDate::from_ymd_opt(years.1, 12, 30)?;
        let mut dates =
            Dates { first, begins: Vec::new(), closes: Vec::new(), working: Vec::new(), so_far: Vec::new() };
        let begin = |date: NaiveDate| calendar.end_of_day(date.pred_opt()?).ok();
        for date in first.iter_days().take_while(|date| *date <= last) {
            let begins = begin(date)?;
            // A zone that leaves out a date, or turns back over midnight, is not for a table of days.
            let begins = begins.micros();
            if dates.begins.last().is_some_and(|before| begins - before < DAY / 2) || date.year() > years.1 {
                return None;
            }
            dates.begins.push(begins);
        }
        // The close that the day before leads to is that of this day, or of the next working day.
        for begins in dates.begins.iter().skip(1) {
            let day_before = instant(begins - DAY / 4)?;
            match calendar.calendar_days_after(day_before, 1) {
                Ok(close) => dates.closes.push(close.micros()),
                Err(_) => break,
            }
        }
        // Days are numbered from the second on, of which the close is known.
        dates.first = first.succ_opt()?;
        dates.begins.remove(0);
        let closes = &dates.closes;
        for (day, close) in closes.iter().enumerate() {
            // Of the last day it is not known whether it is a working day.
            if closes.get(day + 1).is_some_and(|next| next != close) {
                dates.working.push(*close);
            }
            dates.so_far.push(u32::try_from(dates.working.len()).ok()?);
        }
        dates.so_far.pop();
        Some(dates)
    }

    /// The local day of an instant, by its number.
    fn day(&self, at: i64) -> Option<usize> {
        let first = *self.begins.first()?;
        let mut day = usize::try_from((at - first).div_euclid(DAY)).ok()?;
        while day > 0 && self.begins.get(day).is_none_or(|begins| *begins > at) {
            day -= 1;
        }
        while self.begins.get(day + 1).is_some_and(|begins| *begins <= at) {
            day += 1;
        }
        // The last days have no successor by which to know that they hold it.
        (self.begins.get(day).is_some_and(|begins| *begins <= at) && day + 1 < self.begins.len())
            .then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendars() -> Vec<Arc<Calendar>> {
        let defs = [
            r#"{"zone": "UTC", "hours": {"mon": [["09:00", "18:00"]], "wed": [["09:00", "12:00"], ["13:00", "24:00"]], "thu": [["00:00", "24:00"]]},
                "boundary": "next_opening"}"#,
            r#"{"zone": "Asia/Shanghai", "hours": {"mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]], "fri": [["08:30", "17:15"]]},
                "holidays": ["2024-02-12", "2024-05-01"]}"#,
            r#"{"zone": "Europe/Berlin", "hours": {"mon": [["01:00", "04:00"]], "sun": [["01:00", "04:00"], ["22:00", "24:00"]]}}"#,
        ];
        let mut all: Vec<Arc<Calendar>> = defs
            .iter()
            .map(|def| Arc::new(Calendar::build(&serde_json::from_str(def).unwrap()).unwrap()))
            .collect();
        all.push(Arc::new(Calendar::always_in(chrono_tz::Asia::Shanghai)));
        all
    }

    /// The table says what the calendar says, within its years and beyond.
    #[test]
    fn the_table_agrees_with_the_calendar() {
        let mut dice = 7_u64;
        let mut roll = |below: i64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((u128::from(dice) * below as u128) >> 64).unwrap()
        };
        for calendar in calendars() {
            let table = OpenTime::new(Arc::clone(&calendar), (2023, 2025));
            let mut asked = 0;
            for _ in 0..20_000 {
                let grain = [1, 1_000_000, 1_800_000_000, 3_600_000_000, DAY][roll(5) as usize];
                let start = (1_640_995_200_000_000 + roll(4 * 366 * DAY)) / grain * grain;
                let most = [10_000_000, DAY, 30 * DAY, 400 * DAY][roll(4) as usize];
                let open = roll(most) / grain * grain;
                let at = Instant::from_micros(start).unwrap();
                let told = calendar.add(at, Span::from_micros(open)).ok().map(Instant::micros);
                assert_eq!(table.add(start, open), told, "{start} + {open}");
                let later = Instant::from_micros(start + open).unwrap();
                assert_eq!(
                    table.between(start, start + open),
                    calendar.between(at, later).ok().map(Span::micros),
                    "{start} .. {open}"
                );
                let units = [
                    PeriodUnit::Days,
                    PeriodUnit::WorkingDays,
                    PeriodUnit::Weeks,
                    PeriodUnit::Months,
                    PeriodUnit::Years,
                ];
                let period = Period { unit: units[roll(5) as usize], n: roll(14) as u32 };
                let told = match period.unit {
                    PeriodUnit::Days => calendar.calendar_days_after(at, period.n),
                    PeriodUnit::WorkingDays => calendar.working_days_after(at, period.n),
                    PeriodUnit::Weeks => calendar.calendar_weeks_after(at, period.n),
                    PeriodUnit::Months => calendar.calendar_months_after(at, period.n),
                    PeriodUnit::Years => calendar.calendar_months_after(at, period.n * 12),
                };
                let found = table.period_end(start, period, CountRule::ContractLaw);
                assert_eq!(found, told.ok().map(Instant::micros), "{at} + {period}");
                asked += usize::from(table.dated_end(start, period, CountRule::ContractLaw).is_some());
            }
            assert!(asked > 2_000, "the table of days is used: {asked}");
        }
    }
}
