//! A clock run over a history: its stretches, its due instant, its lateness.

use std::sync::Arc;

use super::hands::Hands;
use super::{ClockFault, ClockRun, ClockSpec, ClockState, CountRule, Length, Start, Stretch};
use crate::CalendarError;
use crate::event::Kind;
use crate::terms::{Period, PeriodUnit};
use crate::ticket::Entry;
use crate::{Calendar, Instant, Span};

/// Runs one clock over a ticket's history.
///
/// `history` holds the ticket's entries up to `as_of` in order; `earlier` the runs of the clocks before this one.
/// Every stretch that ran is told to `stretches`.
pub(crate) fn run(
    spec: &ClockSpec,
    calendar: &Calendar,
    history: &[Arc<Entry>],
    earlier: &[ClockRun],
    as_of: Instant,
    stretches: &mut dyn FnMut(Stretch),
) -> Result<ClockRun, ClockFault> {
    let start = match &spec.start {
        Start::On(kinds) => history.iter().find(|e| kinds.contains(&e.kind)).map(|e| e.at),
        Start::BreachOf(parent) => {
            earlier.get(usize::from(*parent)).and_then(ClockRun::breached_at).filter(|at| *at < as_of)
        }
    };
    let Some(start) = start else {
        let last_word = [Kind::CANCELLED, Kind::REOPENED, Kind::REJECTED];
        let last_word = history.iter().rev().find(|e| last_word.contains(&e.kind));
        let cancelled = last_word.is_some_and(|e| e.kind == Kind::CANCELLED);
        return Ok(ClockRun::waiting(if cancelled { ClockState::Cancelled } else { ClockState::Waiting }));
    };
    let mut walk = Walk {
        meter: Meter::new(spec, calendar, start)?,
        hands: Hands::new(spec),
        running_from: None,
        at: start,
        stretches,
    };
    // What happened before the start (or at it) decides how the clock starts: already stopped, paused or called off.
    let (before, after) = history.split_at(history.partition_point(|e| e.at <= start));
    for entry in before {
        walk.hands.turn(spec, entry);
    }
    for stop in &mut walk.hands.stops {
        stop.at = start;
    }
    if walk.hands.run() {
        walk.running_from = Some(start);
    }
    for entry in after {
        walk.pass(entry.at);
        walk.turn(spec, entry)?;
    }
    walk.pass(as_of);
    walk.read(start, as_of)
}

/// A clock on its way through a history.
struct Walk<'a> {
    meter: Meter<'a>,
    hands: Hands,
    running_from: Option<Instant>,
    /// How far it has come.
    at: Instant,
    stretches: &'a mut dyn FnMut(Stretch),
}

impl Walk<'_> {
    /// Nothing happens until `to`, unless the pauses are used up meanwhile.
    fn pass(&mut self, to: Instant) {
        if let Some(runs_on) = self.hands.pass(self.at, to) {
            self.running_from = Some(runs_on);
        }
        self.at = to;
    }

    fn turn(&mut self, spec: &ClockSpec, entry: &Entry) -> Result<(), CalendarError> {
        let ran = self.hands.run();
        self.hands.turn(spec, entry);
        match (ran, self.hands.run()) {
            (true, false) => {
                if let Some(from) = self.running_from.take() {
                    (self.stretches)(Stretch { from, to: entry.at, ended_by: Some(entry.kind) });
                    self.meter.consume(from, entry.at)?;
                }
            }
            (false, true) => self.running_from = Some(entry.at),
            _ => {}
        }
        Ok(())
    }

    fn read(mut self, start: Instant, as_of: Instant) -> Result<ClockRun, ClockFault> {
        if let Some(from) = self.running_from {
            (self.stretches)(Stretch { from, to: as_of, ended_by: None });
            self.meter.consume(from, as_of)?;
        }
        let due = self.meter.due.map_or_else(|| self.meter.due_from(start), Ok)?;
        let runs_on = self.hands.runs_on(as_of);
        Ok(ClockRun { runs_on, ..self.meter.read(start, due, &self.hands) })
    }
}

/// Adds up the open time of the stretches and finds the due instant.
struct Meter<'a> {
    calendar: &'a Calendar,
    goal: Goal,
    used: Span,
    due: Option<Instant>,
    breached: bool,
    late: Span,
}

enum Goal {
    /// So much open time; the due instant of an unbroken run, when it was counted in days.
    Open(Span, Option<(Instant, Instant)>),
    /// A fixed instant.
    At(Instant),
}

