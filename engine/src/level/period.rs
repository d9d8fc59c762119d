//! The periods of a level: months, quarters and years of the contract's zone, cut to the contract.

use chrono::{Datelike, NaiveDate};

use crate::clock::{CountRule, period_end};
use crate::vocabulary::{DueLength, Level, LevelPeriod};
use crate::{Calendar, CalendarError, Instant};

/// One period of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// `2026-03`, `2026-Q1`, `2026`; of several months the last.
    pub(crate) subject: String,
    /// Its place in the calendar: the next period has the next number.
    pub(crate) number: i64,
    pub(crate) from: Instant,
    /// The first instant after it.
    pub(crate) until: Instant,
    /// When it is settled: not before `until`.
    pub(crate) closes: Instant,
    /// Whether the month, quarter or year that names it lies wholly within the contract.
    pub(crate) whole: bool,
}

/// How the periods of one level follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Course<'a> {
    period: LevelPeriod,
    settles: Option<DueLength>,
    /// The contract: from its beginning to before its end.
    begins: Instant,
    ended: Option<Instant>,
    /// The days of the contract's zone, never closed.
    days: &'a Calendar,
    /// The level's calendar.
    calendar: &'a Calendar,
}

impl<'a> Course<'a> {
    /// `days` is the calendar that never closes, in the contract's zone.
    pub(crate) fn new(
        level: &Level,
        begins: Instant,
        ended: Option<Instant>,
        days: &'a Calendar,
        calendar: &'a Calendar,
    ) -> Course<'a> {
        Course { period: level.period, settles: level.settles, begins, ended, days, calendar }
    }

    /// All periods that have begun before an instant, in order. A period of several months begins, in this sense,
    /// with the last of them.
    ///
    /// # Errors
    /// [`CalendarError`] where a calendar does not cover them.
    pub(crate) fn periods(&self, before: Instant) -> Result<Vec<Period>, CalendarError> {
        match self.last_before(before)? {
            Some(last) => (self.first()?..=last).map(|number| self.at(number)).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// Those among them that hold an instant: what happened then bears on their measure.
    ///
    /// # Errors
    /// As [`Course::periods`].
    #[cfg(test)]
    pub(crate) fn holding(&self, at: Instant, before: Instant) -> Result<Vec<Period>, CalendarError> {
        let Some(last) = self.last_before(before)? else { return Ok(Vec::new()) };
        if at < self.begins || self.ended.is_some_and(|ended| at >= ended) {
            return Ok(Vec::new());
        }
        let own = self.number(at)?;
        (own..=last.min(own.saturating_add(self.width() - 1))).map(|number| self.at(number)).collect()
    }

    /// The periods that close after one instant and not after another, in order.
    ///
    /// # Errors
    /// As [`Course::periods`].
    pub(crate) fn closing(&self, after: Instant, until: Instant) -> Result<Vec<Period>, CalendarError> {
        let Some(last) = self.last_before(until)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for number in self.first_closing(after, last)?..=last {
            let period = self.at(number)?;
            if period.closes > until {
                break;
            }
            found.push(period);
        }
        Ok(found)
    }

    /// When the next period closes, if there is one.
    ///
    /// # Errors
    /// As [`Course::periods`].
    pub(crate) fn next_close(&self, after: Instant) -> Result<Option<Instant>, CalendarError> {
        if self.is_empty() {
            return Ok(None);
        }
        // The period that is under way then ends later, and so closes later.
        let last = self.number(self.last_instant(after.succ().max(self.begins.succ())))?;
        let period = self.at(self.first_closing(after, last)?.min(last))?;
        Ok(Some(period.closes).filter(|closes| *closes > after))
    }

    /// The period of a number.
    fn at(&self, number: i64) -> Result<Period, CalendarError> {
        let months = self.months();
        let own = self.midnight(number.saturating_mul(months))?;
        let begins = number.saturating_sub(self.width() - 1).saturating_mul(months);
        // What lies before the contract is cut off; it need not be a date that the calendar knows.
        let from = if begins <= self.month(self.begins) { self.begins } else { self.midnight(begins)? };
        let end = self.midnight(number.saturating_add(1).saturating_mul(months))?;
        let until = self.ended.map_or(end, |ended| ended.min(end));
        let (from, whole) = (from.max(self.begins), own >= self.begins && until == end);
        Ok(Period { subject: self.subject(number), number, from, until, closes: self.closes(until)?, whole })
    }

    /// The settling time counts from the last instant of the period: five days after March end with 5 April.
    fn closes(&self, until: Instant) -> Result<Instant, CalendarError> {
        let closes = match self.settles {
            Some(DueLength::Span(span)) => until.checked_add(span)?,
            Some(DueLength::Period(period)) if period.n > 0 => {
                period_end(self.calendar, before(until), period, CountRule::ContractLaw)?
            }
            _ => until,
        };
        Ok(closes.max(until))
    }

    /// The first number up to `last` whose period closes after an instant; `last` and one if there is none.
    fn first_closing(&self, after: Instant, last: i64) -> Result<i64, CalendarError> {
        let (mut low, mut high) = (self.first()?, last.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle)?.closes > after {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn is_empty(&self) -> bool {
        self.ended.is_some_and(|ended| ended <= self.begins)
    }

    fn first(&self) -> Result<i64, CalendarError> {
        self.number(self.begins)
    }

    /// The number of the last period that began before an instant.
    fn last_before(&self, at: Instant) -> Result<Option<i64>, CalendarError> {
        if self.is_empty() || at <= self.begins {
            return Ok(None);
        }
        self.number(self.last_instant(at)).map(Some)
    }

    /// The last instant of the contract before another one.
    fn last_instant(&self, at: Instant) -> Instant {
        before(self.ended.map_or(at, |ended| ended.min(at)))
    }

    /// The number of the month, quarter or year that holds an instant.
    fn number(&self, at: Instant) -> Result<i64, CalendarError> {
        let months = self.months();
        let number = self.month(at).div_euclid(months);
        // Where a zone sets its clock back over midnight, the date comes twice.
        if at < self.midnight(number * months)? {
            Ok(number - 1)
        } else if at >= self.midnight((number + 1) * months)? {
            Ok(number + 1)
        } else {
            Ok(number)
        }
    }

    /// The month of the local date, counted from the year 0.
    fn month(&self, at: Instant) -> i64 {
        let date = at.to_chrono().with_timezone(&self.days.zone()).date_naive();
        i64::from(date.year()) * 12 + i64::from(date.month0())
    }

    /// The local midnight with which a month begins.
    fn midnight(&self, month: i64) -> Result<Instant, CalendarError> {
        let year = i32::try_from(month.div_euclid(12)).unwrap_or(i32::MAX);
        let month = u32::try_from(month.rem_euclid(12)).unwrap_or(0) + 1;
        let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MAX);
        self.days.end_of_day(first.pred_opt().unwrap_or(first))
    }

    /// How many months a period moves on by.
    fn months(&self) -> i64 {
        match self.period {
            LevelPeriod::Month | LevelPeriod::Months(_) => 1,
            LevelPeriod::Quarter => 3,
            LevelPeriod::Year => 12,
        }
    }

    /// Over how many such steps it reaches.
    fn width(&self) -> i64 {
        match self.period {
            LevelPeriod::Months(n) => i64::from(n.max(1)),
            _ => 1,
        }
    }

    fn subject(&self, number: i64) -> String {
        match self.period {
            LevelPeriod::Year => format!("{number:04}"),
            LevelPeriod::Quarter => format!("{:04}-Q{}", number.div_euclid(4), number.rem_euclid(4) + 1),
            LevelPeriod::Month | LevelPeriod::Months(_) => {
                format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
            }
        }
    }
}

/// The instant before another one.
fn before(at: Instant) -> Instant {
    Instant::from_micros(at.micros() - 1).unwrap_or(Instant::MIN)
}
