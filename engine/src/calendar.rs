//! Working-time calendars: when a contract's clock runs.
//!
//! A [`CalendarDef`] says which local hours are open; a [`Calendar`] built from it counts open time in real
//! elapsed microseconds. A local time that a change of offset skips is moved forward by the gap, one that
//! occurs twice is the first; hours that touch or overlap after that count once.

mod back;
pub(crate) mod clock;
mod count;
mod def;
mod error;
mod explain;
mod holidays;
pub(crate) mod ical;
mod line;
mod rules;
mod table;
mod walk;

#[cfg(test)]
mod feeds;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::nearest::nearest;
use crate::time::{Instant, MICROS, Span};
use clock::{DayNumber, date_of, day_of, first_day_of, local_day, utc_of, year_of};
pub use def::{Boundary, CalendarDef, DateHours, DatedHours, HourMinute, Hours, WeekDay, WeekHours};
pub use error::CalendarError;
pub use explain::{DayCount, DayNote};
pub use holidays::{Amendment, HolidayData, YearHolidays};
pub use line::{LineCache, answer_line};
use rules::Rules;
use table::{Reach, YearTable};

/// The local years a calendar can speak about.
const SUPPORTED: (i32, i32) = (1900, 2299);

/// A working-time calendar, ready to count with.
///
/// Building one is cheap; the table of a year is made when the year is first asked about and kept. It can
/// be shared between threads.
///
/// ```
/// use holdback::{Calendar, CalendarDef, Span};
/// let def: CalendarDef = serde_json::from_str(
///     r#"{"zone": "Europe/Berlin", "hours": {"fri": [["09:00", "17:00"]], "mon": [["09:00", "17:00"]]}}"#,
/// )?;
/// let calendar = Calendar::build(&def)?;
/// let friday = "2026-03-06T16:00:00+01:00".parse()?;
/// let due = calendar.add(friday, Span::hours(2))?;
/// assert_eq!(due, "2026-03-09T10:00:00+01:00".parse()?);
/// assert_eq!(calendar.between(friday, due)?, Span::hours(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Calendar {
    zone: Tz,
    boundary: Boundary,
    rules: Rules,
    reach: Reach,
    /// Whether the definition's `years` set the reach.
    demanded: bool,
    /// Whether no instant is closed.
    always: bool,
    /// The UTC years that can hold open time: first and last.
    open_years: (i32, i32),
    /// One table for each UTC year the reach touches, from `first_table` on.
    tables: Vec<OnceLock<Box<YearTable>>>,
    first_table: i32,
}

impl Calendar {
    /// Builds a calendar from its definition.
    ///
    /// # Errors
    /// Any fault of the definition: [`CalendarError::UnknownZone`], [`CalendarError::PeriodOrder`],
    /// [`CalendarError::DuplicateDate`], [`CalendarError::UnsupportedYears`] and
    /// [`CalendarError::NoOpenHours`].
    pub fn build(def: &CalendarDef) -> Result<Calendar, CalendarError> {
        let zone = find_zone(&def.zone)?;
        let rules = Rules::compile(def)?;
        let (first, last) = def.years.unwrap_or(SUPPORTED);
        if first > last || first < SUPPORTED.0 || last > SUPPORTED.1 {
            return Err(CalendarError::UnsupportedYears { first, last });
        }
        Ok(Calendar::assemble(zone, def.boundary, rules, (first, last), def.years.is_some()))
    }

    /// A calendar that never closes, in UTC.
    pub fn always() -> Calendar {
        Calendar::always_in(Tz::UTC)
    }

