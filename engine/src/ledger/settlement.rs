//! What the items of a contract come to, settled in the order of their instants.

use std::collections::{BTreeMap, VecDeque};

use super::{Account, EntryKind};
use crate::Instant;

/// Something that moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Paid(i64),
    Released(i64),
    /// A penalty with the deposit's floor at its time, to be deducted.
    Penalty {
        amount: i64,
        floor: i64,
    },
    /// Ends the penalty of this name.
    Waived(String),
}

/// An item's place in the settlement: its instant, then payments before penalties, then its name.
pub(crate) type ItemKey = (Instant, Rank, String);

/// In which order items of one instant are settled: what comes in first, what goes back last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Rank {
    Paid,
    Penalty,
    Waived,
    Released,
}

impl Item {
    /// `name` is the penalty's id, or the id of the event.
    pub(crate) fn key(&self, at: Instant, name: &str) -> ItemKey {
        let rank = match self {
            Item::Paid(_) => Rank::Paid,
            Item::Penalty { .. } => Rank::Penalty,
            Item::Waived(_) => Rank::Waived,
            Item::Released(_) => Rank::Released,
        };
        (at, rank, name.to_owned())
    }
}

/// Penalties and events are named by their ids, which could be the same text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Name {
    Event(String),
    Penalty(String),
}

impl Name {
    pub(super) fn text(&self) -> &str {
        match self {
            Name::Event(text) | Name::Penalty(text) => text,
        }
    }
}

/// What has become of a penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    pub(crate) deducted: i64,
    pub(crate) shortfall: i64,
    pub(crate) waived: bool,
}

/// The settlement up to some item.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) balance: i64,
    pub(super) floor: i64,
    pub(super) paid: i64,
    pub(super) released: i64,
    /// Penalties the deposit did not cover, oldest first.
    pub(super) open: VecDeque<String>,
    pub(super) penalties: BTreeMap<String, Settled>,
    /// Payments in, releases out (negative), by event.
    pub(super) moved: BTreeMap<String, i64>,
    /// All penalties that ever were, to see their sum overflow before the books do.
    pub(super) fallen_short: i64,
    /// The names touched since the last posting, each with the instant it took effect.
    pub(super) touched: Vec<(Instant, Name)>,
    pub(super) history: Vec<(Instant, i64)>,
    pub(super) overdrawn: Vec<String>,
}

/// What the entries of one item add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) deducted: i64,
    pub(super) shortfall: i64,
    pub(super) moved: i64,
}

#[derive(Debug)]
pub(super) struct Overflow(pub(super) String);

impl State {
    pub(super) fn settle(&mut self, key: &ItemKey, item: &Item) -> Result<(), Overflow> {
        let (at, _, name) = key;
        let over = || Overflow(name.clone());
        match item {
            Item::Paid(amount) => {
                self.balance = self.balance.checked_add(*amount).ok_or_else(over)?;
                self.paid = self.paid.checked_add(*amount).ok_or_else(over)?;
                self.moved.insert(name.clone(), *amount);
                self.touched.push((*at, Name::Event(name.clone())));
            }
            Item::Released(amount) => {
                // More than is held cannot be given back; the rest is told in the statement.
                let given = (*amount).min(self.balance.max(0));
                if given < *amount {
                    self.overdrawn.push(name.clone());
                }
                self.balance -= given;
                self.released = self.released.checked_add(given).ok_or_else(over)?;
                self.moved.insert(name.clone(), -given);
                self.touched.push((*at, Name::Event(name.clone())));
            }
            Item::Penalty { amount, floor } => {
                self.floor = *floor;
                self.fallen_short = self.fallen_short.checked_add(*amount).ok_or_else(over)?;
                // It stands behind older shortfalls: a floor that has fallen pays those first.
                self.open.push_back(name.clone());
                let settled = Settled { deducted: 0, shortfall: *amount, waived: false };
                self.penalties.insert(name.clone(), settled);
                self.touched.push((*at, Name::Penalty(name.clone())));
            }
            Item::Waived(penalty) => {
                if let Some(settled) = self.penalties.get_mut(penalty).filter(|settled| !settled.waived) {
                    self.balance = self.balance.checked_add(settled.deducted).ok_or_else(over)?;
                    *settled = Settled { waived: true, ..Settled::default() };
                    self.open.retain(|open| open != penalty);
                    self.touched.push((*at, Name::Penalty(penalty.clone())));
                }
            }
        }
        self.collect(*at);
        self.history.push((*at, self.balance));
        Ok(())
    }

