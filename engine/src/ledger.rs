//! Stage 7: a contract's money, in double entry.
//!
//! What is owed follows from the *items* (deposits, steps of penalties, waivers, disputes), settled in the order of their
//! instants. When a late event changes an item, the settlement is made again from there and the difference is posted; no entry
//! is ever edited.

mod asked;
mod books;
mod caps;
mod plan;
mod posting;
mod say;
mod settlement;
mod statement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Currency, Instant, Money};
pub(crate) use books::{Books, Owed};
use posting::{Posted, applied, movements};
pub use say::{Say, SayKind};
use settlement::{Filed, ItemKey, Name, Overflow, Settled, State};
pub use statement::{
    CapCut, ClauseTotal, Deposit, DepositPoint, PenaltyState, Statement, StatementLine, Subject,
};
pub(crate) use statement::{line, statement};

/// An account of one contract. Every entry's postings add up to zero over all accounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The deposit the buyer holds for the supplier (质保金): positive is held.
    Deposit,
    /// The supplier's money: what it paid in, less what came back.
    Supplier,
    /// The buyer's money: penalties taken.
    Buyer,
    /// What the buyer may still claim because the deposit did not suffice.
    Claim,
    /// The supplier's side of the claim.
    Owed,
}

const ACCOUNTS: usize = 5;

/// Why an entry was posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The supplier paid into the deposit.
    Paid,
    /// The deposit, or part of it, was given back.
    Released,
    /// A penalty was taken from the deposit, as far as it reached.
    Deducted,
    /// The part of a penalty that the deposit did not cover.
    Shortfall,
    /// A shortfall was collected from a later payment.
    Collected,
    /// An earlier entry was taken back, in part or whole.
    Reversed,
}

/// One line of the ledger. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its place, from 1.
    pub number: u64,
    /// When it took effect.
    pub at: Instant,
    /// When it was booked.
    pub booked: Instant,
    /// Why.
    pub kind: EntryKind,
    /// The penalty, or the event of a payment.
    pub item: String,
    /// The event that brought it about; absent when time alone did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The amount moved, never negative.
    pub amount: Money,
    /// The account it left.
    pub from: Account,
    /// The account it reached.
    pub to: Account,
    /// The deposit after it.
    pub balance: Money,
}

/// Why the books cannot be kept. An arithmetic fault or a defect of this program, never a sender's doing alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// A sum leaves 64 bits of minor units.
    #[error("the ledger of contract `{contract}` overflows 64-bit minor units at `{item}`")]
    Overflow {
        /// The contract.
        contract: String,
        /// The item that broke it.
        item: String,
    },
    /// The accounts do not add up to zero.
    #[error("the ledger of contract `{contract}` does not balance: off by {off}")]
    Unbalanced {
        /// The contract.
        contract: String,
        /// By how much.
        off: Money,
    },
}

/// The books of one contract.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    contract: String,
    currency: Currency,
    items: BTreeMap<ItemKey, Filed>,
    /// The last item settled; what comes after it is settled by going on, what comes before by starting anew.
    settled_to: Option<ItemKey>,
    dirty: bool,
    /// Items have changed since the last settlement.
    moved: bool,
    /// Why the last settlement failed; the entries then stand as they were before it.
    pub(crate) fault: Option<LedgerError>,
    state: State,
    /// What the entries say so far, by penalty or event.
    posted: BTreeMap<Name, Posted>,
    balances: [i64; ACCOUNTS],
    /// How many entries there are that are not in memory.
    before: u64,
    /// The penalties of which something was settled since they were last asked for, where that is wanted.
    settled_anew: Option<Vec<String>>,
    pub(crate) entries: Vec<LedgerEntry>,
}

impl Ledger {
    pub(crate) fn new(contract: &str, currency: Currency) -> Ledger {
        Ledger {
            contract: contract.to_owned(),
            currency,
            items: BTreeMap::new(),
            settled_to: None,
            dirty: false,
            moved: false,
            fault: None,
            state: State::default(),
            posted: BTreeMap::new(),
            balances: [0; ACCOUNTS],
            before: 0,
            settled_anew: None,
            entries: Vec::new(),
        }
    }

    fn put(&mut self, key: ItemKey, item: Filed) {
        if self.items.get(&key) == Some(&item) {
            return;
        }
        self.dirty |= self.settled_to.as_ref().is_some_and(|last| *last >= key);
        self.moved = true;
        self.items.insert(key, item);
    }

    fn remove(&mut self, key: &ItemKey) {
        if self.items.remove(key).is_some() {
            self.moved = true;
            self.dirty |= self.settled_to.as_ref().is_some_and(|last| last >= key);
        }
    }

