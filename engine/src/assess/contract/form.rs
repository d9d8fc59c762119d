//! A service level as it holds in one epoch, and when its periods close.

use std::sync::Arc;

use super::epochs::Epoch;
use super::{ContractCase, Frame};
use crate::level::{Course, Period};
use crate::policy::ClauseFault;
use crate::vocabulary::Level;
use crate::{Calendar, CalendarError, Instant};

/// A level as it holds for the periods that begin in one epoch.
pub(super) struct Form {
    pub(super) clause: u16,
    pub(super) level: Arc<Level>,
    pub(super) epoch: usize,
    pub(super) begins: Instant,
    pub(super) next: Option<Instant>,
    pub(super) fault: Option<Box<ClauseFault>>,
}

impl Form {
    pub(super) fn place(&self) -> (u16, Arc<str>, usize) {
        (self.clause, Arc::clone(&self.level.name), self.epoch)
    }

    pub(super) fn calendar<'a>(&self, case: ContractCase<'a>) -> Option<&'a Calendar> {
        let calendar = case.pack.calendars.get(usize::from(self.level.calendar.unwrap_or(0)));
        calendar.and_then(|calendar| calendar.known_at(case.as_of)).map(|calendar| &**calendar)
    }

    pub(super) fn course<'a>(&self, case: ContractCase<'a>, frame: &Frame) -> Option<Course<'a>> {
        let calendar = self.calendar(case)?;
        Some(Course::new(&self.level, self.begins, frame.ended, &case.pack.schema.days, calendar))
    }

    /// The terms of a period's first instant govern it.
    pub(super) fn governs(&self, epochs: &[Epoch], period: &Period) -> bool {
        epochs.get(self.epoch).is_some_and(|epoch| epoch.from <= period.from && period.from < epoch.until)
    }

    pub(super) fn closing(
        &self,
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
        after: Instant,
    ) -> Result<Vec<Period>, CalendarError> {
        let Some(course) = self.course(case, frame) else { return Ok(Vec::new()) };
        let mut periods = course.closing(after, case.as_of)?;
        periods.retain(|period| self.governs(epochs, period));
        Ok(periods)
    }

    /// When the next of its periods closes.
    pub(super) fn next_close(
        &self,
        case: ContractCase<'_>,
        frame: &Frame,
        epochs: &[Epoch],
    ) -> Result<Option<Instant>, CalendarError> {
        let (Some(course), Some(epoch)) = (self.course(case, frame), epochs.get(self.epoch)) else {
            return Ok(None);
        };
        let mut after = case.as_of;
        while let Some(closes) = course.next_close(after)? {
            let periods = course.closing(after, closes)?;
            if periods.iter().any(|period| self.governs(epochs, period)) {
                return Ok(Some(closes));
            }
            if periods.iter().all(|period| period.from >= epoch.until) {
                return Ok(None);
            }
            after = closes;
        }
        Ok(None)
    }
}
