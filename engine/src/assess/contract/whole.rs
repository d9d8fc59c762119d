//! A contract judged from events alone, with what its answer rests on of its tickets.

use std::sync::Arc;

use rhai::ImmutableString;

use super::{Changes, ClockEnds, ContractAssessment, ContractCase, ContractState, is_deed};
use crate::assess::{Case, Outcome, admitted};
use crate::event::{Event, EventError};
use crate::policy::ClauseFault;
use crate::ticket::Entry;
use crate::vocabulary::Measure;
use crate::{Instant, Pack};

/// A level that counts clocks of tickets: its clause, its name, and the names of the clocks.
pub(crate) type Counts = (String, Arc<str>, Arc<[ImmutableString]>);

/// A contract judged whole.
pub(crate) struct Whole {
    pub(crate) assessment: ContractAssessment,
    /// All that could not be judged; the assessment tells the first.
    pub(crate) faults: Vec<ClauseFault>,
    pub(crate) counts: Vec<Counts>,
}

/// The contract's own entries: the deeds apart from the others, and of those the ones that hold clocks.
pub(crate) struct Own {
    pub(crate) deeds: Vec<Arc<Entry>>,
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) relief: Vec<Arc<Entry>>,
}

impl Own {
    /// # Errors
    /// [`EventError`] for the first event that the pack's schema refuses.
    pub(crate) fn of(pack: &Pack, events: &[Event]) -> Result<Own, EventError> {
        let all = admitted(pack, events)?;
        let (deeds, entries): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| is_deed(entry.kind));
        let relief = entries.iter().filter(|entry| entry.holds_clocks()).cloned().collect();
        Ok(Own { deeds, entries, relief })
    }

    /// A ticket judged by its events as of an instant.
    ///
    /// # Errors
    /// [`EventError`] for the first event that the pack's schema refuses.
    pub(crate) fn outcome(
        &self,
        pack: &Pack,
        ticket: &str,
        events: &[Event],
        as_of: Instant,
    ) -> Result<Outcome, EventError> {
        let (history, ticket) = (admitted(pack, events)?, Arc::from(ticket));
        let (contract, relief, history) = (&*self.entries, &*self.relief, &*history);
        let case = Case { pack, contract, relief, history, ticket: &ticket, as_of };
        Ok(case.outcome(None, None))
    }

    /// The contract judged with these tickets.
    ///
    /// # Errors
    /// [`EventError`] for the first event that the pack's schema refuses.
    pub(crate) fn judge<'e>(
        &self,
        pack: &Pack,
        contract: &str,
        tickets: impl Iterator<Item = (&'e str, &'e [Event])>,
        as_of: Instant,
    ) -> Result<Whole, EventError> {
        let mut ends = ClockEnds::default();
        for (place, (ticket, events)) in tickets.enumerate() {
            ends.update(place, None, &self.outcome(pack, ticket, events, as_of)?);
        }
        let case = ContractCase { pack, entries: &self.entries, as_of };
        let mut state = ContractState::build(case, &self.deeds);
        state.close(case, &ends, &mut Changes::default());
        Ok(Whole {
            assessment: state.assessment(case, contract, &ends),
            faults: state.faults(),
            counts: state.counts(pack),
        })
    }
}

impl ContractState {
    /// All that cannot be judged.
    fn faults(&self) -> Vec<ClauseFault> {
        let begun = self.epochs.get(..self.begun).unwrap_or_default();
        let of_epochs = begun.iter().filter_map(|epoch| epoch.fault.as_deref());
        of_epochs.chain(self.duties.faults()).chain(self.levels.faults()).cloned().collect()
    }

    /// The levels that count clocks of tickets.
    fn counts(&self, pack: &Pack) -> Vec<Counts> {
        let levels = self.epochs.iter().flat_map(|epoch| &epoch.levels);
        let counts = levels.filter_map(|(clause, level)| match &level.measure {
            Measure::InTime(names) => {
                Some((pack.clause_id(*clause).to_owned(), Arc::clone(&level.name), Arc::clone(names)))
            }
            Measure::Availability(_) => None,
        });
        counts.collect()
    }
}
