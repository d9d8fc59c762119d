//! Tickets and books that are not in memory: read when they are touched, and what a step has moved of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::contract::{Contract, ContractStanding};
use super::tickets::{Standing, TicketState, Tickets};
use super::{Engine, EngineError};
use crate::assess::{Case, ClockEnds, ContractCase, ContractFinding, ContractState, End, is_deed};
use crate::decision::Decision;
use crate::event::Event;
use crate::ledger::{Books, LedgerEntry, Owed};
use crate::store::StoreError;
use crate::ticket::{Entry, insert};
use crate::{Instant, Pack};

/// Where an engine finds what it does not hold. All of it stands as the last step left it.
pub(crate) trait Shelf: Send + Sync {
    /// The place of a ticket of a contract.
    fn find(&self, place: usize, ticket: &str) -> Result<Option<usize>, StoreError>;
    /// A ticket: its id, how it stands, its events in the order of telling.
    fn ticket(&self, place: usize, index: usize) -> Result<(Arc<str>, Standing, Vec<Event>), StoreError>;
    /// A contract's own events in the order of telling, and how it stands.
    fn contract(&self, place: usize) -> Result<(Vec<Event>, ContractStanding), StoreError>;
    /// What a contract owes, by the ids of the penalties.
    fn owed(&self, place: usize) -> Result<Vec<(String, Owed)>, StoreError>;
    /// The ledger of a contract, for books that could not be settled.
    fn ledger(&self, place: usize) -> Result<Vec<LedgerEntry>, StoreError>;
    /// The findings on a contract's levels that were told.
    fn found(&self, place: usize) -> Result<Vec<ContractFinding>, StoreError>;
    /// When the clocks of a contract's tickets ended, by name.
    fn ends(&self, place: usize) -> Result<Vec<(Arc<str>, End)>, StoreError>;
}

/// What a step has moved.
#[derive(Default)]
pub(crate) struct Moved {
    /// Tickets that were judged, by contract and place.
    pub(crate) tickets: BTreeSet<(usize, usize)>,
    /// Contracts that were touched.
    pub(crate) contracts: BTreeSet<usize>,
}

impl Engine {
    /// An engine whose contracts and tickets lie on a shelf.
    pub(crate) fn on_shelf(now: Instant, host_keeps_time: bool, shelf: Box<dyn Shelf>) -> Engine {
        Engine { now, host_keeps_time, shelf: Some(shelf), shelf_now: now, ..Engine::new() }
    }

    /// A contract that lies on the shelf.
    pub(crate) fn shelve(&mut self, contract: &str, pack: Arc<Pack>) {
        self.by_id.insert(contract.to_owned(), self.contracts.len());
        self.contracts.push(Contract::on_shelf(contract, pack));
    }

