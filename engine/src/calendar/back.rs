//! Counting back in days: how long before an instant something must be there.

use chrono::{Months, Offset};
use chrono_tz::{GapInfo, Tz};

use super::clock::{DAY, DAY_SECONDS, DayNumber, date_of, day_of, local_day, naive, utc_of_wall, wall_of};
use super::{Calendar, CalendarError, Instant, MICROS};

impl Calendar {
    /// The last close of business after which `n` whole working days pass until `end`: those days have closed by `end`,
    /// and the day of the answer does not count itself. `end` itself for no days.
    ///
    /// [`Calendar::working_days_after`] of what happens before the answer is not after `end`.
    ///
    /// ```
    /// use holdback::{Calendar, CalendarDef};
    /// let hours = r#"{"thu": [["09:00", "18:00"]], "fri": [["09:00", "18:00"]]}"#;
    /// let def: CalendarDef = serde_json::from_str(&format!(r#"{{"zone": "UTC", "hours": {hours}}}"#))?;
    /// let calendar = Calendar::build(&def)?;
    /// let friday = "2026-03-13T10:00:00Z".parse()?;
    /// assert_eq!(calendar.working_days_before(friday, 1)?.to_string(), "2026-03-06T18:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`] where `end` or a date counted is not covered.
    pub fn working_days_before(&self, end: Instant, n: u32) -> Result<Instant, CalendarError> {
        let at = self.check_start(end)?;
        if n == 0 {
            return Ok(end);
        }
        let closed = |(_, close): &(DayNumber, i64)| *close <= at;
        // The closing of the last day is at most a day after its midnight.
        let mut found = self.working_day_to(local_day(self.zone, at) + 1)?;
        while !closed(&found) {
            found = self.working_day_to(found.0 - 1)?;
        }
        for _ in 0..n {
            found = self.working_day_to(found.0 - 1)?;
        }
        self.instant(found.1)
    }

    /// The same local clock time as at `end`, `n` working days earlier; `end` itself for no days. When the date of `end` is
    /// no working day, the days are counted from the last one before it.
    ///
    /// The clock time need not be open on that day. One that the day skips moves back by the gap, one it has twice is the
    /// first, so that [`Calendar::same_time_after`] of the answer is not after `end`.
    ///
    /// # Errors
    /// As [`Calendar::working_days_before`].
    pub fn same_time_before(&self, end: Instant, n: u32) -> Result<Instant, CalendarError> {
        let at = self.check_start(end)?;
        if n == 0 {
            return Ok(end);
        }
        let (mut day, _) = self.working_day_to(local_day(self.zone, at))?;
        for _ in 0..n {
            (day, _) = self.working_day_to(day - 1)?;
        }
        self.same_time_on(day, at)
    }

    /// The same local clock time `n` days earlier, open or not. One that the day skips moves back by the gap, one it has
    /// twice is the first.
    ///
    /// ```
    /// use holdback::Calendar;
    /// let calendar = Calendar::always_in(chrono_tz::Asia::Shanghai);
    /// let course = "2026-03-04T09:00:00+08:00".parse()?;
    /// assert_eq!(calendar.days_earlier(course, 3)?, "2026-03-01T09:00:00+08:00".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Calendar::working_days_before`].
    pub fn days_earlier(&self, end: Instant, n: u32) -> Result<Instant, CalendarError> {
        let at = self.check_start(end)?;
        if n == 0 {
            return Ok(end);
        }
        self.same_time_on(local_day(self.zone, at).saturating_sub_unsigned(n), at)
    }

    /// The same with months: the same day of the month `n` months earlier, or that month's last day when it has no such day.
    ///
    /// # Errors
    /// As [`Calendar::working_days_before`].
    pub fn months_earlier(&self, end: Instant, n: u32) -> Result<Instant, CalendarError> {
        let at = self.check_start(end)?;
        if n == 0 {
            return Ok(end);
        }
        let target = date_of(local_day(self.zone, at)).checked_sub_months(Months::new(n));
        self.same_time_on(target.map_or(DayNumber::MIN, day_of), at)
    }

    /// The clock time of an instant on another day.
    fn same_time_on(&self, day: DayNumber, at: i64) -> Result<Instant, CalendarError> {
        self.check_day(day)?;
        let time = wall_of(self.zone, at).rem_euclid(DAY);
        let wall = i64::from(day) * DAY_SECONDS + time / MICROS;
        self.instant(utc_of_wall(self.zone, wall) - gap_of(self.zone, wall) * MICROS + time % MICROS)
    }

    /// The last day up to `day` with open time, and its close.
    fn working_day_to(&self, day: DayNumber) -> Result<(DayNumber, i64), CalendarError> {
        let first_open = self.rules.reach().0.unwrap_or(DayNumber::MIN).max(self.reach.first_day);
        let day = day.min(self.reach.last_day);
        let found = (first_open..=day).rev().find_map(|day| Some((day, self.close_of(day)?)));
        found.ok_or_else(|| self.outside_year(self.years().0 - 1))
    }
}

/// How long the gap is in which a wall time lies, in seconds; nothing outside of gaps.
fn gap_of(zone: Tz, wall: i64) -> i64 {
    let local = naive(wall);
    let Some(gap) = GapInfo::new(&local, &zone) else { return 0 };
    match (gap.begin, gap.end) {
        (Some((_, before)), Some(end)) => {
            i64::from(end.offset().fix().local_minus_utc() - before.fix().local_minus_utc())
        }
        _ => 0,
    }
}