    /// Settles what is new and posts the entries; says whether there was anything. On a fault nothing is posted and the items
    /// stay as they were put.
    fn settle(&mut self, booked: Instant, cause: Option<&str>) -> Result<bool, LedgerError> {
        if !self.moved {
            return Ok(false);
        }
        let result = self.settle_items(booked, cause);
        self.moved = result.is_err();
        self.fault = result.clone().err();
        result.map(|()| true)
    }

    fn settle_items(&mut self, booked: Instant, cause: Option<&str>) -> Result<(), LedgerError> {
        let overflow = |contract: &str| {
            let contract = contract.to_owned();
            move |Overflow(item)| LedgerError::Overflow { contract, item }
        };
        let mut state = if self.dirty { State::default() } else { std::mem::take(&mut self.state) };
        let from = if self.dirty { None } else { self.settled_to.take() };
        let after = from.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        for (key, item) in self.items.range((after, std::ops::Bound::Unbounded)) {
            if let Err(fault) = state.settle(key, item) {
                self.dirty = true;
                return Err(overflow(&self.contract)(fault));
            }
        }
        let mut touched = std::mem::take(&mut state.touched);
        if self.dirty {
            // Items that are gone leave their postings to be taken back.
            let gone = self.posted.iter().filter(|(name, posted)| {
                **posted != Posted::default() && state.target(name) == Posted::default()
            });
            touched.extend(gone.map(|(name, _)| (booked, name.clone())));
        }
        self.settled_to = self.items.last_key_value().map(|(key, _)| key.clone());
        self.dirty = false;
        self.post(&state, touched, booked, cause);
        self.state = state;
        self.check()
    }

    /// Settles all items of a ledger whose entries were posted before, so many of them.
    fn resume(&mut self, before: u64) {
        self.before = before;
        self.settled_anew = Some(Vec::new());
        self.moved = true;
        let mut state = State::default();
        for (key, item) in &self.items {
            if let Err(Overflow(item)) = state.settle(key, item) {
                // As after a settlement that failed: the next one tries again.
                self.dirty = true;
                self.fault = Some(LedgerError::Overflow { contract: self.contract.clone(), item });
                return;
            }
        }
        let penalties = state.penalties.keys().cloned().map(Name::Penalty);
        let names: Vec<Name> = penalties.chain(state.moved.keys().cloned().map(Name::Event)).collect();
        for name in names {
            self.count_posted(state.target(&name));
            self.posted.insert(name.clone(), state.target(&name));
        }
        state.touched.clear();
        self.settled_to = self.items.last_key_value().map(|(key, _)| key.clone());
        (self.moved, self.state) = (false, state);
    }

    fn count_posted(&mut self, posted: Posted) {
        self.balances[Account::Deposit as usize] += posted.moved - posted.deducted;
        self.balances[Account::Supplier as usize] -= posted.moved;
        self.balances[Account::Buyer as usize] += posted.deducted;
        self.balances[Account::Claim as usize] += posted.shortfall;
        self.balances[Account::Owed as usize] -= posted.shortfall;
    }

    /// Stands as the entries say that were posted before: for a ledger that could not be settled.
    pub(crate) fn stand_as(&mut self, entries: &[LedgerEntry]) {
        self.balances = [0; ACCOUNTS];
        self.posted.clear();
        for entry in entries {
            let amount = entry.amount.minor();
            self.balances[entry.from as usize] -= amount;
            self.balances[entry.to as usize] += amount;
            let item = || entry.item.clone();
            let (name, part): (Name, fn(&mut Posted) -> &mut i64) = match (entry.from, entry.to) {
                (Account::Supplier, _) | (_, Account::Supplier) => {
                    (Name::Event(item()), |posted| &mut posted.moved)
                }
                (Account::Buyer, _) | (_, Account::Buyer) => {
                    (Name::Penalty(item()), |posted| &mut posted.deducted)
                }
                _ => (Name::Penalty(item()), |posted| &mut posted.shortfall),
            };
            let adds = matches!(
                (entry.from, entry.to),
                (Account::Supplier, _) | (_, Account::Buyer) | (_, Account::Claim)
            );
            *part(self.posted.entry(name).or_default()) += if adds { amount } else { -amount };
        }
    }

    /// Hands over the entries posted since this was called last; their numbers go on.
    pub(crate) fn take_entries(&mut self) -> Vec<LedgerEntry> {
        self.before += self.entries.len() as u64;
        std::mem::take(&mut self.entries)
    }

    /// How many entries were posted in all.
    pub(crate) fn posted_in_all(&self) -> u64 {
        self.before + self.entries.len() as u64
    }

