//! A contract's statement: what its breaches cost, what was taken, what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::plan::end;
use super::{Account, Books, Say};
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
    /// What needs a person: words on penalties that have no effect, waivers without a reason, releases of more than was held, a
    /// floor or caps that cannot be had.
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
    /// Not taken because it is disputed.
    pub disputed: Money,
    /// Cut by caps.
    pub cut: Money,
    /// Given back because the service was good afterwards.
    pub earned_back: Money,
}

/// What one clause costs in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseTotal {
    /// How many penalties.
    pub count: u64,
    /// Their sum as assessed, before caps.
    pub amount: Money,
    /// What the caps cut of it.
    pub cut: Money,
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
    /// Nothing is taken while the dispute stands; what was taken before it stays taken.
    Disputed,
    /// Given back because the service was good afterwards.
    EarnedBack,
}

/// What a penalty belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A ticket.
    Ticket,
    /// One occurrence of a duty, told by its local time: `2026-03-02T01:00`.
    Duty,
    /// One period of a service level: `2026-03`, `2026-Q1`, `2026`.
    Level,
}

/// What one cap took off a penalty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct CapCut {
    /// The cap, such as `per month, clause 7.3`.
    pub cap: String,
    /// What it cut.
    pub amount: Money,
}

/// One penalty. Its amount is what was taken, is missing and was cut, and what [`StatementLine::rest`] gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct StatementLine {
    /// `<ticket>/<clause>/<clock>`, or the same of a duty or level.
    pub id: String,
    /// What sort of thing it belongs to.
    pub subject: Subject,
    /// The ticket, the occurrence of the duty, or the period of the level.
    pub ticket: String,
    /// The clause that prices it.
    pub clause: String,
    /// The clock, duty or level that was missed.
    pub clock: String,
    /// When it was missed.
    pub at: Instant,
    /// Its price, whatever happened before.
    pub base: Money,
    /// What it costs in view of earlier breaches of the clause, before caps.
    pub amount: Money,
    /// What the caps cut of it.
    pub cut: Money,
    /// What each cap cut, in the order of the caps.
    pub cut_by: Vec<CapCut>,
    /// What was taken of it.
    pub deducted: Money,
    /// What the deposit did not cover.
    pub shortfall: Money,
    /// What has become of it.
    pub state: PenaltyState,
    /// What was said of it, in order of time.
    pub say: Vec<Say>,
}

impl StatementLine {
    /// What is neither taken nor missing nor cut: by its state it waits, is disputed, waived or given back. Zero for a penalty
    /// that is settled.
    pub fn rest(&self) -> Money {
        let settled = [self.deducted, self.shortfall, self.cut].map(Money::minor);
        let rest = settled.iter().fold(self.amount.minor(), |rest, part| rest.saturating_sub(*part));
        Money::from_minor(rest, self.amount.currency())
    }
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
    let plus = |a: &mut Money, b: Money| {
        *a = Money::from_minor(a.minor().saturating_add(b.minor()), pack.currency);
    };
    let mut lines: Vec<StatementLine> =
        books.penalties.keys().filter_map(|id| line(id, pack, books)).collect();
    lines.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let ledger = &books.ledger;
    let mut deposit = Deposit {
        paid: ledger.paid(),
        released: ledger.released(),
        deducted: zero,
        balance: ledger.balance(),
        floor: Books::floor_at(pack, history, now)
            .map_or(ledger.floor(), |floor| Money::from_minor(floor, pack.currency)),
        shortfall: zero,
        held: zero,
        waived: zero,
        disputed: zero,
        cut: zero,
        earned_back: zero,
    };
    let mut by_clause: BTreeMap<String, ClauseTotal> = BTreeMap::new();
    for line in &lines {
        let none = ClauseTotal { count: 0, amount: zero, cut: zero, deducted: zero };
        let total = by_clause.entry(line.clause.clone()).or_insert(none);
        total.count += 1;
        plus(&mut total.amount, line.amount);
        plus(&mut total.cut, line.cut);
        plus(&mut total.deducted, line.deducted);
        plus(&mut deposit.deducted, line.deducted);
        plus(&mut deposit.shortfall, line.shortfall);
        plus(&mut deposit.cut, line.cut);
        let sum = match line.state {
            PenaltyState::Held => &mut deposit.held,
            PenaltyState::Waived => &mut deposit.waived,
            PenaltyState::Disputed => &mut deposit.disputed,
            PenaltyState::EarnedBack => &mut deposit.earned_back,
            PenaltyState::Deducted | PenaltyState::Partly | PenaltyState::Shortfall => continue,
        };
        plus(sum, line.rest());
    }
    Statement {
        format: FORMAT,
        contract: contract.to_owned(),
        pack: format!("{}@{}", pack.name, pack.version),
        as_of: now,
        deposit,
        balances: ledger.balances(),
        by_clause,
        penalties: lines,
        history: ledger.history().map(|(at, balance)| DepositPoint { at, balance }).collect(),
        remarks: remarks(books),
    }
}

