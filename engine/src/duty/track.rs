//! The occurrences of one duty in their order, and what was told of its being done.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::recurrence::Series;
use super::run::DutySpec;
use crate::ticket::{Detail, Entry, Value};
use crate::{Instant, Span};

/// A duty may fall so often in the life of a contract: hourly for 28 years.
pub(crate) const MOST_OCCURRENCES: usize = 250_000;

/// A stretch of time in which a duty holds in one form.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    pub(crate) spec: Arc<DutySpec>,
    /// Which of the series gives its occurrences; nothing: it falls once, at `begins`.
    pub(crate) series: Option<usize>,
    pub(crate) begins: Instant,
}

/// One occurrence, with what was told of it.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) at: Instant,
    /// From here on being done counts for it and no longer for the one before.
    pub(crate) opens: Instant,
    pub(crate) spec: Arc<DutySpec>,
    /// The first event that proves it done.
    pub(crate) done: Option<Arc<Entry>>,
}

/// What is wrong with an event that says a duty was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Before the first occurrence's own time.
    Early,
    /// This fact, by place, is missing or says no.
    Unproved(u16),
    /// Another one did it already.
    Again,
}

/// An event's place in the order of events.
pub(crate) type Told = (Instant, Box<str>);

/// One duty of a contract.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) name: Arc<str>,
    stages: Vec<Stage>,
    /// Occurrences whose own time has begun.
    pub(crate) occurrences: Vec<Occurrence>,
    /// The next one, if there is any.
    next: Option<Occurrence>,
    pub(crate) flaws: BTreeMap<Told, (Flaw, u16)>,
}

impl Track {
    /// `stages` in order; `ended` is the contract's end.
    pub(crate) fn new(
        name: Arc<str>,
        stages: Vec<Stage>,
        series: &mut [Series],
        ended: Option<Instant>,
    ) -> Track {
        let mut track = Track { name, stages, occurrences: Vec::new(), next: None, flaws: BTreeMap::new() };
        track.next = track.after(None, series, ended);
        track
    }

    /// The clause of the duty's first form.
    pub(crate) fn clause(&self) -> u16 {
        self.stages.first().map_or(0, |stage| stage.spec.clause)
    }

    /// The beginning it counts from first.
    pub(crate) fn begins(&self) -> Option<Instant> {
        self.stages.first().map(|stage| stage.begins)
    }

    /// When the next occurrence falls that is not in the list.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.next.as_ref().map(|next| next.at)
    }

    /// Whether no occurrence has come or will come.
    pub(crate) fn is_empty(&self) -> bool {
        self.occurrences.is_empty() && self.next.is_none()
    }

    /// Takes the next occurrence into the list if its own time has begun; gives its place.
    pub(crate) fn extend(
        &mut self,
        now: Instant,
        series: &mut [Series],
        ended: Option<Instant>,
    ) -> Option<usize> {
        let next = self.next.take_if(|next| next.opens <= now)?;
        if self.occurrences.len() < MOST_OCCURRENCES {
            self.next = self.after(Some(&next), series, ended);
        }
        self.occurrences.push(next);
        Some(self.occurrences.len() - 1)
    }

    /// The occurrence after another.
    fn after(
        &self,
        last: Option<&Occurrence>,
        series: &mut [Series],
        ended: Option<Instant>,
    ) -> Option<Occurrence> {
        let from = last.map_or(Instant::MIN, |last| last.at.succ());
        for stage in self.stages.iter().filter(|stage| stage.until > from) {
            let from = stage.from.max(from);
            let at = match stage.series.and_then(|i| series.get_mut(i)) {
                Some(series) => series.first_from(from),
                None => Some(stage.begins).filter(|at| *at >= from),
            };
            let Some(at) = at.filter(|at| *at < stage.until) else { continue };
            if ended.is_some_and(|ended| ended <= at) {
                return None;
            }
            let opens = at.checked_add(Span::ZERO - stage.spec.early).unwrap_or(Instant::MIN);
            let opens = last.map_or(opens, |last| opens.max(last.opens));
            return Some(Occurrence { at, opens, spec: Arc::clone(&stage.spec), done: None });
        }
        None
    }

    /// Takes an event that says the duty was done. All occurrences whose own time had begun by then must be in the list.
    /// Gives the occurrence that it did, and the events with a flaw that they had not before.
    pub(crate) fn tell(&mut self, entry: &Arc<Entry>) -> (Option<usize>, Option<Told>) {
        let told = (entry.at, entry.id.clone());
        let after = self.occurrences.partition_point(|occurrence| occurrence.opens <= entry.at);
        let owner = after.checked_sub(1).and_then(|place| Some((place, self.occurrences.get_mut(place)?)));
        let Some((place, owner)) = owner else {
            let clause = self.clause();
            self.flaws.insert(told.clone(), (Flaw::Early, clause));
            return (None, Some(told));
        };
        let clause = owner.spec.clause;
        if let Some(fact) = unproved(entry, &owner.spec.needs) {
            self.flaws.insert(told.clone(), (Flaw::Unproved(fact), clause));
            return (None, Some(told));
        }
        match &owner.done {
            Some(done) if done.order() < entry.order() => {
                self.flaws.insert(told.clone(), (Flaw::Again, clause));
                (None, Some(told))
            }
            _ => {
                let before = owner.done.replace(Arc::clone(entry));
                let again = before.map(|before| (before.at, before.id.clone()));
                if let Some(again) = &again {
                    self.flaws.insert(again.clone(), (Flaw::Again, clause));
                }
                (Some(place), again)
            }
        }
    }
}

/// The first needed fact that an event does not carry, or says no to.
fn unproved(entry: &Entry, needs: &[u16]) -> Option<u16> {
    let Detail::Duty(deed) = &entry.detail else { return None };
    let proves = |need: &u16| {
        deed.facts.iter().any(|(place, value)| place == need && !matches!(value, Value::Bool(false)))
    };
    needs.iter().find(|need| !proves(need)).copied()
}