    /// Posts the difference between what the entries say and what the settlement says: first what frees the deposit,
    /// then what draws on it, so that no entry takes it below its floor on the way.
    fn post(
        &mut self,
        state: &State,
        mut touched: Vec<(Instant, Name)>,
        booked: Instant,
        cause: Option<&str>,
    ) {
        // Of several touches of one item the last counts; the order of instants is kept.
        let mut seen = std::collections::BTreeSet::new();
        touched.reverse();
        touched.retain(|(_, name)| seen.insert(name.clone()));
        touched.reverse();
        if let Some(settled) = &mut self.settled_anew {
            settled.extend(touched.iter().filter_map(|(_, name)| match name {
                Name::Penalty(id) => Some(id.clone()),
                Name::Event(_) => None,
            }));
        }
        for freeing in [true, false] {
            for (at, name) in &touched {
                let was = self.posted.get(name).copied().unwrap_or_default();
                let target = state.target(name);
                for (kind, amount, from, to) in movements(was, target, freeing) {
                    let amount = Money::from_minor(amount, self.currency);
                    self.entry(*at, booked, kind, name.text(), cause, amount, from, to);
                }
                let now = self.posted.entry(name.clone()).or_default();
                *now = applied(*now, target, freeing);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field of the entry")]
    fn entry(
        &mut self,
        at: Instant,
        booked: Instant,
        kind: EntryKind,
        item: &str,
        cause: Option<&str>,
        amount: Money,
        from: Account,
        to: Account,
    ) {
        self.balances[from as usize] -= amount.minor();
        self.balances[to as usize] += amount.minor();
        self.entries.push(LedgerEntry {
            number: self.before + self.entries.len() as u64 + 1,
            at,
            booked,
            kind,
            item: item.to_owned(),
            cause: cause.map(str::to_owned),
            amount,
            from,
            to,
            balance: self.balance(),
        });
    }

    fn check(&self) -> Result<(), LedgerError> {
        let off: i64 = self.balances.iter().sum();
        let agrees = self.state.balance == self.balances[Account::Deposit as usize];
        if off == 0 && agrees {
            return Ok(());
        }
        let off = if agrees { off } else { self.state.balance - self.balances[Account::Deposit as usize] };
        Err(LedgerError::Unbalanced {
            contract: self.contract.clone(),
            off: Money::from_minor(off, self.currency),
        })
    }

    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.currency)
    }

    /// What the deposit holds.
    pub(crate) fn balance(&self) -> Money {
        self.money(self.balances[Account::Deposit as usize])
    }

    /// All balances; they add up to zero.
    pub(crate) fn balances(&self) -> BTreeMap<Account, Money> {
        [Account::Deposit, Account::Supplier, Account::Buyer, Account::Claim, Account::Owed]
            .into_iter()
            .map(|account| (account, self.money(self.balances[account as usize])))
            .collect()
    }

    pub(crate) fn paid(&self) -> Money {
        self.money(self.state.paid)
    }

    pub(crate) fn released(&self) -> Money {
        self.money(self.state.released)
    }

    /// The floor in force at the last item.
    pub(crate) fn floor(&self) -> Money {
        self.money(self.state.floor)
    }

    /// What has become of a penalty; nothing when it is not to be deducted (yet).
    fn settled(&self, penalty: &str) -> Option<&Settled> {
        self.state.penalties.get(penalty)
    }

    /// What was deducted for a penalty, and what is open of it.
    pub(crate) fn taken(&self, penalty: &str) -> (Money, Money) {
        let settled = self.settled(penalty);
        let (deducted, shortfall) = settled.map_or((0, 0), |settled| (settled.deducted, settled.shortfall));
        (self.money(deducted), self.money(shortfall))
    }

    /// The same of all penalties together.
    pub(crate) fn taken_in_all(&self) -> (Money, Money) {
        let all = || self.state.penalties.values();
        let deducted = all().map(|settled| settled.deducted).sum();
        (self.money(deducted), self.money(all().map(|settled| settled.shortfall).sum()))
    }

    /// The deposit after each item, in the order of their instants.
    pub(crate) fn history(&self) -> impl Iterator<Item = (Instant, Money)> + '_ {
        self.state.history.iter().map(|(at, minor)| (*at, self.money(*minor)))
    }

    /// Releases of more than was held.
    pub(crate) fn overdrawn(&self) -> &[String] {
        &self.state.overdrawn
    }

    /// Payments that covered no shortfall because no floor could be had.
    fn floorless(&self) -> &[String] {
        &self.state.floorless
    }
}