    /// A calendar that never closes. The zone decides where its days end.
    ///
    /// ```
    /// use holdback::{Calendar, Span};
    /// let calendar = Calendar::always_in(chrono_tz::Asia::Shanghai);
    /// let start = "2026-03-01T20:00:00Z".parse()?;
    /// assert_eq!(calendar.add(start, Span::hours(4))?, "2026-03-02T00:00:00Z".parse()?);
    /// assert_eq!(calendar.calendar_days_after(start, 1)?, "2026-03-03T16:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn always_in(zone: Tz) -> Calendar {
        Calendar::assemble(zone, Boundary::Closing, Rules::whole_days(), SUPPORTED, false)
    }

    fn assemble(zone: Tz, boundary: Boundary, rules: Rules, years: (i32, i32), demanded: bool) -> Calendar {
        let (first_day, after) = (first_day_of(years.0), first_day_of(years.1 + 1));
        let reach = Reach {
            from: utc_of(zone, first_day, 0),
            until: utc_of(zone, after, 0),
            first_day,
            last_day: after - 1,
        };
        let (first_table, last_table) = (year_of(reach.from), year_of(reach.until));
        // A date's UTC instants lie within a day or two of it, so the year before or after may hold them.
        let year = |day: DayNumber| date_of(day).year();
        let (first_open, last_open) = rules.reach();
        let open_years = (
            first_open.map_or(first_table, |day| (year(day) - 1).max(first_table)),
            last_open.map_or(last_table, |day| (year(day) + 1).min(last_table)),
        );
        let tables = (first_table..=last_table).map(|_| OnceLock::new()).collect();
        let always = rules.always_open();
        Calendar { zone, boundary, rules, reach, demanded, always, open_years, tables, first_table }
    }

    /// The zone the calendar's dates and times of day are in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// What ends a count that is used up exactly at a closing, as the definition says.
    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// The end of a local date: its `24:00`, the first one if there are two.
    ///
    /// ```
    /// use holdback::Calendar;
    /// let calendar = Calendar::always_in(chrono_tz::Asia::Shanghai);
    /// let date = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    /// assert_eq!(calendar.end_of_day(date)?, "2026-03-01T16:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`].
    pub fn end_of_day(&self, date: NaiveDate) -> Result<Instant, CalendarError> {
        let day = day_of(date);
        self.check_day(day)?;
        self.instant(utc_of(self.zone, day + 1, 0))
    }

    /// The table of a UTC year, or nothing outside the reach.
    /// The start of a day before the first one on which the two are open otherwise, or count otherwise; nothing when they never are.
    pub(crate) fn first_difference(&self, other: &Calendar) -> Option<Instant> {
        let frame = |c: &Calendar| (c.zone, c.boundary, c.reach.from, c.reach.until, c.demanded, c.always);
        if frame(self) != frame(other) {
            return Some(Instant::MIN);
        }
        let mut days = self.reach.first_day..=self.reach.last_day;
        let day = days.find(|day| !self.rules.same_on(&other.rules, *day))?;
        // A day before it has not begun anywhere.
        let micros = (i64::from(day) - 1).checked_mul(86_400_000_000)?;
        Some(Instant::from_micros(micros).unwrap_or(Instant::MIN))
    }

    fn table(&self, year: i32) -> Option<&YearTable> {
        let slot = self.tables.get(usize::try_from(year - self.first_table).ok()?)?;
        Some(slot.get_or_init(|| Box::new(YearTable::build(&self.rules, self.zone, year, &self.reach))))
    }

    /// The same as microseconds, if the calendar speaks about the instant.
    fn check_start(&self, at: Instant) -> Result<i64, CalendarError> {
        let micros = at.micros();
        if micros >= self.reach.from && micros < self.reach.until {
            Ok(micros)
        } else {
            Err(self.outside(at))
        }
    }

    /// The same for the end of a period, which may be the very end of the reach.
    fn check_end(&self, at: Instant) -> Result<i64, CalendarError> {
        if at.micros() == self.reach.until { Ok(self.reach.until) } else { self.check_start(at) }
    }

    fn check_day(&self, day: DayNumber) -> Result<(), CalendarError> {
        if (self.reach.first_day..=self.reach.last_day).contains(&day) {
            Ok(())
        } else {
            Err(self.outside_year(date_of(day).year()))
        }
    }

    fn outside(&self, at: Instant) -> CalendarError {
        self.outside_year(date_of(local_day(self.zone, at.micros())).year())
    }

    fn outside_year(&self, year: i32) -> CalendarError {
        let (first, last) = self.years();
        CalendarError::OutsideYears { year, first, last, demanded: self.demanded }
    }

    /// The first and the last local year covered.
    fn years(&self) -> (i32, i32) {
        (date_of(self.reach.first_day).year(), date_of(self.reach.last_day).year())
    }

    fn instant(&self, micros: i64) -> Result<Instant, CalendarError> {
        Ok(Instant::from_micros(micros)?)
    }
}

/// The instant of a wall time in a zone: one in a spring gap moves forward by the gap, of two the first.
pub(crate) fn instant_of_wall(zone: Tz, wall: chrono::NaiveDateTime) -> Result<Instant, crate::TimeError> {
    Instant::from_micros(clock::utc_of_wall(zone, wall.and_utc().timestamp()))
}

fn find_zone(name: &str) -> Result<Tz, CalendarError> {
    name.parse::<Tz>().map_err(|_| CalendarError::UnknownZone {
        zone: name.chars().take(80).collect(),
        nearest: nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())).map(str::to_owned),
    })
}