    fn available(&self) -> i64 {
        (self.balance - self.floor).max(0)
    }

    /// What came in pays the oldest shortfalls first.
    fn collect(&mut self, at: Instant) {
        while let Some(name) = self.open.front().cloned() {
            let available = self.available();
            let Some(settled) = self.penalties.get_mut(&name) else { return };
            let taken = settled.shortfall.min(available);
            if taken == 0 {
                return;
            }
            settled.shortfall -= taken;
            settled.deducted += taken;
            self.balance -= taken;
            self.touched.push((at, Name::Penalty(name)));
            if settled.shortfall > 0 {
                return;
            }
            self.open.pop_front();
        }
    }

    /// What the entries of an item should add up to.
    pub(super) fn target(&self, name: &Name) -> Posted {
        match name {
            Name::Event(id) => {
                Posted { moved: self.moved.get(id).copied().unwrap_or_default(), ..Posted::default() }
            }
            Name::Penalty(id) => {
                let settled = self.penalties.get(id).copied().unwrap_or_default();
                Posted { deducted: settled.deducted, shortfall: settled.shortfall, moved: 0 }
            }
        }
    }
}

pub(super) type Movement = (EntryKind, i64, Account, Account);

/// The entries that lead one item from what is posted to what is settled, of one of the two rounds.
pub(super) fn movements(was: Posted, target: Posted, freeing: bool) -> Vec<Movement> {
    use Account::{Buyer, Claim, Deposit, Owed, Supplier};
    let moved = target.moved - was.moved;
    let deducted = target.deducted - was.deducted;
    let shortfall = target.shortfall - was.shortfall;
    let release = was.moved < 0 || target.moved < 0;
    let mut list = Vec::new();
    if freeing {
        if moved > 0 {
            let kind = if release { EntryKind::Reversed } else { EntryKind::Paid };
            list.push((kind, moved, Supplier, Deposit));
        }
        if deducted < 0 {
            list.push((EntryKind::Reversed, -deducted, Buyer, Deposit));
        }
        if shortfall < 0 {
            let kind = if deducted > 0 { EntryKind::Collected } else { EntryKind::Reversed };
            list.push((kind, -shortfall, Claim, Owed));
        }
    } else {
        if deducted > 0 {
            list.push((EntryKind::Deducted, deducted, Deposit, Buyer));
        }
        if shortfall > 0 {
            list.push((EntryKind::Shortfall, shortfall, Owed, Claim));
        }
        if moved < 0 {
            let kind = if release { EntryKind::Released } else { EntryKind::Reversed };
            list.push((kind, -moved, Deposit, Supplier));
        }
    }
    list
}

/// What has been posted of an item after one of the two rounds.
pub(super) fn applied(was: Posted, target: Posted, freeing: bool) -> Posted {
    if !freeing {
        return target;
    }
    Posted {
        deducted: was.deducted.min(target.deducted),
        shortfall: was.shortfall.min(target.shortfall),
        moved: was.moved.max(target.moved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A floor that falls frees money; it once went to the newest penalty while an older shortfall still waited.
    #[test]
    fn a_floor_that_falls_pays_the_oldest_shortfall_first() {
        let at = |s| Instant::from_seconds(s).unwrap();
        let mut state = State::default();
        for (s, name, item) in [
            (1, "paid", Item::Paid(1_000)),
            (2, "old", Item::Penalty { amount: 700, floor: 600 }),
            (3, "new", Item::Penalty { amount: 200, floor: 200 }),
        ] {
            state.settle(&item.key(at(s), name), &item).unwrap();
        }
        // 400 at first, then 400 more for both: 300 for the old one, 100 for the new.
        let settled = |name: &str| (state.penalties[name].deducted, state.penalties[name].shortfall);
        assert_eq!((settled("old"), settled("new"), state.balance), ((700, 0), (100, 100), 200));
    }
}