    /// Something on the shelf could not be read: the step is void.
    fn missed<T>(&mut self, read: Result<T, StoreError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                self.fault.get_or_insert(error);
                None
            }
        }
    }

    /// Reads a contract from the shelf, unless it is in memory.
    pub(crate) fn load(&mut self, place: usize) {
        let Some(shelf) = &self.shelf else { return };
        if self.contracts.get(place).is_none_or(|contract| contract.is_loaded) {
            return;
        }
        let read = || Ok((shelf.contract(place)?, shelf.ends(place)?, shelf.found(place)?));
        let Some(((events, standing), ended, told)) = self.missed(read()) else { return };
        let now = self.shelf_now;
        let Some(contract) = self.contracts.get_mut(place) else { return };
        contract.is_loaded = true;
        contract.tickets = Tickets::on_shelf(standing.tickets);
        contract.wake = standing.wake;
        contract.shelved = standing;
        for event in &events {
            let entry = match contract.pack.schema.admit(event) {
                Ok(entry) => Arc::new(entry),
                Err(error) => {
                    self.fault
                        .get_or_insert(StoreError::damaged(format!("a stored event is refused: {error}")));
                    return;
                }
            };
            contract.know(entry, now);
        }
        let mut ends = ClockEnds::default();
        for (name, end) in ended {
            ends.put(&name, end);
        }
        let case = ContractCase { pack: &contract.pack, entries: &contract.entries, as_of: now };
        let mut state = ContractState::build(case, &contract.deeds);
        state.close(case, &ends, &mut Default::default());
        state.were_told(told);
        (contract.state, contract.ends) = (state, ends);
        contract.ends.keep_changes();
    }

    /// Reads a contract's books from the shelf, unless they are in memory.
    pub(crate) fn load_books(&mut self, place: usize) {
        let Some(shelf) = &self.shelf else { return };
        if self.contracts.get(place).is_none_or(|contract| contract.has_books) {
            return;
        }
        let Some(owed) = self.missed(shelf.owed(place)) else { return };
        let now = self.shelf_now;
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let Contract { id, pack, entries, shelved, .. } = &*contract;
        let mut books = Books::again(id, pack, entries, owed, shelved.entries, now);
        (books.low, books.exhausted) = (shelved.low, shelved.exhausted);
        if books.ledger.fault.is_some()
            && let Some(shelf) = &self.shelf
        {
            match shelf.ledger(place) {
                Ok(ledger) => books.ledger.stand_as(&ledger),
                Err(error) => {
                    self.fault.get_or_insert(error);
                    return;
                }
            }
        }
        contract.books = books;
        contract.has_books = true;
    }

    /// The place of a ticket; it is in memory then.
    pub(super) fn ticket_place(&mut self, place: usize, ticket: &str) -> Option<usize> {
        if let Some(index) = self.contracts.get(place)?.tickets.find(ticket) {
            return Some(index);
        }
        if let Some(shelf) = &self.shelf {
            let found = shelf.find(place, ticket);
            if let Some(index) = self.missed(found)? {
                self.fetch(place, index);
                return Some(index);
            }
        }
        Some(self.contracts.get_mut(place)?.tickets.push(ticket))
    }

    /// Reads a ticket from the shelf and judges it as it stood, unless it is in memory.
    pub(crate) fn fetch(&mut self, place: usize, index: usize) {
        let Some(shelf) = &self.shelf else { return };
        if self.contracts.get(place).is_none_or(|contract| contract.tickets.get(index).is_some()) {
            return;
        }
        let read = shelf.ticket(place, index);
        let Some((id, standing, events)) = self.missed(read) else { return };
        let now = self.shelf_now;
        let Some(contract) = self.contracts.get_mut(place) else { return };
        let mut state = TicketState::new(id);
        for event in &events {
            match contract.pack.schema.admit(event) {
                Ok(entry) => insert(&mut state.entries, Arc::new(entry)),
                Err(error) => {
                    self.fault
                        .get_or_insert(StoreError::damaged(format!("a stored event is refused: {error}")));
                    return;
                }
            }
        }
        let (mut entries, mut relief) = (&contract.entries, &contract.relief);
        if let Some((of, [had, held])) = &self.had
            && *of == place
        {
            (entries, relief) = (had, held);
        }
        let (pack, history, ticket) = (&contract.pack, &state.entries, &state.id);
        let case = Case { pack, contract: entries, relief, history, ticket, as_of: now };
        let mut outcome = case.outcome(None, None);
        if let Some(derivation) = &mut outcome.derivation {
            super::contract::share(&mut self.derivations, derivation);
        }
        state.outcome = Some(Box::new(outcome));
        state.wake = standing.wake;
        state.shelved = Some(Box::new(standing));
        contract.tickets.hold(index, state);
    }

    /// A contract that the shelf has nothing of yet: notes when it must be looked at.
    pub(crate) fn begin_contract(&mut self, place: usize) {
        self.load(place);
        self.rewake(place);
        self.moved.contracts.insert(place);
    }

    /// Puts another pack in the place of a contract's, and judges its own obligations and books by it. Its tickets are as before.
    pub(crate) fn judge_by(
        &mut self,
        place: usize,
        pack: Arc<Pack>,
        out: &mut Vec<Decision>,
    ) -> Result<(), EngineError> {
        let Some(contract) = self.contracts.get_mut(place) else { return Ok(()) };
        contract.amendments = pack.knowledge_changes();
        contract.pack = pack;
        contract.books.refile_all();
        // What is in memory of its tickets was judged by the other pack.
        contract.tickets.let_go(u64::MAX);
        self.judge_contract(place, &[], true, None, out);
        self.close_step(&[place], None, out)
    }

    /// Judges tickets of a contract that were judged by one pack by another.
    pub(crate) fn correct(
        &mut self,
        place: usize,
        tickets: &[usize],
        (old, new): (&Arc<Pack>, &Arc<Pack>),
        out: &mut Vec<Decision>,
    ) -> Result<(), EngineError> {
        let judged_by = |engine: &mut Engine, pack: &Arc<Pack>| {
            if let Some(contract) = engine.contracts.get_mut(place) {
                contract.pack = Arc::clone(pack);
            }
        };
        judged_by(self, old);
        if let Some(contract) = self.contracts.get_mut(place) {
            contract.tickets.let_go(u64::MAX);
        }
        tickets.iter().for_each(|index| self.fetch(place, *index));
        judged_by(self, new);
        tickets.iter().for_each(|index| self.reassess(place, *index, false, None, out));
        self.close_step(&[place], None, out)
    }

    /// Why the shelf could not be read, if it could not.
    pub(crate) fn take_fault(&mut self) -> Result<(), StoreError> {
        self.fault.take().map_or(Ok(()), Err)
    }

    /// Reads a contract with its books, and a ticket of it, so that they can be asked about.
    pub(crate) fn touch(&mut self, contract: &str, ticket: Option<&str>) -> Result<(), StoreError> {
        let Some(place) = self.place(contract) else { return Ok(()) };
        self.load(place);
        match (ticket, &self.shelf) {
            (Some(ticket), Some(shelf)) => {
                let found = shelf.find(place, ticket);
                if let Some(Some(index)) = self.missed(found) {
                    self.fetch(place, index);
                }
            }
            _ => self.load_books(place),
        }
        self.take_fault()
    }

    /// Ends a step of an engine on a shelf: what it moved is handed over, and counts as written.
    pub(crate) fn end_of_step(&mut self) -> Moved {
        self.wakes.clear();
        self.had = None;
        self.told.clear();
        self.shelf_now = self.now;
        std::mem::take(&mut self.moved)
    }
}

impl Contract {
    /// Takes an entry of its own from the shelf, told before the engine stood at an instant.
    fn know(&mut self, entry: Arc<Entry>, now: Instant) {
        match is_deed(entry.kind) {
            true => self.deeds.push(Arc::clone(&entry)),
            false => insert(&mut self.entries, Arc::clone(&entry)),
        }
        if entry.holds_clocks() {
            insert(&mut self.relief, Arc::clone(&entry));
        }
        if entry.at > now {
            self.future.insert((entry.at, entry.id.clone()), entry);
        }
    }

    fn on_shelf(id: &str, pack: Arc<Pack>) -> Contract {
        Contract { is_loaded: false, has_books: false, ..Contract::new(id, pack, Instant::MIN) }
    }

    /// Gives back what it takes in memory; it is read again when it is touched.
    pub(crate) fn let_go(&mut self) {
        *self = Contract::on_shelf(&self.id, Arc::clone(&self.pack));
    }

    /// Its pack, its own entries, and those of them that hold clocks.
    pub(crate) fn parts(&self) -> (&Pack, &[Arc<Entry>], &[Arc<Entry>]) {
        (&self.pack, &self.entries, &self.relief)
    }
}
