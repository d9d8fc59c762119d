//! One occurrence of a duty judged: a clock that starts with it and is stopped by its being done.

use std::sync::Arc;

use crate::clock::{ClockRun, ClockState, Length, Stretch, period_end};
use crate::event::Kind;
use crate::{Calendar, CalendarError, Instant, Span};

/// What a duty asks for while the terms and clauses of some dates hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DutySpec {
    /// The clause, by its place in the pack.
    pub(crate) clause: u16,
    pub(crate) name: Arc<str>,
    /// How long there is for it: open time or days.
    pub(crate) length: Length,
    /// So long before an occurrence its own time begins.
    pub(crate) early: Span,
    /// The calendar, by its place in the pack.
    pub(crate) calendar: u16,
    /// Facts that prove it done.
    pub(crate) needs: Arc<[u16]>,
}

/// Runs the clock of an occurrence up to an instant. `still` holds the times in which it stands still, in order.
pub(crate) fn run(
    spec: &DutySpec,
    calendar: &Calendar,
    at: Instant,
    done: Option<Instant>,
    still: &[(Instant, Option<Instant>)],
    as_of: Instant,
    stretches: &mut dyn FnMut(Stretch),
) -> Result<ClockRun, CalendarError> {
    let mut run = ClockRun::waiting(ClockState::Waiting);
    if as_of < at && done.is_none() {
        return Ok(run);
    }
    let (target, unbroken) = match spec.length {
        Length::Open(span) => (span, None),
        Length::Days(period, count) => {
            let due = period_end(calendar, at, period, count)?;
            (calendar.between(at, due)?, Some(due))
        }
        // A duty ends on no fact: the vocabulary has no word for it.
        _ => (Span::ZERO, Some(at)),
    };
    (run.started, run.target, run.stopped) = (Some(at), Some(target), done);
    let due_from = |from: Instant, used: Span| match unbroken {
        Some(due) if from == at && used == Span::ZERO => Ok(due),
        _ => calendar.add(from, target - used),
    };
    let end = done.unwrap_or(as_of);
    let mut breached = false;
    let mut paused = false;
    let mut from = at;
    let mut rest = still.iter().skip_while(|(_, until)| until.is_some_and(|until| until <= at)).peekable();
    while from <= end && done.is_none_or(|done| at < done) {
        // Standing still begins at its first instant, and ends at the one after its last.
        if let Some((_, until)) = rest.next_if(|(begins, _)| *begins <= from) {
            match until {
                Some(until) if *until <= end => from = *until,
                _ => {
                    paused = true;
                    break;
                }
            }
            continue;
        }
        let to = rest.peek().map_or(end, |(begins, _)| end.min(*begins));
        if !breached {
            let due = due_from(from, run.used)?;
            breached = due < to;
            run.due = Some(due);
        }
        run.used = run.used + calendar.between(from, to)?;
        let runs_out = rest.peek().is_none_or(|(begins, _)| *begins > end);
        let ended_by = match (runs_out, done.is_some()) {
            (false, _) => Some(Kind::FORCE_MAJEURE_STARTED),
            (true, true) => Some(Kind::DUTY_DONE),
            (true, false) => None,
        };
        stretches(Stretch { from, to, ended_by });
        if runs_out {
            break;
        }
        from = to;
    }
    let due = run.due.map_or_else(|| due_from(at, Span::ZERO), Ok)?;
    if breached {
        run.late = (run.used - target).max(Span::ZERO);
    }
    run.state = match (breached, done.is_some()) {
        (true, true) => ClockState::Late,
        (true, false) => ClockState::Breached,
        (false, true) => ClockState::Met,
        (false, false) if paused => ClockState::Paused,
        (false, false) => ClockState::Running,
    };
    run.due = match run.state {
        ClockState::Paused => None,
        // Done while it stood still: what was due before no longer was.
        ClockState::Met if done.is_some_and(|done| done > due) => None,
        _ => Some(due),
    };
    Ok(run)
}
