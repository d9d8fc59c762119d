//! All charges of a history, by contract.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};

use super::Charges;
use crate::write::varint;

/// All charges of a history: those of a contract together, since memory that is far apart is slow.
#[derive(Debug, Default)]
pub(crate) struct Debts {
    /// The contract of each charge, in the order of the history.
    pub(super) contract: Vec<u32>,
    /// The charges of each contract, in the order of the history.
    pub(super) own: Vec<Vec<Own>>,
    pub(super) tickets: Ids,
    /// Charges that grew: from when on how much.
    pub(super) steps: HashMap<u64, Vec<(Instant, i64)>>,
    /// Clause and name of each clock.
    pub(crate) clocks: Vec<(Arc<str>, Arc<str>)>,
    /// When clocks were met or missed, by contract, where service levels count them.
    pub(super) ended: HashMap<u32, Vec<ClockEnded>>,
}

/// A charge of a contract.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    pub(super) at: i64,
    pub(super) reported: i64,
    pub(super) amount: i64,
    /// Its place among all of the history.
    pub(super) place: u32,
    pub(super) clock: u16,
}

impl Debts {
    pub(crate) fn len(&self) -> usize {
        self.contract.len()
    }

    /// The number of a clock, made if it is new.
    pub(crate) fn clock(&mut self, clause: &Arc<str>, name: &Arc<str>) -> u16 {
        let known = self.clocks.iter().position(|(c, n)| c == clause && n == name);
        let place = known.unwrap_or_else(|| {
            self.clocks.push((Arc::clone(clause), Arc::clone(name)));
            self.clocks.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Takes charges that come after these. `contracts` and `clocks` give the numbers here of those there; what they do not give is as
    /// it is there.
    pub(crate) fn take(&mut self, charges: &Charges, contracts: &[u32], clocks: &[u16]) {
        let first = self.len();
        let number = |of: u32| contracts.get(of as usize).copied().unwrap_or(of);
        self.contract.extend(charges.contract.iter().map(|contract| number(*contract)));
        let new = self.contract.get(first..).unwrap_or_default();
        if let Some(most) = new.iter().max().map(|most| *most as usize)
            && self.own.len() <= most
        {
            self.own.resize(most + 1, Vec::new());
        }
        let sums = charges.at.iter().zip(&charges.reported).zip(&charges.amount).zip(&charges.clock);
        for ((place, contract), (((at, reported), amount), clock)) in (first..).zip(new).zip(sums) {
            if let Some(own) = self.own.get_mut(*contract as usize) {
                own.push(Own {
                    at: *at,
                    reported: *reported,
                    amount: *amount,
                    // That there are not more is looked at before they are settled.
                    place: u32::try_from(place).unwrap_or(u32::MAX),
                    clock: clocks.get(usize::from(*clock)).copied().unwrap_or(*clock),
                });
            }
        }
        (0..charges.len()).for_each(|place| self.tickets.push(charges.ticket(place)));
        let first = first as u64;
        self.steps.extend(charges.steps.iter().map(|(place, steps)| (first + place, steps.clone())));
        for (contract, ended) in &charges.ended {
            self.ended.entry(number(*contract)).or_default().extend(ended.iter().cloned());
        }
    }

    /// The order of a contract's penalties of one instant: by their ids.
    pub(super) fn order(&self, a: &Own, b: &Own) -> Ordering {
        let id = |own: &Own| -> Vec<u8> {
            let mut id = self.tickets.get(own.place as usize);
            if let Some((clause, clock)) = self.clocks.get(usize::from(own.clock)) {
                id.extend_from_slice(format!("/{clause}/{clock}").as_bytes());
            }
            id
        };
        id(a).cmp(&id(b))
    }

    /// The places of a contract's charges among its own in the order of their instants, those of one instant in that of their ids.
    pub(super) fn sorted(&self, own: &[Own]) -> Vec<u32> {
        let (least, most) =
            own.iter().fold((i64::MAX, i64::MIN), |(a, b), own| (a.min(own.at), b.max(own.at)));
        let bits = usize::BITS - own.len().leading_zeros();
        // Instant and place in one number, if there is room: half as much to move.
        let span = most.checked_sub(least).and_then(|span| u64::try_from(span).ok());
        let mut slots: Vec<u32> = match span.filter(|span| span.leading_zeros() >= bits) {
            Some(_) => {
                let key = |(slot, own): (u64, &Own)| (own.at.abs_diff(least)) << bits | slot;
                let mut keys: Vec<u64> = (0..).zip(own).map(key).collect();
                keys.sort_unstable();
                let mask = (1_u64 << bits) - 1;
                keys.iter().map(|key| u32::try_from(key & mask).unwrap_or(u32::MAX)).collect()
            }
            None => {
                let mut keys: Vec<(i64, u32)> = (0..).zip(own).map(|(slot, own)| (own.at, slot)).collect();
                keys.sort_unstable();
                keys.iter().map(|(_, slot)| *slot).collect()
            }
        };
        let of = |slot: u32| own.get(slot as usize).copied().unwrap_or_default();
        for same in slots.chunk_by_mut(|a, b| of(*a).at == of(*b).at) {
            if same.len() > 1 {
                same.sort_unstable_by(|a, b| self.order(&of(*a), &of(*b)));
            }
        }
        slots
    }
}

/// Every so many ids one is told whole.
const WHOLE: usize = 16;

/// Ids of tickets in their order. Each is told by what it has not in common with the one before, since those that follow each other
/// are mostly alike.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// For each the length of what it has in common, the length of the rest, and the rest.
    bytes: Vec<u8>,
    /// Where those that are told whole begin.
    whole: Vec<u64>,
    last: Vec<u8>,
    len: usize,
}

impl Ids {
    pub(super) fn push(&mut self, id: &[u8]) {
        let whole = self.len.is_multiple_of(WHOLE);
        let shared = if whole { 0 } else { self.last.iter().zip(id).take_while(|(a, b)| a == b).count() };
        if whole {
            self.whole.push(self.bytes.len() as u64);
        }
        let rest = id.get(shared..).unwrap_or_default();
        varint(shared as u64, &mut self.bytes);
        varint(rest.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(rest);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        self.len += 1;
    }

    /// One by its place; empty where there is none.
    pub(super) fn get(&self, place: usize) -> Vec<u8> {
        let mut id = Vec::new();
        let Some(begin) = self.whole.get(place / WHOLE).and_then(|begin| usize::try_from(*begin).ok()) else {
            return id;
        };
        let mut rest = self.bytes.get(begin..).unwrap_or_default();
        for _ in 0..=place % WHOLE {
            let (shared, own) = (take_length(&mut rest), take_length(&mut rest));
            let (new, after) = rest.split_at(own.min(rest.len()));
            id.truncate(shared);
            id.extend_from_slice(new);
            rest = after;
        }
        id
    }
}

/// A length as [`varint`] writes it.
fn take_length(bytes: &mut &[u8]) -> usize {
    let (mut n, mut shift) = (0, 0);
    while let Some((first, rest)) = bytes.split_first() {
        *bytes = rest;
        n |= usize::from(first & 0x7f) << shift;
        if first & 0x80 == 0 || shift > 49 {
            break;
        }
        shift += 7;
    }
    n
}
