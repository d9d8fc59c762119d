//! One contract: its pack, its tickets and its books.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Engine;
use super::tickets::Tickets;
use crate::assess::{
    Changes, ClockEnds, ContractCase, ContractState, DutyChange, Judged, LevelChange, LevelRun, Outcome,
    penalty_id,
};
use crate::decision::{ContractDecisions, Decision, DecisionKind};
use crate::ledger::{Books, Owed, Subject};
use crate::policy::Derivation;
use crate::terms::TermValue;
use crate::ticket::Entry;
use crate::{Instant, Pack};

/// In the place of a ticket: the contract itself.
pub(crate) const ITSELF: usize = usize::MAX;

/// What a shelf says of a contract itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ContractStanding {
    pub(crate) tickets: usize,
    pub(crate) entries: u64,
    pub(crate) wake: Option<Instant>,
    pub(crate) low: bool,
    pub(crate) exhausted: bool,
}

pub(crate) struct Contract {
    pub(crate) id: Arc<str>,
    pub(crate) pack: Arc<Pack>,
    /// Its own entries in order, but for those of its duties and levels.
    pub(super) entries: Vec<Arc<Entry>>,
    /// Those of them that start and end force majeure.
    pub(super) relief: Vec<Arc<Entry>>,
    /// What was told of its duties and levels, in the order of telling.
    pub(super) deeds: Vec<Arc<Entry>>,
    /// Its duties and levels as judged last.
    pub(crate) state: ContractState,
    /// When the clocks of its tickets ended, where levels may count them.
    pub(crate) ends: ClockEnds,
    /// When it must be looked at again itself.
    pub(crate) wake: Option<Instant>,
    /// Its own entries whose instant has not come.
    pub(super) future: BTreeMap<(Instant, Box<str>), Arc<Entry>>,
    pub(crate) tickets: Tickets,
    pub(crate) books: Books,
    /// When a calendar of the pack becomes known otherwise.
    pub(super) amendments: Vec<Instant>,
    /// Its own events are in memory; else they are on the shelf.
    pub(crate) is_loaded: bool,
    /// Its books are in memory.
    pub(crate) has_books: bool,
    /// What the shelf says of when it must be looked at again, how many tickets it has, and its books.
    pub(crate) shelved: ContractStanding,
    /// The step in which it was touched last.
    pub(crate) touched: u64,
}

impl Contract {
    pub(super) fn new(id: &str, pack: Arc<Pack>, now: Instant) -> Contract {
        let case = ContractCase { pack: &pack, entries: &[], as_of: now };
        Contract {
            id: id.into(),
            entries: Vec::new(),
            relief: Vec::new(),
            deeds: Vec::new(),
            state: ContractState::build(case, &[]),
            ends: ClockEnds::default(),
            wake: None,
            future: BTreeMap::new(),
            tickets: Tickets::all(),
            books: Books::new(id, &pack),
            amendments: pack.knowledge_changes(),
            is_loaded: true,
            has_books: true,
            shelved: ContractStanding::default(),
            touched: 0,
            pack,
        }
    }

    /// How it stands now, for the shelf.
    pub(crate) fn standing(&self) -> ContractStanding {
        let ContractStanding { entries, low, exhausted, .. } = self.shelved;
        let books = (self.books.ledger.posted_in_all(), self.books.low, self.books.exhausted);
        let (entries, low, exhausted) = if self.has_books { books } else { (entries, low, exhausted) };
        ContractStanding { tickets: self.tickets.len(), entries, wake: self.wake, low, exhausted }
    }

