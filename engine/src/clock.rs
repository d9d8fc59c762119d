//! Stage 4: one deadline running over a ticket's history.

mod hands;
mod lateness;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rhai::ImmutableString;
use serde::Serialize;

use crate::CalendarError;
use crate::event::Kind;
use crate::terms::Period;
use crate::{Instant, Span};
pub(crate) use lateness::Lateness;
pub(crate) use run::{period_end, run};

/// Where a clock stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Its start has not come.
    Waiting,
    /// Time runs.
    Running,
    /// It stands still until the pause ends.
    Paused,
    /// Stopped at the due instant or before.
    Met,
    /// The due instant has passed and nothing has stopped it.
    Breached,
    /// Stopped after the due instant.
    Late,
    /// Called off before it was met or breached.
    Cancelled,
}

/// A clock as a clause sets it for one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClockSpec {
    /// The clause, by its place in the pack.
    pub(crate) clause: u16,
    pub(crate) name: Arc<str>,
    pub(crate) start: Start,
    pub(crate) length: Length,
    pub(crate) stops: Arc<[Kind]>,
    /// The calendar, by its place in the pack.
    pub(crate) calendar: u16,
    pub(crate) pauses: Pauses,
    /// All its pauses together hold it for at most so much elapsed time; nothing: as long as they last.
    pub(crate) pause_max: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// The first of these events.
    On(Arc<[Kind]>),
    /// The breach of an earlier clock of the ticket, by place.
    BreachOf(u16),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Length {
    /// So much open time of the calendar.
    Open(Span),
    /// Counted in days of the calendar.
    Days(Period, CountRule),
    /// Until the instant that this fact holds.
    Fact(u16, Option<Instant>),
    /// Until so long before the instant that this fact holds, counted back in days of the calendar.
    Before(u16, Period, CountRule, Option<Instant>),
}

/// How working days are counted from an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountRule {
    /// The day of the event is not counted; the period ends at the close of the last day (PRC Civil Code arts. 201, 203).
    #[default]
    ContractLaw,
    /// The same clock time, so many working days later.
    SameTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pauses {
    Never,
    Always,
    For(Arc<[ImmutableString]>),
}

/// A clock as it ran up to an instant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClockRun {
    pub(crate) state: ClockState,
    pub(crate) started: Option<Instant>,
    /// When it is or was due; not known while it waits or is paused before its breach.
    pub(crate) due: Option<Instant>,
    pub(crate) stopped: Option<Instant>,
    /// Open time that ran, over all stretches.
    pub(crate) used: Span,
    /// Open time beyond the target.
    pub(crate) late: Span,
    /// The target in open time; nothing for a clock that ends on a date.
    pub(crate) target: Option<Span>,
    /// When it runs on though nobody ends the pause, since its pauses are used up then.
    pub(crate) runs_on: Option<Instant>,
}

/// One stretch in which a clock ran, for explaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// What ended it; nothing when it is still running.
    pub(crate) ended_by: Option<Kind>,
}

/// A clock that cannot run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClockFault {
    Calendar(CalendarError),
    /// The fact that ends it is not known when it starts.
    UnknownDue(u16),
}

impl From<CalendarError> for ClockFault {
    fn from(error: CalendarError) -> ClockFault {
        ClockFault::Calendar(error)
    }
}

impl ClockRun {
    pub(crate) fn waiting(state: ClockState) -> ClockRun {
        ClockRun {
            state,
            started: None,
            due: None,
            stopped: None,
            used: Span::ZERO,
            late: Span::ZERO,
            target: None,
            runs_on: None,
        }
    }

    /// The instant of its breach: the due instant that passed.
    pub(crate) fn breached_at(&self) -> Option<Instant> {
        matches!(self.state, ClockState::Breached | ClockState::Late).then_some(self.due).flatten()
    }
}