impl<'a> Meter<'a> {
    fn new(spec: &ClockSpec, calendar: &'a Calendar, start: Instant) -> Result<Meter<'a>, ClockFault> {
        let goal = match spec.length {
            Length::Open(span) => Goal::Open(span, None),
            Length::Days(period, count) => {
                let due = period_end(calendar, start, period, count)?;
                Goal::Open(calendar.between(start, due)?, Some((start, due)))
            }
            Length::Fact(fact, due) => Goal::At(due.ok_or(ClockFault::UnknownDue(fact))?),
            Length::Before(fact, period, count, at) => {
                Goal::At(period_start(calendar, at.ok_or(ClockFault::UnknownDue(fact))?, period, count)?)
            }
        };
        Ok(Meter { calendar, goal, used: Span::ZERO, due: None, breached: false, late: Span::ZERO })
    }

    /// When the clock falls due if it runs on from here.
    fn due_from(&self, from: Instant) -> Result<Instant, CalendarError> {
        match self.goal {
            Goal::At(due) => Ok(due),
            Goal::Open(_, Some((start, due))) if from == start && self.used == Span::ZERO => Ok(due),
            Goal::Open(target, _) => self.calendar.add(from, target - self.used),
        }
    }

    /// A stretch that something ended: it breaches when the due instant lies before its end.
    fn consume(&mut self, from: Instant, to: Instant) -> Result<(), CalendarError> {
        if !self.breached {
            let due = self.due_from(from)?;
            self.breached = due < to;
            self.due = Some(due);
        }
        self.add(from, to)
    }

    fn add(&mut self, from: Instant, to: Instant) -> Result<(), CalendarError> {
        let ran = self.calendar.between(from, to)?;
        self.used = self.used + ran;
        match self.goal {
            Goal::Open(target, _) if self.breached => self.late = (self.used - target).max(Span::ZERO),
            // Late by the open time since the agreed date, less what was paused.
            Goal::At(due) if self.breached => {
                self.late = self.late + self.calendar.between(from.max(due), to)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read(self, start: Instant, due: Instant, hands: &Hands) -> ClockRun {
        let stopped = hands.stops.first().map(|stop| stop.at);
        let state = match (self.breached, stopped.is_some()) {
            (true, true) => ClockState::Late,
            (true, false) => ClockState::Breached,
            (false, true) => ClockState::Met,
            (false, false) if hands.cancelled => ClockState::Cancelled,
            (false, false) if hands.held() => ClockState::Paused,
            (false, false) => ClockState::Running,
        };
        let target = match self.goal {
            Goal::Open(target, _) => Some(target),
            Goal::At(_) => None,
        };
        let due = match (state, &self.goal) {
            (ClockState::Paused | ClockState::Cancelled, Goal::Open(..)) => None,
            // Stopped in a pause: what was due before the pause no longer was.
            (ClockState::Met, Goal::Open(..)) if stopped.is_some_and(|stopped| stopped > due) => None,
            _ => Some(due),
        };
        let (used, late) = (self.used, self.late);
        ClockRun { state, started: Some(start), due, stopped, used, late, target, runs_on: None }
    }
}

/// The end of a period counted in days from an instant.
pub(crate) fn period_end(
    calendar: &Calendar,
    start: Instant,
    period: Period,
    count: CountRule,
) -> Result<Instant, CalendarError> {
    match (period.unit, count) {
        (PeriodUnit::WorkingDays, CountRule::ContractLaw) => calendar.working_days_after(start, period.n),
        (PeriodUnit::WorkingDays, CountRule::SameTime) => calendar.same_time_after(start, period.n),
        (PeriodUnit::Days, _) => calendar.calendar_days_after(start, period.n),
        (PeriodUnit::Weeks, _) => calendar.calendar_weeks_after(start, period.n),
        (PeriodUnit::Months, _) => calendar.calendar_months_after(start, period.n),
        (PeriodUnit::Years, _) => calendar.calendar_months_after(start, period.n.saturating_mul(12)),
    }
}

/// The instant that lies a period counted in days before another.
fn period_start(
    calendar: &Calendar,
    end: Instant,
    period: Period,
    count: CountRule,
) -> Result<Instant, CalendarError> {
    match (period.unit, count) {
        (PeriodUnit::WorkingDays, CountRule::ContractLaw) => calendar.working_days_before(end, period.n),
        (PeriodUnit::WorkingDays, CountRule::SameTime) => calendar.same_time_before(end, period.n),
        (PeriodUnit::Days, _) => calendar.days_earlier(end, period.n),
        (PeriodUnit::Weeks, _) => calendar.days_earlier(end, period.n.saturating_mul(7)),
        (PeriodUnit::Months, _) => calendar.months_earlier(end, period.n),
        (PeriodUnit::Years, _) => calendar.months_earlier(end, period.n.saturating_mul(12)),
    }
}
