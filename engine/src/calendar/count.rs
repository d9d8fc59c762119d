//! Counting in days, weeks and months, as contracts and the law count them.

use chrono::Months;

use super::clock::{DAY, DAY_SECONDS, DayNumber, date_of, day_of, local_day, utc_of, utc_of_wall, wall_of};
use super::{Calendar, CalendarError, Instant, MICROS};

/// No count of days within the supported years is longer.
const MOST_DAYS: u32 = 400 * 366;

impl Calendar {
    /// The close of business of the `n`-th working day after the local date of `start`, which does not count
    /// itself (PRC Civil Code, articles 201 and 203).
    ///
    /// A working day is a date with open time; its close of business is its last closing.
    ///
    /// ```
    /// use holdback::{Calendar, CalendarDef};
    /// let def: CalendarDef = serde_json::from_str(
    ///     r#"{"zone": "Asia/Shanghai",
    ///         "hours": {"thu": [["09:00", "18:00"]], "fri": [["09:00", "18:00"]]}}"#,
    /// )?;
    /// let calendar = Calendar::build(&def)?;
    /// let thursday = "2026-03-05T08:00:00+08:00".parse()?;
    /// let due = calendar.working_days_after(thursday, 2)?;
    /// assert_eq!(due, "2026-03-12T18:00:00+08:00".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CalendarError::ZeroCount`] for no days; [`CalendarError::OutsideYears`] where the start or a date
    /// counted is not covered; [`CalendarError::NotEnoughWorkingDays`].
    pub fn working_days_after(&self, start: Instant, n: u32) -> Result<Instant, CalendarError> {
        let from = local_day(self.zone, self.check_start(start)?);
        if n == 0 {
            return Err(CalendarError::ZeroCount);
        }
        let (_, close) = self.working_day_after(from, n)?;
        self.instant(close)
    }

    /// The same local clock time as at `start` on the `n`-th working day after its local date; `start` itself
    /// for no days.
    ///
    /// The clock time need not be open on that day and does not roll forward. One that the day skips moves
    /// forward by the gap, one it has twice is the first.
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`] where the start or a date counted is not covered;
    /// [`CalendarError::NotEnoughWorkingDays`].
    pub fn same_time_after(&self, start: Instant, n: u32) -> Result<Instant, CalendarError> {
        let at = self.check_start(start)?;
        if n == 0 {
            return Ok(start);
        }
        let wall = wall_of(self.zone, at);
        let (day, _) = self.working_day_after(local_day(self.zone, at), n)?;
        let time = wall.rem_euclid(DAY);
        let seconds = i64::from(day) * DAY_SECONDS + time / MICROS;
        self.instant(utc_of_wall(self.zone, seconds) + time % MICROS)
    }

    /// The close of business of the `n`-th date after the local date of `start`, or of the next date with
    /// open time when that one has none (articles 201 and 203).
    ///
    /// # Errors
    /// As [`Calendar::working_days_after`].
    pub fn calendar_days_after(&self, start: Instant, n: u32) -> Result<Instant, CalendarError> {
        let from = local_day(self.zone, self.check_start(start)?);
        self.close_from(from, from.saturating_add_unsigned(n), n)
    }

    /// The same with weeks: the same weekday `n` weeks later.
    ///
    /// # Errors
    /// As [`Calendar::working_days_after`].
    pub fn calendar_weeks_after(&self, start: Instant, n: u32) -> Result<Instant, CalendarError> {
        let from = local_day(self.zone, self.check_start(start)?);
        self.close_from(from, from.saturating_add_unsigned(n.saturating_mul(7)), n)
    }

    /// The same with months: the same day of the month `n` months later, or the month's last day when it has
    /// no such day (article 202).
    ///
    /// ```
    /// use holdback::Calendar;
    /// let calendar = Calendar::always();
    /// let start = "2026-01-31T10:00:00Z".parse()?;
    /// assert_eq!(calendar.calendar_months_after(start, 1)?, "2026-03-01T00:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Calendar::working_days_after`].
    pub fn calendar_months_after(&self, start: Instant, n: u32) -> Result<Instant, CalendarError> {
        let from = local_day(self.zone, self.check_start(start)?);
        let target = date_of(from).checked_add_months(Months::new(n));
        self.close_from(from, target.map_or(DayNumber::MAX, day_of), n)
    }

    /// The close of the first working day from `day` on, a count of `n` after `from`.
    fn close_from(&self, from: DayNumber, day: DayNumber, n: u32) -> Result<Instant, CalendarError> {
        if n == 0 {
            return Err(CalendarError::ZeroCount);
        }
        self.check_day(day)?;
        let (_, close) = self.next_working_day(day).ok_or_else(|| self.days_run_out(from, n))?;
        self.instant(close)
    }

    /// The `n`-th (above zero) working day after a day, and its close.
    fn working_day_after(&self, from: DayNumber, n: u32) -> Result<(DayNumber, i64), CalendarError> {
        let mut found = (from, 0);
        if n > MOST_DAYS {
            return Err(self.days_run_out(from, n));
        }
        for _ in 0..n {
            found = self.next_working_day(found.0 + 1).ok_or_else(|| self.days_run_out(from, n))?;
        }
        Ok(found)
    }

    /// The first day from `day` on with open time, and its close.
    fn next_working_day(&self, day: DayNumber) -> Option<(DayNumber, i64)> {
        let last_open = self.rules.reach().1.unwrap_or(DayNumber::MAX).min(self.reach.last_day);
        (day..=last_open).find_map(|day| Some((day, self.close_of(day)?)))
    }

    /// The last closing of a day in UTC microseconds, or nothing when it has no open time.
    pub(super) fn close_of(&self, day: DayNumber) -> Option<i64> {
        let walls = self.rules.walls(day);
        walls.first()?;
        let utc = |seconds: u32| utc_of(self.zone, day, seconds);
        // A date the zone skipped is no day at all.
        if utc(0) >= utc(86_400) {
            return None;
        }
        walls.iter().map(|w| (utc(w.from), utc(w.until))).filter(|(a, b)| a < b).map(|(_, close)| close).max()
    }

    fn days_run_out(&self, from: DayNumber, days: u32) -> CalendarError {
        let last = self.years().1;
        let ends = self.rules.reach().1.is_some_and(|day| day < self.reach.last_day);
        if self.demanded || !ends {
            self.outside_year(last + 1)
        } else {
            CalendarError::NotEnoughWorkingDays { days, from: date_of(from), last }
        }
    }
}
