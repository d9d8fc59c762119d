//! What a durable engine can be asked. What is asked about is read first, if it is not in memory.

use super::DurableEngine;
use super::reading::{each, event, events};
use super::rows::{self, sort};
use crate::assess::{Assessment, ContractAssessment};
use crate::engine::ITSELF;
use crate::event::Event;
use crate::ledger::{LedgerEntry, Statement, StatementLine};
use crate::store::{Key, StoreError};
use crate::{EngineError, Instant};

impl DurableEngine {
    /// The engine's time: nothing after it has been looked at.
    pub fn now(&self) -> Instant {
        self.engine.now()
    }

    /// The first instant at which [`DurableEngine::advance`] will change something, as [`Engine::next_due`](crate::Engine::next_due).
    pub fn next_due(&self) -> Option<Instant> {
        self.tip.next
    }

    /// How many records the log has.
    pub fn records(&self) -> u64 {
        self.tip.seq
    }

    /// The contracts that are open.
    pub fn contracts(&self) -> impl Iterator<Item = &str> {
        self.engine.contracts()
    }

    /// The pack of a contract.
    pub fn pack(&self, contract: &str) -> Option<&std::sync::Arc<crate::Pack>> {
        self.engine.pack(contract)
    }

    /// How many tickets a contract has.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn ticket_count(&mut self, contract: &str) -> Result<usize, StoreError> {
        let Some(place) = self.engine.place(contract) else { return Ok(0) };
        let row = self.shared.lock().get(&rows::at(sort::STANDING, place).0)?;
        Ok(row.map(|row| rows::read_standing(&row)).transpose()?.map_or(0, |standing| standing.tickets))
    }

    /// The tickets of a contract, in the order in which they were first heard of.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn tickets(&self, contract: &str) -> Result<Vec<String>, StoreError> {
        let Some(place) = self.engine.place(contract) else { return Ok(Vec::new()) };
        let mut tickets = Vec::new();
        each(&**self.shared.lock(), &rows::at(sort::TICKET, place), &mut |_, value| {
            tickets.push(rows::read_ticket(value)?.1.to_string());
            Ok(())
        })?;
        Ok(tickets)
    }

    /// A ticket as it was judged last, as [`Engine::assessment`](crate::Engine::assessment).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn assessment(&mut self, contract: &str, ticket: &str) -> Result<Option<Assessment>, StoreError> {
        self.engine.touch(contract, Some(ticket))?;
        Ok(self.engine.assessment(contract, ticket))
    }

    /// A contract's own obligations, as [`Engine::contract_assessment`](crate::Engine::contract_assessment).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn contract_assessment(&mut self, contract: &str) -> Result<Option<ContractAssessment>, StoreError> {
        self.engine.touch(contract, None)?;
        Ok(self.engine.contract_assessment(contract))
    }

    /// What a contract owes and what is left of its deposit, as [`Engine::statement`](crate::Engine::statement).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn statement(&mut self, contract: &str) -> Result<Option<Statement>, StoreError> {
        self.engine.touch(contract, None)?;
        Ok(self.engine.statement(contract))
    }

    /// The lines of a contract's statement in their order, told one by one as they are read: the first at once, whatever their
    /// number. Telling ends when `tell` says so.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn statement_lines(
        &self,
        contract: &str,
        tell: &mut dyn FnMut(StatementLine) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some(place) = self.engine.place(contract) else { return Ok(()) };
        let all = rows::at(sort::LINE, place);
        let (mut from, mut most) = (all.0.clone(), 64);
        loop {
            let part = self.shared.lock().scan(&from, &all.end(), most)?;
            for (_, row) in &part {
                let line = serde_json::from_slice(row);
                let line =
                    line.map_err(|error| StoreError::damaged(format!("a line of a statement: {error}")))?;
                if tell(line).is_break() {
                    return Ok(());
                }
            }
            let full = part.len() == most;
            let Some((key, _)) = part.into_iter().last().filter(|_| full) else { return Ok(()) };
            from = key;
            from.push(0);
            most = 4096;
        }
    }

    /// The ledger of a contract, in the order of booking.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn ledger(&self, contract: &str) -> Result<Vec<LedgerEntry>, StoreError> {
        match self.engine.place(contract) {
            Some(place) => crate::engine::Shelf::ledger(&self.shared, place),
            None => Ok(Vec::new()),
        }
    }

    /// The events of a ticket, or of the contract itself, in the order of telling.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn events(&self, contract: &str, ticket: Option<&str>) -> Result<Vec<Event>, StoreError> {
        let Some(place) = self.engine.place(contract) else { return Ok(Vec::new()) };
        let index = match ticket {
            None => Some(ITSELF),
            Some(ticket) => crate::engine::Shelf::find(&self.shared, place, ticket)?,
        };
        index.map_or(Ok(Vec::new()), |index| events(&**self.shared.lock(), place, index))
    }

    /// All events, in the order of telling; those that came with packs are among them.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn each_event(&self, tell: &mut dyn FnMut(Event)) -> Result<(), StoreError> {
        let mut next = 1;
        loop {
            let part = self.shared.lock().records(next, 1000)?;
            let Some(last) = part.last() else { return Ok(()) };
            next = last.seq + 1;
            for record in part {
                let head: crate::store::Head = serde_json::from_slice(&record.head).map_err(|error| {
                    StoreError::damaged(format!("record {}: its head cannot be read: {error}", record.seq))
                })?;
                if head.kind == crate::store::HeadKind::Event {
                    tell(event(&**self.shared.lock(), record.seq)?);
                }
            }
        }
    }

    /// An event by its id.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn event(&self, id: &str) -> Result<Option<Event>, StoreError> {
        let store = self.shared.lock();
        let seq = store.get(&rows::named(sort::EVENT, id).0)?;
        seq.map(|seq| event(&**store, rows::read_seq(&seq)?)).transpose()
    }

    /// The notices that wait, as JSON, each with its number, at most so many.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn waiting(&self, most: usize) -> Result<Vec<(u64, String)>, StoreError> {
        let all = Key::new(sort::WAITING);
        let rows = self.shared.lock().scan(&all.0, &all.end(), most)?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let number = crate::store::Reader::after(&key, 1).u64()?;
            let text = String::from_utf8(value);
            Ok((number, text.map_err(|_| StoreError::damaged(format!("notice {number} is no text")))?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Takes notices off the list of those that wait: they were handed over. Numbers that do not wait are passed over.
    ///
    /// # Errors
    /// [`EngineError::Store`]: none was taken.
    pub fn handed_over(&mut self, numbers: &[u64]) -> Result<(), EngineError> {
        self.begin()?;
        match self.write_handed(numbers) {
            Ok(()) => Ok(self.commit()?),
            Err(error) => Err(self.give_up(error).into()),
        }
    }

    fn write_handed(&mut self, numbers: &[u64]) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let mut store = shared.lock();
        let mut to =
            super::writing::Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
        let mut handed = Vec::new();
        for number in numbers {
            let key = rows::numbered(sort::WAITING, *number);
            if let Some(before) = to.store.get(&key.0)? {
                to.take(&key, &before)?;
                handed.push(*number);
            }
        }
        if handed.is_empty() {
            return Ok(());
        }
        let mut head = super::writing::head(crate::store::HeadKind::Handed, self.engine.now());
        head.note = Some(raw(&handed)?);
        to.record(head, super::open::Kept::default())
    }

    /// The store again; nothing while somebody else holds it.
    pub fn into_store(self) -> Option<Box<dyn crate::store::Store>> {
        let DurableEngine { engine, shared, .. } = self;
        drop(engine);
        let store = std::sync::Arc::into_inner(shared.0)?;
        Some(store.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Ends the work on the store: a file becomes one file again and is sealed. Dropping the engine loses nothing either.
    ///
    /// # Errors
    /// [`StoreError`]; nothing that was acknowledged is lost by it.
    pub fn close(self) -> Result<(), StoreError> {
        self.shared.lock().close()
    }
}

/// JSON to be put into a head as it is.
pub(super) fn raw(value: &impl serde::Serialize) -> Result<Box<serde_json::value::RawValue>, StoreError> {
    serde_json::value::to_raw_value(value).map_err(|error| StoreError::damaged(error.to_string()))
}
