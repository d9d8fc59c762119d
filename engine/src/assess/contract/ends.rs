//! When the clocks of all tickets were met or missed, for the levels that count them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Instant;
use crate::assess::Outcome;
use crate::clock::ClockState;
use crate::level::ClockEnd;

/// The ends of a contract's clocks by name and instant: met at the stop, missed at the due instant.
#[derive(Debug, Default)]
pub(crate) struct ClockEnds(BTreeMap<(Arc<str>, Instant, usize, usize), bool>);

impl ClockEnds {
    /// Takes how a ticket's clocks stand now; gives the name and instant of every end that is new or gone.
    pub(crate) fn update(
        &mut self,
        ticket: usize,
        before: Option<&Outcome>,
        after: &Outcome,
    ) -> Vec<(Arc<str>, Instant)> {
        let (old, new) = (before.map(|before| ends(before, ticket)).unwrap_or_default(), ends(after, ticket));
        if old == new {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for (key, met) in &old {
            if new.get(key) != Some(met) {
                self.0.remove(key);
                changed.push((Arc::clone(&key.0), key.1));
            }
        }
        for (key, met) in new {
            if old.get(&key) != Some(&met) {
                changed.push((Arc::clone(&key.0), key.1));
                self.0.insert(key, met);
            }
        }
        changed
    }

    /// The ends of clocks of a name from one instant to before another.
    pub(crate) fn within(
        &self,
        name: &str,
        from: Instant,
        until: Instant,
    ) -> impl Iterator<Item = ClockEnd<'_>> {
        let name: Arc<str> = name.into();
        let range = (Arc::clone(&name), from, 0, 0)..(name, until.max(from), 0, 0);
        self.0.range(range).map(|((name, at, ..), met)| ClockEnd {
            name,
            state: if *met { ClockState::Met } else { ClockState::Breached },
            due: Some(*at),
            stopped: met.then_some(*at),
        })
    }
}

fn ends(outcome: &Outcome, ticket: usize) -> BTreeMap<(Arc<str>, Instant, usize, usize), bool> {
    let specs = outcome.derivation.as_ref().map(|derivation| &*derivation.clocks).unwrap_or_default();
    let clocks = specs.iter().zip(&outcome.clocks).enumerate();
    let ended = clocks.filter_map(|(place, (spec, run))| {
        let (at, met) = match run.state {
            ClockState::Met => (run.stopped?, true),
            ClockState::Breached | ClockState::Late => (run.due?, false),
            _ => return None,
        };
        Some(((Arc::clone(&spec.name), at, ticket, place), met))
    });
    ended.collect()
}
