//! Adding, subtracting and measuring open time.

use super::clock::{year_of, year_start};
use super::table::Open;
use super::{Boundary, Calendar, CalendarError, Instant, Span};

impl Calendar {
    /// The instant at which `open` of open time has passed since `start`.
    ///
    /// A start outside open time (an instant exactly at a closing is outside) first moves to the next
    /// opening; zero open time gives the start so moved. A count used up exactly at a closing ends there,
    /// or at the opening that follows when the definition's [`Boundary`] says so; where one period ends as
    /// the next starts there is no closing.
    ///
    /// # Errors
    /// [`CalendarError::NegativeSpan`]; [`CalendarError::OutsideYears`] where the count starts outside the
    /// covered years or leaves those the definition demands; [`CalendarError::NotEnoughOpenTime`].
    pub fn add(&self, start: Instant, open: Span) -> Result<Instant, CalendarError> {
        self.add_with(start, open, self.boundary)
    }

    /// The same as [`Calendar::add`] with a boundary of the caller's.
    ///
    /// ```
    /// use holdback::{Boundary, Calendar, CalendarDef, Span};
    /// let def: CalendarDef =
    ///     serde_json::from_str(r#"{"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}}"#)?;
    /// let calendar = Calendar::build(&def)?;
    /// let start = "2026-03-02T16:00:00Z".parse()?;
    /// let due = calendar.add_with(start, Span::hours(1), Boundary::Closing)?;
    /// assert_eq!(due.to_string(), "2026-03-02T17:00:00Z");
    /// let due = calendar.add_with(start, Span::hours(1), Boundary::NextOpening)?;
    /// assert_eq!(due.to_string(), "2026-03-09T09:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Calendar::add`].
    pub fn add_with(&self, start: Instant, open: Span, boundary: Boundary) -> Result<Instant, CalendarError> {
        let (at, wanted) = (self.check_start(start)?, wanted(open)?);
        let past_end = || self.past_end(start, open);
        let end = if wanted > self.reach.until - at {
            None
        } else if self.always {
            Some(at + wanted)
        } else if wanted == 0 {
            self.open_from(at)
        } else {
            self.walk(at, wanted).and_then(|(end, at_closing)| match boundary {
                Boundary::NextOpening if at_closing => self.opening_from(end),
                _ => Some(end),
            })
        };
        self.instant(end.ok_or_else(past_end)?)
    }

    /// The instant from which `open` of open time passes until `end`: [`Calendar::add`] backwards.
    ///
    /// An end outside open time (an instant exactly at an opening is outside on this side) first moves back
    /// to the closing before it; zero open time gives the end so moved. A count used up exactly at an
    /// opening gives that opening, whatever the boundary.
    ///
    /// ```
    /// use holdback::{Calendar, CalendarDef, Span};
    /// let def: CalendarDef =
    ///     serde_json::from_str(r#"{"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}}"#)?;
    /// let calendar = Calendar::build(&def)?;
    /// let end = "2026-03-09T09:00:00Z".parse()?;
    /// assert_eq!(calendar.subtract(end, Span::ZERO)?.to_string(), "2026-03-02T17:00:00Z");
    /// assert_eq!(calendar.subtract(end, Span::hours(8))?.to_string(), "2026-03-02T09:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Calendar::add`].
    pub fn subtract(&self, end: Instant, open: Span) -> Result<Instant, CalendarError> {
        let (at, wanted) = (self.check_end(end)?, wanted(open)?);
        let start = if wanted > at - self.reach.from {
            None
        } else if self.always {
            Some(at - wanted)
        } else if wanted == 0 {
            self.open_until(at)
        } else {
            self.walk_back(at, wanted)
        };
        self.instant(start.ok_or_else(|| self.past_beginning(end, open))?)
    }

