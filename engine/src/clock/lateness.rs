//! When a missed clock was how late.

use super::Stretch;
use crate::{Calendar, CalendarError, Instant, Span};

/// The stretches in which a clock ran after its due instant.
pub(crate) struct Lateness<'a> {
    calendar: &'a Calendar,
    runs: Vec<(Instant, Instant)>,
    /// The open time of each.
    open: Vec<Span>,
    /// From when it runs on if nothing happens, and how late it is then.
    ahead: Option<(Instant, Span)>,
}

impl<'a> Lateness<'a> {
    /// `runs_on`: when a clock that is held now goes on by itself.
    pub(crate) fn new(
        calendar: &'a Calendar,
        due: Instant,
        stretches: &[Stretch],
        runs_on: Option<Instant>,
    ) -> Result<Lateness<'a>, CalendarError> {
        let late = stretches.iter().filter(|stretch| stretch.to > due);
        let runs: Vec<_> = late.map(|stretch| (stretch.from.max(due), stretch.to)).collect();
        let between = |(from, to): &(Instant, Instant)| calendar.between(*from, *to);
        let open: Vec<Span> = runs.iter().map(between).collect::<Result<_, _>>()?;
        let all = open.iter().fold(Span::ZERO, |sum, open| sum + *open);
        let running = stretches.last().filter(|last| last.ended_by.is_none());
        let ahead = running.map(|last| last.to).or(runs_on).map(|from| (from, all));
        Ok(Lateness { calendar, runs, open, ahead })
    }

    /// From when to when it ran, in order.
    pub(crate) fn runs(&self) -> &[(Instant, Instant)] {
        &self.runs
    }

    /// The first instant at which it is so late (more than nothing); nothing when it never is, as far as is known. A clock
    /// that still runs is taken to run on.
    pub(crate) fn reached(&self, late: Span) -> Result<Option<Instant>, CalendarError> {
        let mut left = late;
        for ((from, _), open) in self.runs.iter().zip(&self.open) {
            if left <= *open {
                return self.after(*from, left).map(Some);
            }
            left = left - *open;
        }
        self.ahead.map(|(from, before)| self.after(from, late - before)).transpose()
    }

    /// The very instant at which so much time has passed, be it a closing.
    fn after(&self, from: Instant, open: Span) -> Result<Instant, CalendarError> {
        self.calendar.add_with(from, open, crate::Boundary::Closing)
    }
}
