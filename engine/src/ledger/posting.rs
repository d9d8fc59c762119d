//! The entries that lead the books from what was posted to what is settled.

use super::{Account, EntryKind};

/// What the entries of one item add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) deducted: i64,
    pub(super) shortfall: i64,
    pub(super) moved: i64,
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
