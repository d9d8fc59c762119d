//! What must hold of the books after every step.

use std::collections::BTreeMap;

use holdback::{Account, Engine, EntryKind, LedgerEntry};
use proptest::prelude::*;

use crate::model::history::MOVING_FLOOR;

/// The books as they stood at the last look.
pub(super) struct Watch {
    /// What no penalty may take the deposit below, in minor units.
    floor: i64,
    entries: BTreeMap<&'static str, Vec<LedgerEntry>>,
}

impl Watch {
    pub(super) fn new(pack: usize) -> Watch {
        // A floor that moves is at least nothing.
        let floor = if pack == 0 || pack == MOVING_FLOOR { 0 } else { 100_000 };
        Watch { floor, entries: BTreeMap::new() }
    }

    pub(super) fn look(&mut self, engine: &Engine) -> Result<(), TestCaseError> {
        for contract in ["c", "d"] {
            let entries = engine.ledger(contract);
            let known = self.entries.entry(contract).or_default();
            prop_assert!(entries.starts_with(known), "entries of {} were edited", contract);
            *known = entries.to_vec();
            self.add_up(engine, contract, entries)?;
        }
        Ok(())
    }

    fn add_up(&self, engine: &Engine, contract: &str, entries: &[LedgerEntry]) -> Result<(), TestCaseError> {
        let mut accounts: BTreeMap<Account, i64> = BTreeMap::new();
        // A penalty told late is posted after a release that happened after it; then the floor was kept at its own time.
        let mut released = false;
        for (number, entry) in (1..).zip(entries) {
            prop_assert_eq!(entry.number, number);
            prop_assert!(entry.amount.minor() > 0, "an entry of nothing: {:?}", entry);
            *accounts.entry(entry.from).or_default() -= entry.amount.minor();
            *accounts.entry(entry.to).or_default() += entry.amount.minor();
            let deposit = accounts.get(&Account::Deposit).copied().unwrap_or_default();
            prop_assert_eq!(entry.balance.minor(), deposit, "the running balance of {:?}", entry);
            prop_assert!(deposit >= 0, "overdrawn by {:?}", entry);
            released |= entry.kind == EntryKind::Released;
            if entry.kind == EntryKind::Deducted && !released {
                prop_assert!(deposit >= self.floor, "below the floor by {:?}", entry);
            }
        }
        prop_assert_eq!(accounts.values().sum::<i64>(), 0);
        let statement = engine.statement(contract).unwrap();
        for (account, balance) in &statement.balances {
            let added = accounts.get(account).copied().unwrap_or_default();
            prop_assert_eq!(balance.minor(), added, "account {:?}", account);
        }
        let deposit = &statement.deposit;
        let [paid, released, deducted, balance, shortfall] =
            [deposit.paid, deposit.released, deposit.deducted, deposit.balance, deposit.shortfall]
                .map(|money| money.minor());
        prop_assert_eq!(paid, released + deducted + balance, "{:?}", deposit);
        prop_assert_eq!(deducted, accounts.get(&Account::Buyer).copied().unwrap_or_default());
        prop_assert_eq!(shortfall, accounts.get(&Account::Claim).copied().unwrap_or_default());
        let last = statement.history.last().map_or(0, |point| point.balance.minor());
        prop_assert_eq!(last, balance, "the last point of the history");
        // What the statement says of each penalty is what the ledger has posted of it.
        for line in &statement.penalties {
            let posted = |entry: &&LedgerEntry| entry.item == line.id;
            let signed = |entry: &LedgerEntry| match (entry.from, entry.to) {
                (Account::Buyer, _) => -entry.amount.minor(),
                (_, Account::Buyer) => entry.amount.minor(),
                _ => 0,
            };
            let taken: i64 = entries.iter().filter(posted).map(signed).sum();
            prop_assert_eq!(line.deducted.minor(), taken, "{}", line.id);
            prop_assert!(line.deducted.minor() + line.shortfall.minor() <= line.amount.minor());
        }
        Ok(())
    }
}
