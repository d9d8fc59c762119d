//! When the clocks of all tickets were met or missed, for the levels that count them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Instant;
use crate::assess::Outcome;
use crate::clock::ClockState;
use crate::level::ClockEnd;

/// The ends of a contract's clocks by name: met at the stop, missed at the due instant.
#[derive(Debug, Default)]
pub(crate) struct ClockEnds {
    by_name: BTreeMap<Arc<str>, BTreeSet<End>>,
    /// Those that came or went since they were last asked for, where that is wanted.
    changes: Option<Vec<(Arc<str>, End, bool)>>,
}

/// When a clock ended, the place of its ticket and its own, and whether it was met.
pub(crate) type End = (Instant, usize, u16, bool);

impl ClockEnds {
    /// Takes how a ticket's clocks stand now; gives the name and instant of every end that is new or gone.
    pub(crate) fn update(
        &mut self,
        ticket: usize,
        before: Option<&Outcome>,
        after: &Outcome,
    ) -> Vec<(Arc<str>, Instant)> {
        let (old, new) = (before.map(|before| ends(before, ticket)).unwrap_or_default(), ends(after, ticket));
        let mut changed = Vec::new();
        for (name, end) in old.difference(&new) {
            if let Some(known) = self.by_name.get_mut(*name) {
                known.remove(end);
            }
            self.note(name, *end, false);
            changed.push((Arc::clone(name), end.0));
        }
        for (name, end) in new.difference(&old) {
            self.put(name, *end);
            self.note(name, *end, true);
            changed.push((Arc::clone(name), end.0));
        }
        changed
    }

    /// Takes an end that is known: of the clock at a place of its ticket, met at an instant, or missed then.
    pub(crate) fn insert(&mut self, name: &Arc<str>, at: Instant, (ticket, place): (usize, u16), met: bool) {
        self.put(name, (at, ticket, place, met));
    }

    /// Takes an end as it is known.
    pub(crate) fn put(&mut self, name: &Arc<str>, end: End) {
        self.by_name.entry(Arc::clone(name)).or_default().insert(end);
    }

    /// From now on what comes and goes is noted.
    pub(crate) fn keep_changes(&mut self) {
        self.changes = Some(Vec::new());
    }

    /// What came (`true`) and went since this was asked last.
    pub(crate) fn take_changes(&mut self) -> Vec<(Arc<str>, End, bool)> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn note(&mut self, name: &Arc<str>, end: End, came: bool) {
        if let Some(changes) = &mut self.changes {
            changes.push((Arc::clone(name), end, came));
        }
    }

    /// The ends of clocks of a name from one instant to before another.
    pub(crate) fn within(
        &self,
        name: &str,
        from: Instant,
        until: Instant,
    ) -> impl Iterator<Item = ClockEnd<'_>> {
        let range = (from, 0, 0, false)..(until.max(from), 0, 0, false);
        let known = self.by_name.get_key_value(name).into_iter();
        known.flat_map(move |(name, ends)| {
            ends.range(range.clone()).map(move |(at, .., met)| ClockEnd {
                name,
                state: if *met { ClockState::Met } else { ClockState::Breached },
                due: Some(*at),
                stopped: met.then_some(*at),
            })
        })
    }
}

fn ends(outcome: &Outcome, ticket: usize) -> BTreeSet<(&Arc<str>, End)> {
    let specs = outcome.derivation.as_ref().map(|derivation| &*derivation.clocks).unwrap_or_default();
    let clocks = (0_u16..).zip(specs.iter().zip(&outcome.clocks));
    let ended = clocks.filter_map(|(place, (spec, run))| {
        let (at, met) = match run.state {
            ClockState::Met => (run.stopped?, true),
            ClockState::Breached | ClockState::Late => (run.due?, false),
            _ => return None,
        };
        Some((&spec.name, (at, ticket, place, met)))
    });
    ended.collect()
}