    /// When the contract itself must be looked at again.
    fn next_wake(&self, now: Instant) -> Option<Instant> {
        let amended = self.amendments.iter().copied().filter(|at| *at > now);
        let future = self.future.first_key_value().map(|((at, _), _)| *at);
        amended.chain(future).chain(self.state.wake()).min()
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

impl Engine {
    /// Judges a contract's own obligations again and books what has changed. `anew`: all of them, since what they rest on
    /// has changed; else what the events bear on, and what time has brought.
    pub(super) fn judge_contract(
        &mut self,
        place: usize,
        deeds: &[Arc<Entry>],
        anew: bool,
        cause: Option<&Arc<str>>,
        out: &mut Vec<Decision>,
    ) {
        let now = self.now;
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Contract { id, pack, entries, state, .. } = contract;
        let case = ContractCase { pack, entries, as_of: now };
        let mut changes = Changes::default();
        if anew {
            let mut new = ContractState::build(case, &contract.deeds);
            changes = ContractState::compare(case, Some(state), &new);
            new.go_on_from(state);
            *state = new;
        } else {
            state.step(case, deeds, &mut changes);
        }
        ContractDecisions { pack, contract: id, as_of: now, cause }.decisions(&changes, out);
        if self.shelf.is_some() && !changes.duties.is_empty() {
            self.load_books(place);
        }
        let Some(contract) = self.contracts.get_mut(place) else { return };
        for change in &changes.duties {
            book_duty(&contract.pack, &mut contract.books, change);
        }
        self.rewake(place);
    }

    /// Closes the periods of a contract's service levels and books what they cost, after its tickets have been judged.
    pub(super) fn close_levels(&mut self, place: usize, cause: Option<&Arc<str>>, out: &mut Vec<Decision>) {
        let now = self.now;
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Contract { id, pack, entries, state, ends, .. } = contract;
        let case = ContractCase { pack, entries, as_of: now };
        let mut changes = Changes::default();
        state.close(case, ends, &mut changes);
        ContractDecisions { pack, contract: id, as_of: now, cause }.decisions(&changes, out);
        if self.shelf.is_some() && !changes.levels.is_empty() {
            self.load_books(place);
        }
        let Some(contract) = self.contracts.get_mut(place) else { return };
        for change in &changes.levels {
            book_level(&contract.pack, &mut contract.books, change);
        }
        self.rewake(place);
    }

    /// Notes when a contract must be looked at again itself.
    pub(super) fn rewake(&mut self, place: usize) {
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let wake = contract.next_wake(self.now);
        if contract.wake == wake {
            return;
        }
        if let Some(old) = std::mem::replace(&mut contract.wake, wake) {
            self.wakes.remove(&(old, place, ITSELF));
        }
        self.wakes.extend(wake.map(|at| (at, place, ITSELF)));
    }
}

/// Files or strikes the penalty of one occurrence of a duty.
pub(super) fn book_duty(pack: &Pack, books: &mut Books, change: &DutyChange) {
    let owed = |(clause, judged): &(u16, Judged)| -> Option<Owed> {
        let cost = judged.cost.as_ref().filter(|cost| cost.amount().is_some())?;
        Some(Owed {
            reported_at: change.at,
            steps: cost.penalty.steps.iter().map(|(at, amount)| (*at, amount.minor())).collect(),
            ..Owed::new(Subject::Duty, &change.subject, *clause, Arc::clone(&change.name), cost.penalty.at)
        })
    };
    rebook(pack, books, change.before.as_ref().and_then(owed), change.after.as_ref().and_then(owed));
}

/// Files or strikes the credit of one period of a service level.
pub(super) fn book_level(pack: &Pack, books: &mut Books, change: &LevelChange) {
    let (clause, name, subject) = &change.key;
    let owed = |run: &LevelRun| -> Option<Owed> {
        let cost = run.cost.as_ref().filter(|cost| cost.amount().is_some())?;
        let last = Instant::from_micros(run.period.until.micros() - 1).unwrap_or(run.period.until);
        Some(Owed {
            counts_at: last,
            reported_at: run.period.from,
            steps: cost.penalty.steps.iter().map(|(at, amount)| (*at, amount.minor())).collect(),
            earned_back: run.earned_back,
            ..Owed::new(Subject::Level, subject, *clause, Arc::clone(name), run.period.closes)
        })
    };
    rebook(pack, books, change.before.as_ref().and_then(owed), change.after.as_ref().and_then(owed));
}

fn rebook(pack: &Pack, books: &mut Books, before: Option<Owed>, after: Option<Owed>) {
    let id = |owed: &Owed| format!("{}/{}/{}", owed.of, pack.clause_id(owed.clause), owed.name);
    let (old, new) = (before.as_ref().map(id), after.as_ref().map(id));
    if let Some(old) = old.filter(|old| new.as_ref() != Some(old)) {
        books.strike(&old);
    }
    if let (Some(id), Some(owed)) = (new, after.filter(|after| before.as_ref() != Some(after))) {
        books.file(pack, &id, owed);
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
pub(super) fn book(pack: &Pack, books: &mut Books, ticket: &str, before: Option<&Outcome>, after: &Outcome) {
    if before.is_none_or(|before| before.penalties.is_empty()) && after.penalties.is_empty() {
        return;
    }
    let owed = |outcome: &Outcome| -> Vec<(String, Owed)> {
        let filed = outcome.owed().filter_map(|penalty| {
            let spec = outcome.spec(penalty.clock)?;
            let name = Arc::clone(&spec.name);
            let owed = Owed {
                reported_at: outcome.reported_at?,
                steps: penalty.steps.iter().map(|(at, amount)| (*at, amount.minor())).collect(),
                ..Owed::new(Subject::Ticket, ticket, spec.clause, name, penalty.at)
            };
            Some((penalty_id(pack, ticket, spec), owed))
        });
        filed.collect()
    };
    let old = before.map(owed).unwrap_or_default();
    let new = owed(after);
    for (id, _) in old.iter().filter(|(id, _)| !new.iter().any(|(kept, _)| kept == id)) {
        books.strike(id);
    }
    for (id, owed) in new {
        if !old.iter().any(|(known, before)| *known == id && *before == owed) {
            books.file(pack, &id, owed);
        }
    }
}
