//! A contract's money settled at once, for histories that are assessed whole.

use std::sync::Arc;

use super::contract::{book_duty, book_level};
use crate::assess::{Changes, ClockEnds, ContractCase, ContractState, admitted, is_deed};
use crate::event::{Event, EventError};
use crate::ledger::{Books, LedgerError, Owed, Subject};
use crate::terms::TermValue;
use crate::{Instant, Money, Pack};

/// What one breach of a ticket costs, as [`assess`](crate::assess()) has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The ticket.
    pub ticket: String,
    /// The clause, by its place among the pack's clause files.
    pub clause: u16,
    /// The clock.
    pub clock: Arc<str>,
    /// When it was missed.
    pub at: Instant,
    /// When the ticket was reported.
    pub reported_at: Instant,
    /// From when on it costs how much in all, in minor units: ascending by instant, at least one.
    pub steps: Vec<(Instant, i64)>,
}

/// When a clock of a ticket was met or missed, for service levels that count clocks.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockEnded {
    /// The clock.
    pub clock: Arc<str>,
    /// Met at this instant, or missed: its due instant.
    pub at: Instant,
    /// Whether it was met.
    pub met: bool,
}

/// What became of one [`Charge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What the deposit paid.
    pub deducted: Money,
    /// What is still open.
    pub shortfall: Money,
    /// What the deposit held once everything of the instant was settled at which the charge last grew.
    pub balance: Money,
}

/// A contract's money as of an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// What became of the charges, in their order.
    pub charges: Vec<Settled>,
    /// What the deposit holds.
    pub balance: Money,
    /// What was paid into the deposit.
    pub paid: Money,
    /// What was given back.
    pub released: Money,
    /// What duties and service levels of the contract itself cost, after caps.
    pub of_contract: Money,
    /// What was deducted in all, also for duties and service levels.
    pub deducted: Money,
    /// What is open in all.
    pub shortfall: Money,
}

/// Why a contract cannot be settled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// An event of the contract is refused.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The books cannot follow.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Settles a contract as of an instant: its deposits, the charges of its tickets, what its duties and service levels cost, and
/// what was said of all of these. The order of events, charges and ends does not matter. Events after `as_of` do not count; the
/// events that come with the pack ([`Pack::opening_events`]) are among `events` if they are to count.
///
/// # Errors
/// [`SettleError`] for the first event that the pack's schema refuses, or when a sum leaves 64 bits.
pub fn settle(
    pack: &Pack,
    contract: &str,
    events: &[Event],
    charges: &[Charge],
    ends: &[ClockEnded],
    as_of: Instant,
) -> Result<Settlement, SettleError> {
    let all = admitted(pack, events)?;
    let (deeds, entries): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| is_deed(entry.kind));
    let case = ContractCase { pack, entries: &entries, as_of };
    let mut books = Books::new(contract, pack);
    for entry in entries.iter().filter(|entry| entry.at <= as_of) {
        books.apply(entry);
    }
    let mut ids = Vec::with_capacity(charges.len());
    for charge in charges {
        let id = format!("{}/{}/{}", charge.ticket, pack.clause_id(charge.clause), charge.clock);
        let owed = Owed {
            reported_at: charge.reported_at,
            steps: charge.steps.clone(),
            ..Owed::new(Subject::Ticket, &charge.ticket, charge.clause, Arc::clone(&charge.clock), charge.at)
        };
        books.file(pack, &id, owed);
        ids.push(id);
    }
    if pack.policy.has_obligations() {
        let mut known = ClockEnds::default();
        for (ticket, end) in ends.iter().enumerate() {
            known.insert(&end.clock, end.at, (ticket, 0), end.met);
        }
        let mut state = ContractState::build(case, &deeds);
        let mut changes = ContractState::compare(case, None, &state);
        state.close(case, &known, &mut changes);
        let Changes { duties, levels, .. } = &changes;
        duties.iter().for_each(|change| book_duty(pack, &mut books, change));
        levels.iter().for_each(|change| book_level(pack, &mut books, change));
    }
    books.settle(pack, &entries, as_of, None)?;
    let history: Vec<(Instant, Money)> = books.ledger.history().collect();
    let nothing = Money::zero(pack.currency);
    let balance_at = |at: Instant| {
        let after = history.partition_point(|(then, _)| *then <= at);
        after.checked_sub(1).and_then(|last| history.get(last)).map_or(nothing, |(_, balance)| *balance)
    };
    let settled = ids.iter().zip(charges).map(|(id, charge)| {
        let (deducted, shortfall) = books.ledger.taken(id);
        let balance = balance_at(charge.steps.last().map_or(charge.at, |(at, _)| *at));
        Settled { deducted, shortfall, balance }
    });
    let charges: Vec<Settled> = settled.collect();
    let (deducted, shortfall) = books.ledger.taken_in_all();
    let of_tickets: i64 = charges.iter().map(|c| c.deducted.minor() + c.shortfall.minor()).sum();
    let of_contract = Money::from_minor(deducted.minor() + shortfall.minor() - of_tickets, pack.currency);
    Ok(Settlement {
        charges,
        balance: books.ledger.balance(),
        paid: books.ledger.paid(),
        released: books.ledger.released(),
        of_contract,
        deducted,
        shortfall,
    })
}

/// Below what deductions must leave the deposit of a contract, by the terms and clauses in force at an instant; nothing when no
/// clause says. `events` are those of the contract, of which those up to `as_of` count.
///
/// # Errors
/// [`ClauseFault`](crate::ClauseFault) when the clause cannot say, or an event is refused by the pack's schema.
pub fn deposit_floor(
    pack: &Pack,
    events: &[Event],
    at: Instant,
    as_of: Instant,
) -> Result<Money, Box<crate::ClauseFault>> {
    let refused = |error: EventError| {
        let (clause, file) = (String::new(), String::new());
        Box::new(crate::ClauseFault { clause, file, line: 0, column: 0, message: error.to_string() })
    };
    let entries = admitted(pack, events).map_err(refused)?;
    let so_far = entries.get(..entries.partition_point(|entry| entry.at <= as_of)).unwrap_or_default();
    Books::floor_at(pack, so_far, at).map(|floor| Money::from_minor(floor, pack.currency))
}

impl Pack {
    /// Whether a contract with these events of its own is settled by its deposits and penalties alone: each penalty is deducted when it
    /// is owed, nothing caps it, raises it or takes it back, and the contract itself owes nothing.
    pub fn settles_plainly(&self, events: &[Event]) -> bool {
        const SAYINGS: [&str; 5] =
            ["penalty_confirmed", "penalty_waived", "penalty_disputed", "dispute_ended", "settled"];
        let at_once = self.deduction_term.is_none_or(|term| {
            let known = self.policy.words.terms.list.get(term);
            let is_automatic =
                |value: &TermValue| matches!(value, TermValue::Text(text) if text == "automatic");
            known.is_some_and(|term| term.values.iter().all(|(_, value)| is_automatic(value)))
        });
        at_once
            && !self.policy.has_obligations()
            && !self.policy.bends_penalties()
            && !events.iter().any(|event| SAYINGS.contains(&event.kind.as_str()))
    }
}
