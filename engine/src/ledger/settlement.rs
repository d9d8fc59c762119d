//! What the items of a contract come to, settled in the order of their instants.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::caps::{Capped, Charged};
use super::posting::Posted;
use crate::Instant;

/// Something that moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Paid(i64),
    Released(i64),
    /// What a penalty costs from now on more than before, with the caps that limit it.
    Penalty(i64, Option<Arc<Capped>>),
    /// Ends the penalty of this name.
    Waived(String),
    /// Gives the penalty of the item's own name back.
    EarnedBack,
    /// Nothing is collected for the penalty of this name until the dispute ends.
    Disputed(String),
    DisputeEnded(String),
}

/// An item with the deposit's floor at its instant; without a floor nothing is deducted then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filed {
    pub(super) item: Item,
    pub(super) floor: Option<i64>,
}

/// An item's place in the settlement: its instant, then payments before penalties, then its name.
pub(super) type ItemKey = (Instant, Rank, String);

/// In which order items of one instant are settled: what comes in before what is owed, what goes back last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    Disputed,
    DisputeEnded,
    Paid,
    Penalty,
    EarnedBack,
    Waived,
    Released,
}

impl Item {
    /// `name` is the penalty's id, or the id of the event.
    pub(super) fn key(&self, at: Instant, name: &str) -> ItemKey {
        let rank = match self {
            Item::Paid(_) => Rank::Paid,
            Item::Penalty(..) => Rank::Penalty,
            Item::Waived(_) => Rank::Waived,
            Item::EarnedBack => Rank::EarnedBack,
            Item::Released(_) => Rank::Released,
            Item::Disputed(_) => Rank::Disputed,
            Item::DisputeEnded(_) => Rank::DisputeEnded,
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
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    pub(crate) deducted: i64,
    pub(crate) shortfall: i64,
    /// What the caps cut, by the place of each, and in all.
    cuts: Vec<(usize, i64)>,
    pub(crate) cut: i64,
    capped: Option<Arc<Capped>>,
    /// Waived or given back.
    ended: bool,
    disputed: bool,
    /// Its charges that the deposit did not cover at once, by number.
    waiting: Vec<u64>,
}

impl Settled {
    /// What each cap cut, by the cap's name.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = (&str, i64)> {
        let caps = self.capped.as_ref().map_or(&[][..], |capped| &capped.caps);
        self.cuts.iter().filter_map(|(place, cut)| Some((&*caps.get(*place)?.name, *cut)))
    }

    fn charge(&mut self, amount: i64, left: i64, cuts: Vec<(usize, i64)>) {
        self.shortfall += left;
        self.cut += amount - left;
        for (place, cut) in cuts {
            match self.cuts.binary_search_by_key(&place, |(place, _)| *place) {
                Ok(known) => {
                    if let Some((_, sum)) = self.cuts.get_mut(known) {
                        *sum += cut;
                    }
                }
                Err(new) => self.cuts.insert(new, (place, cut)),
            }
        }
    }
}

/// A charge that the deposit did not cover, or not whole.
type Open = (String, i64);

/// The settlement up to some item.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) balance: i64,
    pub(super) floor: i64,
    pub(super) paid: i64,
    pub(super) released: i64,
    /// How many charges there were.
    charges: u64,
    /// Charges the deposit did not cover, by number: the oldest first.
    open: BTreeMap<u64, Open>,
    /// Those of them that are disputed: they keep their place.
    disputed: BTreeMap<u64, Open>,
    pub(super) penalties: BTreeMap<String, Settled>,
    charged: Charged,
    /// Payments in, releases out (negative), by event.
    pub(super) moved: BTreeMap<String, i64>,
    /// All penalties that ever were, to see their sum overflow before the books do.
    fallen_short: i64,
    /// The names touched since the last posting, each with the instant it took effect.
    pub(super) touched: Vec<(Instant, Name)>,
    pub(super) history: Vec<(Instant, i64)>,
    pub(super) overdrawn: Vec<String>,
    /// Payments that could have covered a shortfall, had there been a floor.
    pub(super) floorless: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Overflow(pub(super) String);

impl State {
    pub(super) fn settle(&mut self, key: &ItemKey, filed: &Filed) -> Result<(), Overflow> {
        let (at, _, name) = key;
        let over = || Overflow(name.clone());
        let mut charge = None;
        match &filed.item {
            Item::Paid(amount) => {
                self.balance = self.balance.checked_add(*amount).ok_or_else(over)?;
                self.paid = self.paid.checked_add(*amount).ok_or_else(over)?;
                self.moved.insert(name.clone(), *amount);
                self.touched.push((*at, Name::Event(name.clone())));
                if filed.floor.is_none() && !self.open.is_empty() {
                    self.floorless.push(name.clone());
                }
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
            Item::Penalty(amount, capped) => {
                self.fallen_short = self.fallen_short.checked_add(*amount).ok_or_else(over)?;
                charge = self.charge(*at, name, *amount, capped.as_ref());
            }
            Item::Waived(penalty) => self.end(*at, penalty).ok_or_else(over)?,
            Item::EarnedBack => self.end(*at, name).ok_or_else(over)?,
            Item::Disputed(penalty) => {
                self.dispute(penalty, true);
                return Ok(());
            }
            Item::DisputeEnded(penalty) => self.dispute(penalty, false),
        }
        if let Some(floor) = filed.floor {
            self.floor = floor;
            self.collect(*at);
        }
        if let Some(number) = charge.filter(|number| self.open.contains_key(number))
            && let Some(settled) = self.penalties.get_mut(name)
        {
            settled.waiting.push(number);
        }
        self.history.push((*at, self.balance));
        Ok(())
    }

    /// What the caps leave stands behind older shortfalls: a floor that has fallen pays those first. Gives its number.
    fn charge(&mut self, at: Instant, name: &str, amount: i64, capped: Option<&Arc<Capped>>) -> Option<u64> {
        let (left, cuts) = match capped {
            Some(capped) => self.charged.charge(capped, amount),
            None => (amount, Vec::new()),
        };
        let settled = self.penalties.entry(name.to_owned()).or_default();
        settled.charge(amount, left, cuts);
        settled.capped = capped.cloned();
        self.touched.push((at, Name::Penalty(name.to_owned())));
        if left == 0 {
            return None;
        }
        self.charges += 1;
        self.open.insert(self.charges, (name.to_owned(), left));
        Some(self.charges)
    }

    /// What was taken goes back; what was cut stays cut. Nothing on overflow.
    fn end(&mut self, at: Instant, penalty: &str) -> Option<()> {
        let Some(settled) = self.penalties.get_mut(penalty).filter(|settled| !settled.ended) else {
            return Some(());
        };
        self.balance = self.balance.checked_add(settled.deducted)?;
        if let Some(capped) = &settled.capped {
            self.charged.free(capped, settled.deducted + settled.shortfall);
        }
        (settled.deducted, settled.shortfall, settled.ended) = (0, 0, true);
        for number in settled.waiting.drain(..) {
            self.open.remove(&number);
            self.disputed.remove(&number);
        }
        self.touched.push((at, Name::Penalty(penalty.to_owned())));
        Some(())
    }

    /// Begins or ends a dispute: what is open of the penalty waits meanwhile, and keeps its place.
    fn dispute(&mut self, penalty: &str, begins: bool) {
        let Some(settled) = self.penalties.get_mut(penalty).filter(|settled| settled.disputed != begins)
        else {
            return;
        };
        settled.disputed = begins;
        let (from, to) = match begins {
            true => (&mut self.open, &mut self.disputed),
            false => (&mut self.disputed, &mut self.open),
        };
        settled.waiting.retain(|number| match from.remove(number) {
            Some(open) => to.insert(*number, open).is_none(),
            None => false,
        });
    }

    fn available(&self) -> i64 {
        (self.balance - self.floor).max(0)
    }

    /// What came in pays the oldest shortfalls first.
    fn collect(&mut self, at: Instant) {
        loop {
            let available = self.available();
            let Some(mut first) = self.open.first_entry().filter(|_| available > 0) else { return };
            let (name, missing) = first.get_mut();
            let taken = (*missing).min(available);
            *missing -= taken;
            let Some(settled) = self.penalties.get_mut(name) else { return };
            settled.shortfall -= taken;
            settled.deducted += taken;
            self.balance -= taken;
            self.touched.push((at, Name::Penalty(name.clone())));
            if *missing == 0 {
                first.remove();
            }
        }
    }

    /// What the entries of an item should add up to.
    pub(super) fn target(&self, name: &Name) -> Posted {
        match name {
            Name::Event(id) => {
                Posted { moved: self.moved.get(id).copied().unwrap_or_default(), ..Posted::default() }
            }
            Name::Penalty(id) => {
                let settled = self.penalties.get(id);
                let (deducted, shortfall) = settled.map_or((0, 0), |s| (s.deducted, s.shortfall));
                Posted { deducted, shortfall, moved: 0 }
            }
        }
    }
}
