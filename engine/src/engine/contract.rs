//! One contract: its pack, its tickets and its books.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::assess::{Outcome, penalty_id};
use crate::decision::{Decision, DecisionKind};
use crate::ledger::{Books, Owed};
use crate::policy::Derivation;
use crate::terms::TermValue;
use crate::ticket::Entry;
use crate::{Instant, Pack};

pub(super) struct Contract {
    pub(super) id: Arc<str>,
    pub(super) pack: Arc<Pack>,
    pub(super) entries: Vec<Arc<Entry>>,
    /// Money events whose instant has not come.
    pub(super) future: Vec<Arc<Entry>>,
    pub(super) tickets: Vec<TicketState>,
    pub(super) by_id: HashMap<Arc<str>, usize>,
    pub(super) books: Books,
    /// When a calendar of the pack becomes known otherwise.
    pub(super) amendments: Vec<Instant>,
}

pub(super) struct TicketState {
    pub(super) id: Arc<str>,
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) outcome: Option<Outcome>,
    pub(super) wake: Option<Instant>,
}

impl TicketState {
    /// Whether an event that was told ahead of its instant, and decides what the clauses say, came due between two instants.
    pub(super) fn is_told_facts(&self, after: Instant, to: Instant) -> bool {
        let first = self.entries.partition_point(|entry| entry.at <= after);
        let mut came_due = self.entries.iter().skip(first).take_while(|entry| entry.at <= to);
        came_due.any(|entry| entry.bears_on_clauses())
    }
}

impl Contract {
    pub(super) fn ticket_index(&mut self, ticket: &str) -> usize {
        if let Some(index) = self.by_id.get(ticket) {
            return *index;
        }
        let id: Arc<str> = ticket.into();
        self.by_id.insert(Arc::clone(&id), self.tickets.len());
        self.tickets.push(TicketState { id, entries: Vec::new(), outcome: None, wake: None });
        self.tickets.len() - 1
    }

    /// Says when the deposit falls below the contract's mark, and when it is used up.
    pub(super) fn watch_deposit(&mut self, now: Instant, cause: Option<&Arc<str>>, out: &mut Vec<Decision>) {
        let ledger = &self.books.ledger;
        let balance = ledger.balance();
        let mark = self.pack.low_term.and_then(|term| self.pack.terms_at(now).values.get(term)?.clone());
        let mark = match mark {
            Some(TermValue::Money(mark)) => Some(mark),
            _ => None,
        };
        let low = mark.is_some_and(|mark| balance.minor() < mark.minor()) && ledger.paid().minor() > 0;
        let exhausted = ledger.paid().minor() > 0 && balance.minor() <= ledger.floor().minor();
        let say = |kind, detail: String| {
            Decision::of_contract(kind, &self.id, now, balance, detail, cause.cloned())
        };
        if low && !self.books.low {
            let mark = mark.map_or(String::new(), |mark| format!(", below {mark}"));
            out.push(say(
                DecisionKind::DepositLow,
                format!("contract {}: the deposit is {balance}{mark}", self.id),
            ));
        }
        if exhausted && !self.books.exhausted {
            let detail = format!("contract {}: the deposit is down to its floor, {balance}", self.id);
            out.push(say(DecisionKind::DepositExhausted, detail));
        }
        self.books.low = low;
        self.books.exhausted = exhausted;
    }
}

/// Tickets of which the clauses say the same hold one copy of it.
pub(super) fn share(known: &mut HashSet<Arc<Derivation>>, derivation: &mut Arc<Derivation>) {
    if let Some(shared) = known.get(derivation) {
        *derivation = Arc::clone(shared);
        return;
    }
    // Copies that no ticket holds any more go when the set would have to grow.
    if known.len() == known.capacity() {
        known.retain(|derivation| Arc::strong_count(derivation) > 1);
    }
    known.insert(Arc::clone(derivation));
}

/// Files the penalties of a ticket that are new or changed, and strikes those that fell away.
pub(super) fn book(
    pack: &Pack,
    contract: &[Arc<Entry>],
    books: &mut Books,
    ticket: &str,
    before: Option<&Outcome>,
    after: &Outcome,
) {
    type Filed = (String, Owed);
    let owed = |outcome: &Outcome| -> Vec<Filed> {
        let filed = outcome.owed().filter_map(|penalty| {
            let spec = outcome.spec(penalty.clock)?;
            let (clause, reported) = (pack.clause_id(spec.clause), outcome.reported_at?);
            let owed = Owed::new(ticket, clause, &spec.name, penalty.at, penalty.amount, reported);
            Some((penalty_id(pack, ticket, spec), owed))
        });
        filed.collect()
    };
    if before.is_none_or(|before| before.penalties.is_empty()) && after.penalties.is_empty() {
        return;
    }
    let old = before.map(owed).unwrap_or_default();
    let new = owed(after);
    for (id, _) in old.iter().filter(|(id, _)| !new.iter().any(|(kept, _)| kept == id)) {
        books.strike(id);
    }
    for (id, owed) in new {
        let same = |known: &Owed| {
            known.at == owed.at && known.amount == owed.amount && known.reported_at == owed.reported_at
        };
        if !old.iter().any(|(known, before)| *known == id && same(before)) {
            books.file(pack, contract, &id, owed);
        }
    }
}
