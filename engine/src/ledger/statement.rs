//! A contract's statement: what its breaches cost, what was taken, what is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Account, Books};
use crate::assess::FORMAT;

use crate::ticket::Entry;
use crate::{Instant, Money, Pack};

/// A contract's money as of an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// The version of this JSON.
    pub format: u32,
    /// The contract.
    pub contract: String,
    /// Name and version of the pack.
    pub pack: String,
    /// As of when.
    pub as_of: Instant,
    /// The deposit.
    pub deposit: Deposit,
    /// The accounts, which add up to zero.
    pub balances: BTreeMap<Account, Money>,
    /// Penalties by clause.
    pub by_clause: BTreeMap<String, ClauseTotal>,
    /// Every penalty, by its id.
    pub penalties: Vec<StatementLine>,
    /// The deposit after each movement.
    pub history: Vec<DepositPoint>,
    /// What needs a person: confirmations and waivers of unknown penalties, releases of more than was held, a floor
    /// that cannot be had.
    pub remarks: Vec<String>,
}

/// The deposit and what was to be taken from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deposit {
    /// Paid in by the supplier, top-ups included.
    pub paid: Money,
    /// Given back.
    pub released: Money,
    /// Taken for penalties.
    pub deducted: Money,
    /// Held now.
    pub balance: Money,
    /// Below this no penalty takes it.
    pub floor: Money,
    /// Owed, but not covered by the deposit; the next payment is asked first.
    pub shortfall: Money,
    /// Assessed, waiting for the buyer's confirmation.
    pub held: Money,
    /// Waived by the buyer.
    pub waived: Money,
}

/// What one clause costs in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseTotal {
    /// How many penalties.
    pub count: u64,
    /// Their sum as assessed.
    pub amount: Money,
    /// What was taken of it.
    pub deducted: Money,
}

/// What has become of a penalty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyState {
    /// Taken in full.
    Deducted,
    /// Taken in part.
    Partly,
    /// The deposit had nothing left for it.
    Shortfall,
    /// Waits for the buyer's confirmation.
    Held,
    /// Ended by the buyer.
    Waived,
}

/// One penalty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementLine {
    /// `<ticket>/<clause>/<clock>`.
    pub id: String,
    /// The ticket.
    pub ticket: String,
    /// The clause that prices it.
    pub clause: String,
    /// The clock that was missed.
    pub clock: String,
    /// When it was missed.
    pub at: Instant,
    /// What it costs.
    pub amount: Money,
    /// What was taken of it.
    pub deducted: Money,
    /// What the deposit did not cover.
    pub shortfall: Money,
    /// What has become of it.
    pub state: PenaltyState,
}

/// The deposit after a movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepositPoint {
    /// When.
    pub at: Instant,
    /// What it held then.
    pub balance: Money,
}

pub(crate) fn statement(
    contract: &str,
    pack: &Pack,
    history: &[Arc<Entry>],
    books: &Books,
    now: Instant,
) -> Statement {
    let zero = Money::zero(pack.currency);
    // Sums of amounts that fit the ledger; where they would not, the last word is the largest amount there is.
    let plus = |a: Money, b: Money| Money::from_minor(a.minor().saturating_add(b.minor()), pack.currency);
    let mut lines: Vec<StatementLine> =
        books.penalties.keys().filter_map(|id| line(id, pack, books)).collect();
    lines.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let mut by_clause: BTreeMap<String, ClauseTotal> = BTreeMap::new();
    let (mut held, mut waived, mut deducted, mut shortfall) = (zero, zero, zero, zero);
    for line in &lines {
        let total = by_clause.entry(line.clause.clone()).or_insert(ClauseTotal {
            count: 0,
            amount: zero,
            deducted: zero,
        });
        total.count += 1;
        total.amount = plus(total.amount, line.amount);
        total.deducted = plus(total.deducted, line.deducted);
        deducted = plus(deducted, line.deducted);
        shortfall = plus(shortfall, line.shortfall);
        match line.state {
            PenaltyState::Held => held = plus(held, line.amount),
            PenaltyState::Waived => waived = plus(waived, line.amount),
            _ => {}
        }
    }
    let ledger = &books.ledger;
    Statement {
        format: FORMAT,
        contract: contract.to_owned(),
        pack: format!("{}@{}", pack.name, pack.version),
        as_of: now,
        deposit: Deposit {
            paid: ledger.paid(),
            released: ledger.released(),
            deducted,
            balance: ledger.balance(),
            floor: Books::floor_at(pack, history, now)
                .map_or(ledger.floor(), |floor| Money::from_minor(floor, pack.currency)),
            shortfall,
            held,
            waived,
        },
        balances: ledger.balances(),
        by_clause,
        penalties: lines,
        history: ledger.history().map(|(at, balance)| DepositPoint { at, balance }).collect(),
        remarks: remarks(books),
    }
}

fn line(id: &str, pack: &Pack, books: &Books) -> Option<StatementLine> {
    let owed = books.penalties.get(id)?;
    let settled = books.ledger.settled(id);
    let money = |minor| Money::from_minor(minor, pack.currency);
    let (deducted, shortfall) = settled.map_or((0, 0), |s| (s.deducted, s.shortfall));
    let state = match settled {
        _ if books.is_waived(id) => PenaltyState::Waived,
        None => PenaltyState::Held,
        Some(s) if s.shortfall == 0 => PenaltyState::Deducted,
        Some(s) if s.deducted == 0 => PenaltyState::Shortfall,
        Some(_) => PenaltyState::Partly,
    };
    Some(StatementLine {
        id: id.to_owned(),
        ticket: owed.ticket.clone(),
        clause: owed.clause.clone(),
        clock: owed.clock.clone(),
        at: owed.at,
        amount: owed.amount,
        deducted: money(deducted),
        shortfall: money(shortfall),
        state,
    })
}

fn remarks(books: &Books) -> Vec<String> {
    let unmatched = books
        .unmatched()
        .into_iter()
        .map(|id| format!("`{id}` is confirmed or waived, but no such penalty is owed"));
    let overdrawn =
        books.ledger.overdrawn().iter().map(|event| format!("event `{event}` releases more than was held"));
    let floor = books.floor_fault().map(|fault| format!("penalties are not deducted: {fault}"));
    let fault = books.ledger.fault.iter().map(|fault| format!("the books cannot follow: {fault}"));
    unmatched.chain(overdrawn).chain(floor).chain(fault).collect()
}
