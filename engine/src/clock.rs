//! Stage 4: one deadline running over a ticket's history.

use std::sync::Arc;

use rhai::ImmutableString;
use serde::Serialize;

use crate::CalendarError;
use crate::event::Kind;
use crate::terms::{Period, PeriodUnit};
use crate::ticket::Entry;
use crate::{Calendar, Instant, Span};

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
    fn waiting(state: ClockState) -> ClockRun {
        ClockRun {
            state,
            started: None,
            due: None,
            stopped: None,
            used: Span::ZERO,
            late: Span::ZERO,
            target: None,
        }
    }

    /// The instant of its breach: the due instant that passed.
    pub(crate) fn breached_at(&self) -> Option<Instant> {
        matches!(self.state, ClockState::Breached | ClockState::Late).then_some(self.due).flatten()
    }
}

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
    let mut meter = Meter::new(spec, calendar, start)?;
    let mut hands = Hands::default();
    let mut running_from = None;
    // What happened before the start (or at it) decides how the clock starts: already stopped, paused or called off.
    let (before, after) = history.split_at(history.partition_point(|e| e.at <= start));
    for entry in before {
        hands.turn(spec, entry);
    }
    for stop in &mut hands.stops {
        stop.at = start;
    }
    if hands.run() {
        running_from = Some(start);
    }
    for entry in after {
        let ran = hands.run();
        hands.turn(spec, entry);
        match (ran, hands.run()) {
            (true, false) => {
                if let Some(from) = running_from.take() {
                    stretches(Stretch { from, to: entry.at, ended_by: Some(entry.kind) });
                    meter.consume(from, entry.at)?;
                }
            }
            (false, true) => running_from = Some(entry.at),
            _ => {}
        }
    }
    if let Some(from) = running_from {
        stretches(Stretch { from, to: as_of, ended_by: None });
        meter.run_on(from, as_of)?;
    }
    let due = meter.due.map_or_else(|| meter.due_from(start), Ok)?;
    Ok(meter.read(start, due, &hands))
}

/// Which way the hands stand: stopped, paused, called off, or running.
#[derive(Default)]
struct Hands {
    /// The stops that stand; the first of them stopped the clock.
    stops: Vec<Stop>,
    pauses: Vec<Option<ImmutableString>>,
    cancelled: bool,
}

struct Stop {
    at: Instant,
    kind: Kind,
}

impl Hands {
    fn run(&self) -> bool {
        self.stops.is_empty() && !self.cancelled && self.pauses.is_empty()
    }

    fn turn(&mut self, spec: &ClockSpec, entry: &Entry) {
        if spec.stops.contains(&entry.kind) && !self.cancelled {
            self.stops.push(Stop { at: entry.at, kind: entry.kind });
        }
        match entry.kind {
            Kind::PAUSED
                if spec.pauses.cover(entry.reason.as_ref()) && !self.pauses.contains(&entry.reason) =>
            {
                self.pauses.push(entry.reason.clone());
            }
            // A resumption that names no reason ends every pause.
            Kind::RESUMED => match &entry.reason {
                Some(reason) => self.pauses.retain(|pause| pause.as_ref() != Some(reason)),
                None => self.pauses.clear(),
            },
            Kind::RESOLVED | Kind::CLOSED => self.pauses.clear(),
            Kind::CANCELLED => {
                self.pauses.clear();
                self.cancelled = self.stops.is_empty();
            }
            Kind::REOPENED | Kind::REJECTED => {
                self.pauses.clear();
                self.cancelled = false;
                self.stops.retain(|stop| !stop.kind.is_revocable());
            }
            _ => {}
        }
    }
}

impl Pauses {
    fn cover(&self, reason: Option<&ImmutableString>) -> bool {
        match self {
            Pauses::Never => false,
            Pauses::Always => true,
            Pauses::For(reasons) => reason.is_some_and(|reason| reasons.contains(reason)),
        }
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

    /// The last stretch, which still runs.
    fn run_on(&mut self, from: Instant, as_of: Instant) -> Result<(), CalendarError> {
        self.consume(from, as_of)
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
            (false, false) if !hands.pauses.is_empty() => ClockState::Paused,
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
        ClockRun { state, started: Some(start), due, stopped, used: self.used, late: self.late, target }
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