    /// The open time from `start` to `end`; zero when `end` is not later.
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`] when either lies outside the covered years.
    pub fn between(&self, start: Instant, end: Instant) -> Result<Span, CalendarError> {
        let (from, until) = (self.check_end(start)?, self.check_end(end)?);
        Ok(Span::from_micros(self.open_between(from, until)))
    }

    /// Whether the clock runs at an instant: periods hold their opening and not their closing.
    ///
    /// # Errors
    /// [`CalendarError::OutsideYears`].
    pub fn is_open(&self, at: Instant) -> Result<bool, CalendarError> {
        let at = self.check_start(at)?;
        let stretch = || self.table(year_of(at)).and_then(|table| table.ending_after(at));
        Ok(self.always || stretch().is_some_and(|stretch| stretch.start <= at))
    }

    /// Open microseconds between two instants of the reach.
    pub(super) fn open_between(&self, from: i64, until: i64) -> i64 {
        if until <= from {
            return 0;
        }
        if self.always {
            return until - from;
        }
        let (first, last) = (year_of(from), year_of(until));
        let used = |year: i32, at: i64| self.table(year).map_or(0, |table| table.used_at(at));
        let whole = (first.max(self.open_years.0)..last.min(self.open_years.1 + 1))
            .filter_map(|year| self.table(year))
            .map(|table| table.total());
        whole.sum::<i64>() + used(last, until) - used(first, from)
    }

    /// The open stretches between two instants of the reach, cut to them; at most `most`.
    pub(super) fn stretches(&self, from: i64, until: i64, most: usize) -> Vec<(i64, i64)> {
        let mut found: Vec<(i64, i64)> = Vec::new();
        if self.always && from < until {
            found.push((from, until));
            return found;
        }
        for year in year_of(from)..=year_of(until) {
            let Some(table) = self.table(year) else { continue };
            let after = table.stretches_after(from.max(year_start(year)));
            for Open { start, end, .. } in after.iter().take_while(|open| open.start < until) {
                let (start, end) = ((*start).max(from), (*end).min(until));
                // A stretch cut at the edge of a year goes on.
                if let Some(last) = found.last_mut().filter(|last| last.1 == start) {
                    last.1 = end;
                } else if found.len() < most {
                    found.push((start, end));
                } else {
                    return found;
                }
            }
        }
        found
    }

    /// The end of `wanted` (above zero) open microseconds from `at`, and whether a closing follows there.
    fn walk(&self, at: i64, wanted: i64) -> Option<(i64, bool)> {
        let mut year = year_of(at);
        let mut table = self.table(year)?;
        let mut used = table.used_at(at).checked_add(wanted)?;
        while used > table.total() {
            used -= table.total();
            year = (year + 1).max(self.open_years.0);
            if year > self.open_years.1 {
                return None;
            }
            table = self.table(year)?;
        }
        table.reached(used).map(|(end, stretch)| (end, end == stretch.end))
    }

    /// The start of `wanted` (above zero) open microseconds until `at`.
    fn walk_back(&self, at: i64, wanted: i64) -> Option<i64> {
        let mut year = year_of(at);
        let mut table = self.table(year)?;
        let mut used = table.used_at(at) - wanted;
        while used < 0 {
            year = (year - 1).min(self.open_years.1);
            if year < self.open_years.0 {
                return None;
            }
            table = self.table(year)?;
            used += table.total();
        }
        table.reached_back(used)
    }

    /// The first open instant at or after `at`.
    fn open_from(&self, at: i64) -> Option<i64> {
        let year = year_of(at);
        match self.table(year)?.ending_after(at) {
            Some(stretch) => Some(stretch.start.max(at)),
            None => self.first_after_year(year),
        }
    }

    /// The first start of a stretch at or after `at`. A stretch cut at the edge of a year starts again
    /// there, which makes an end at that edge its own answer.
    fn opening_from(&self, at: i64) -> Option<i64> {
        let year = year_of(at);
        match self.table(year)?.starting_from(at) {
            Some(stretch) => Some(stretch.start),
            None => self.first_after_year(year),
        }
    }

    fn first_after_year(&self, year: i32) -> Option<i64> {
        ((year + 1).max(self.open_years.0)..=self.open_years.1)
            .find_map(|year| self.table(year)?.stretches_after(year_start(year)).first())
            .map(|stretch| stretch.start)
    }

    /// The last instant at or before `at` that ends open time.
    fn open_until(&self, at: i64) -> Option<i64> {
        let year = year_of(at);
        let stretch = match self.table(year)?.starting_before(at) {
            Some(stretch) => stretch,
            None => (self.open_years.0..=(year - 1).min(self.open_years.1))
                .rev()
                .find_map(|year| self.table(year)?.last())?,
        };
        Some(stretch.end.min(at))
    }

    /// Why open time after `from` ran out.
    fn past_end(&self, from: Instant, open: Span) -> CalendarError {
        let (first, last) = self.years();
        if self.demanded {
            self.outside_year(last + 1)
        } else {
            CalendarError::NotEnoughOpenTime { open, from, first, last }
        }
    }

    /// Why open time before `from` ran out.
    fn past_beginning(&self, from: Instant, open: Span) -> CalendarError {
        let (first, last) = self.years();
        if self.demanded {
            self.outside_year(first - 1)
        } else {
            CalendarError::NotEnoughOpenTime { open, from, first, last }
        }
    }
}

fn wanted(open: Span) -> Result<i64, CalendarError> {
    if open.micros() < 0 { Err(CalendarError::NegativeSpan { span: open }) } else { Ok(open.micros()) }
}