pub(crate) fn line(id: &str, pack: &Pack, books: &Books) -> Option<StatementLine> {
    let penalty = books.penalties.get(id)?;
    let owed = &penalty.owed;
    let money = |minor| Money::from_minor(minor, pack.currency);
    let settled = books.ledger.settled(id);
    let (deducted, shortfall, cut) = settled.map_or((0, 0, 0), |s| (s.deducted, s.shortfall, s.cut));
    let cuts = settled.into_iter().flat_map(|settled| settled.cuts());
    let (last, base) = owed.last();
    let heard = books.said.hear(id, last);
    let state = match (end(&heard, owed), settled) {
        (Some(at), _) if heard.waived.as_ref().is_some_and(|waived| waived.0 == at) => PenaltyState::Waived,
        (Some(_), _) => PenaltyState::EarnedBack,
        _ if heard.is_disputed() => PenaltyState::Disputed,
        // A penalty of nothing has no items.
        (None, None) if penalty.due => PenaltyState::Deducted,
        (None, None) => PenaltyState::Held,
        (None, Some(s)) if s.shortfall == 0 => PenaltyState::Deducted,
        (None, Some(s)) if s.deducted == 0 => PenaltyState::Shortfall,
        (None, Some(_)) => PenaltyState::Partly,
    };
    Some(StatementLine {
        id: id.to_owned(),
        subject: owed.subject,
        ticket: owed.of.clone(),
        clause: pack.clause_id(owed.clause).to_owned(),
        clock: owed.name.to_string(),
        at: owed.at,
        base: money(base),
        amount: money(penalty.amount()),
        cut: money(cut),
        cut_by: cuts.map(|(cap, cut)| CapCut { cap: cap.to_owned(), amount: money(cut) }).collect(),
        deducted: money(deducted),
        shortfall: money(shortfall),
        state,
        say: books.said.of(id),
    })
}

fn remarks(books: &Books) -> Vec<String> {
    let mut remarks = books.said.remarks(|id| Some(books.penalties.get(id)?.owed.last().0));
    let ledger = &books.ledger;
    remarks.extend(
        ledger.overdrawn().iter().map(|event| format!("event `{event}` releases more than was held")),
    );
    let floorless = ledger.floorless().iter();
    remarks.extend(floorless.map(|event| {
        format!("event `{event}` covers no shortfall: there is no floor then below which the deposit must not fall")
    }));
    // Of one place in a clause the fault of the earliest penalty tells enough.
    let mut faulty: Vec<_> = books.penalties.iter().filter(|(_, penalty)| penalty.fault.is_some()).collect();
    faulty.sort_by_key(|(id, penalty)| (penalty.owed.at, *id));
    let mut places = BTreeSet::new();
    let faults = faulty.iter().filter_map(|(_, penalty)| penalty.fault.as_ref());
    let first = faults.filter(|fault| places.insert((&fault.file, fault.line, fault.column)));
    remarks.extend(first.map(|fault| format!("penalties are not deducted: {fault}")));
    remarks.extend(ledger.fault.iter().map(|fault| format!("the books cannot follow: {fault}")));
    remarks
}
