//! What holds a clock: stops, pauses, force majeure, cancellation.

use rhai::ImmutableString;

use super::{ClockSpec, Pauses};
use crate::event::Kind;
use crate::ticket::{Detail, Entry};
use crate::{Instant, Span};

/// Which way the hands stand: stopped, paused, called off, or running.
pub(super) struct Hands {
    /// The stops that stand; the first of them stopped the clock.
    pub(super) stops: Vec<Stop>,
    pauses: Vec<Option<ImmutableString>>,
    /// The names of the windows of force majeure that hold it.
    windows: Vec<Option<Box<str>>>,
    pub(super) cancelled: bool,
    /// How long pauses may hold it yet; nothing: as long as they last.
    left: Option<Span>,
}

pub(super) struct Stop {
    pub(super) at: Instant,
    kind: Kind,
}

impl Hands {
    pub(super) fn new(spec: &ClockSpec) -> Hands {
        Hands {
            stops: Vec::new(),
            pauses: Vec::new(),
            windows: Vec::new(),
            cancelled: false,
            left: spec.pause_max,
        }
    }

    pub(super) fn run(&self) -> bool {
        self.stops.is_empty() && !self.cancelled && !self.held()
    }

    /// Whether a pause or force majeure holds it.
    pub(super) fn held(&self) -> bool {
        self.paused() || !self.windows.is_empty()
    }

    fn paused(&self) -> bool {
        !self.pauses.is_empty() && self.left.is_none_or(|left| left > Span::ZERO)
    }

    /// When its pauses are used up if nothing happens after `at`; nothing when they are not what holds it, or have no limit.
    /// While force majeure holds it too, they are not used.
    pub(super) fn runs_on(&self, at: Instant) -> Option<Instant> {
        let holds = self.paused() && self.stops.is_empty() && !self.cancelled && self.windows.is_empty();
        at.checked_add(self.left.filter(|_| holds)?).ok()
    }

    /// Time passes without an event: from when it runs on, if its pauses are used up by `to`.
    pub(super) fn pass(&mut self, from: Instant, to: Instant) -> Option<Instant> {
        let runs_on = self.runs_on(from)?;
        self.left = Some(runs_on.since(to).max(Span::ZERO));
        (runs_on <= to).then_some(runs_on)
    }

    pub(super) fn turn(&mut self, spec: &ClockSpec, entry: &Entry) {
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
            Kind::FORCE_MAJEURE_STARTED | Kind::FORCE_MAJEURE_ENDED => self.force_majeure(spec, entry),
            _ => {}
        }
    }

    /// No word on the ticket ends force majeure, only its own end.
    fn force_majeure(&mut self, spec: &ClockSpec, entry: &Entry) {
        let Detail::Relief(relief) = &entry.detail else { return };
        if entry.kind == Kind::FORCE_MAJEURE_STARTED {
            if relief.clocks.is_empty() || relief.clocks.iter().any(|name| **name == *spec.name) {
                self.windows.push(relief.window.clone());
            }
        } else if relief.window.is_none() {
            self.windows.clear();
        } else {
            self.windows.retain(|window| *window != relief.window);
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
