//! What all tickets owe, and what the deposits of their contracts paid of it.

mod debts;
mod fold;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};

pub(crate) use debts::Debts;
pub(crate) use settle::{Outcome, Owing, Settling};

/// Charges of some tickets, in the order of the input.
#[derive(Debug, Default)]
pub(crate) struct Charges {
    pub(crate) contract: Vec<u32>,
    pub(crate) at: Vec<i64>,
    pub(crate) reported: Vec<i64>,
    pub(crate) amount: Vec<i64>,
    /// The clock's number among [`Charges::clocks`].
    pub(crate) clock: Vec<u16>,
    /// The ids of the tickets, one after another.
    pub(crate) tickets: Vec<u8>,
    pub(crate) ends: Vec<u64>,
    /// Charges that grew: from when on how much.
    pub(crate) steps: HashMap<u64, Vec<(Instant, i64)>>,
    /// Clause and name of each clock.
    pub(crate) clocks: Vec<(Arc<str>, Arc<str>)>,
    /// When clocks were met or missed, by contract, where service levels count them.
    pub(crate) ended: HashMap<u32, Vec<ClockEnded>>,
}

impl Charges {
    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    pub(crate) fn ticket(&self, place: usize) -> &[u8] {
        let end = self.ends.get(place).map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX));
        let begin = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let begin = begin.map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX));
        self.tickets.get(begin..end).unwrap_or_default()
    }

    /// Puts others after these. `contracts` and `clocks` give the numbers here of those there.
    pub(crate) fn append(&mut self, other: &Charges, contracts: &[u32], clocks: &[u16]) {
        let first = self.len() as u64;
        self.contract
            .extend(other.contract.iter().map(|c| contracts.get(*c as usize).copied().unwrap_or(*c)));
        self.at.extend_from_slice(&other.at);
        self.reported.extend_from_slice(&other.reported);
        self.amount.extend_from_slice(&other.amount);
        self.clock.extend(other.clock.iter().map(|c| clocks.get(usize::from(*c)).copied().unwrap_or(*c)));
        let base = self.tickets.len() as u64;
        self.tickets.extend_from_slice(&other.tickets);
        self.ends.extend(other.ends.iter().map(|end| base + end));
        self.steps.extend(other.steps.iter().map(|(place, steps)| (first + place, steps.clone())));
        for (contract, ended) in &other.ended {
            let contract = contracts.get(*contract as usize).copied().unwrap_or(*contract);
            self.ended.entry(contract).or_default().extend(ended.iter().cloned());
        }
    }
}
