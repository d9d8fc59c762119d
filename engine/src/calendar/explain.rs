//! What each date of a span counted, for showing how a deadline came about.

use chrono::NaiveDate;
use serde::Serialize;

use super::clock::{DayNumber, date_of, local_day, utc_of};
use super::{Calendar, CalendarError, Instant, Span};

/// Entries a list of days has at most; the last one then stands for all further dates.
const MOST_ENTRIES: usize = 400;
/// Periods shown of one date at most; its sum stays whole.
const MOST_PERIODS: usize = 1000;

/// What set a date's hours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayNote {
    /// The weekly hours.
    Open,
    /// No weekly hours on this weekday.
    Weekend,
    /// A closed date.
    Holiday,
    /// A make-up working day.
    MakeUpDay,
    /// Hours of its own.
    Shift,
    /// Not one date: all dates from `date` to `through`, too many to list.
    Folded,
}

/// What one local date counted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DayCount {
    /// The local date.
    #[serde(with = "super::def::date")]
    pub date: NaiveDate,
    /// The last date the entry stands for: `date` itself, unless it is folded.
    #[serde(with = "super::def::date")]
    pub through: NaiveDate,
    /// What set the date's hours.
    pub note: DayNote,
    /// Whether the definition cuts a break out of the date's hours.
    pub has_break: bool,
    /// The open periods from (in) until (out), cut to the span asked about; none when folded.
    pub periods: Vec<(Instant, Instant)>,
    /// The open time counted.
    pub counted: Span,
}

impl Calendar {
    /// What each local date from `start` to `end` counted, in order; the sum is [`Calendar::between`].
    ///
    /// At most 400 entries: of a longer span the first 399 dates and one [`DayNote::Folded`] entry for the
    /// rest. Empty when `end` is not later than `start`. A date starts at its first `00:00`.
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`] when either lies outside the covered years.
    pub fn days(&self, start: Instant, end: Instant) -> Result<Vec<DayCount>, CalendarError> {
        let (from, until) = (self.check_end(start)?, self.check_end(end)?);
        let mut days = Vec::new();
        let mut at = from;
        let mut day = self.day_at(from);
        while at < until {
            let day_end = self.start_of(day + 1).min(until);
            // A date the zone skipped has no instant and no entry.
            if day_end > at {
                if days.len() + 1 == MOST_ENTRIES && day_end < until {
                    days.push(self.folded(day, at, until)?);
                    break;
                }
                days.push(self.day_count(day, at, day_end)?);
                at = day_end;
            }
            day += 1;
        }
        Ok(days)
    }

    fn day_count(&self, day: DayNumber, from: i64, until: i64) -> Result<DayCount, CalendarError> {
        let (note, has_break) = self.rules.note(day);
        let mut periods = Vec::new();
        for (open, close) in self.stretches(from, until, MOST_PERIODS) {
            periods.push((self.instant(open)?, self.instant(close)?));
        }
        Ok(DayCount {
            date: date_of(day),
            through: date_of(day),
            note,
            has_break,
            periods,
            counted: Span::from_micros(self.open_between(from, until)),
        })
    }

    fn folded(&self, day: DayNumber, from: i64, until: i64) -> Result<DayCount, CalendarError> {
        Ok(DayCount {
            date: date_of(day),
            through: date_of(self.day_at(until - 1)),
            note: DayNote::Folded,
            has_break: false,
            periods: Vec::new(),
            counted: Span::from_micros(self.open_between(from, until)),
        })
    }

    /// The date whose first `00:00` is the last one at or before an instant. It is not always the date on
    /// the local clock: one set back over midnight shows the date before once more.
    fn day_at(&self, at: i64) -> DayNumber {
        let day = local_day(self.zone, at);
        if self.start_of(day + 1) <= at { day + 1 } else { day }
    }

    fn start_of(&self, day: DayNumber) -> i64 {
        utc_of(self.zone, day, 0)
    }
}
