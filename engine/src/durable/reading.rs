//! What the engine touches, read from the store.

use std::sync::Arc;

use super::Shared;
use super::rows::{self, sort};
use crate::assess::{ContractFinding, End};
use crate::engine::{ContractStanding, ITSELF, Shelf, Standing};
use crate::event::Event;
use crate::ledger::{LedgerEntry, Owed};
use crate::store::{Key, Reader, Store, StoreError};

/// Rows that are read at a time.
const PART: usize = 4096;

/// Takes a row, key and value; what it cannot read ends the scan.
type Tell<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// All rows whose keys begin so, told one by one.
pub(super) fn each(store: &dyn Store, beginning: &Key, tell: Tell<'_>) -> Result<(), StoreError> {
    between(store, beginning.0.clone(), &beginning.end(), tell)
}

/// All rows from one key to before another, told one by one.
pub(super) fn between(
    store: &dyn Store,
    mut from: Vec<u8>,
    until: &[u8],
    tell: Tell<'_>,
) -> Result<(), StoreError> {
    loop {
        let rows = store.scan(&from, until, PART)?;
        for (key, value) in &rows {
            tell(key, value)?;
        }
        let full = rows.len() == PART;
        let Some((key, _)) = rows.into_iter().last().filter(|_| full) else { return Ok(()) };
        from = key;
        from.push(0);
    }
}

/// The event of a record.
pub(super) fn event(store: &dyn Store, seq: u64) -> Result<Event, StoreError> {
    let record = store.record(seq)?.ok_or_else(|| StoreError::damaged(format!("record {seq} is missing")))?;
    let body = record.removable.body.unwrap_or_default();
    serde_json::from_slice(&body)
        .map_err(|error| StoreError::damaged(format!("record {seq}: its event cannot be read: {error}")))
}

/// The events of a ticket, or of a contract itself, in the order of telling.
pub(super) fn events(store: &dyn Store, contract: usize, ticket: usize) -> Result<Vec<Event>, StoreError> {
    let beginning = rows::at(sort::HISTORY, contract).u32(rows::number(ticket));
    let mut seqs = Vec::new();
    each(store, &beginning, &mut |key, _| {
        seqs.push(Reader::after(key, 9).u64()?);
        Ok(())
    })?;
    seqs.into_iter().map(|seq| event(store, seq)).collect()
}

/// Those of them that were told up to a record.
pub(super) fn events_until(
    store: &dyn Store,
    contract: usize,
    ticket: usize,
    last: u64,
) -> Result<Vec<Event>, StoreError> {
    let from = rows::history(contract, ticket, 0).0;
    let until = rows::history(contract, ticket, last.saturating_add(1)).0;
    let rows = store.scan(&from, &until, usize::MAX >> 1)?;
    rows.iter().map(|(key, _)| event(store, Reader::after(key, 9).u64()?)).collect()
}

impl Shelf for Shared {
    fn find(&self, place: usize, ticket: &str) -> Result<Option<usize>, StoreError> {
        let found = self.lock().get(&rows::ticket_id(place, ticket).0)?;
        found.map(|value| Ok(rows::place(Reader::new(&value).u32()?))).transpose()
    }

    fn ticket(&self, place: usize, index: usize) -> Result<(Arc<str>, Standing, Vec<Event>), StoreError> {
        let store = self.lock();
        let row = store.get(&rows::ticket(place, index).0)?;
        let missing = || StoreError::damaged(format!("ticket {index} of contract {place} has no row"));
        let (standing, id) = rows::read_ticket(&row.ok_or_else(missing)?)?;
        Ok((id, standing, events(&**store, place, index)?))
    }

    fn contract(&self, place: usize) -> Result<(Vec<Event>, ContractStanding), StoreError> {
        let store = self.lock();
        let standing = store.get(&rows::at(sort::STANDING, place).0)?;
        let standing = standing.map(|row| rows::read_standing(&row)).transpose()?.unwrap_or_default();
        Ok((events(&**store, place, ITSELF)?, standing))
    }

    fn owed(&self, place: usize) -> Result<Vec<(String, Owed)>, StoreError> {
        let mut owed = Vec::new();
        each(&**self.lock(), &rows::at(sort::OWED, place), &mut |key, value| {
            let id = Reader::after(key, 5).rest()?;
            let read = serde_json::from_slice(value);
            let read = read.map_err(|error| StoreError::damaged(format!("the penalty `{id}`: {error}")))?;
            owed.push((id.to_owned(), read));
            Ok(())
        })?;
        Ok(owed)
    }

    fn ledger(&self, place: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut ledger = Vec::new();
        each(&**self.lock(), &rows::at(sort::LEDGER, place), &mut |_, value| {
            let read = serde_json::from_slice(value);
            ledger.push(read.map_err(|error| StoreError::damaged(format!("a ledger entry: {error}")))?);
            Ok(())
        })?;
        Ok(ledger)
    }

    fn found(&self, place: usize) -> Result<Vec<ContractFinding>, StoreError> {
        let mut found = Vec::new();
        each(&**self.lock(), &rows::at(sort::FOUND, place), &mut |_, value| {
            let read = serde_json::from_slice(value);
            found.push(read.map_err(|error| StoreError::damaged(format!("a finding: {error}")))?);
            Ok(())
        })?;
        Ok(found)
    }

    fn ends(&self, place: usize) -> Result<Vec<(Arc<str>, End)>, StoreError> {
        let mut ends = Vec::new();
        each(&**self.lock(), &rows::at(sort::END, place), &mut |key, _| {
            ends.push(rows::read_end(key)?);
            Ok(())
        })?;
        Ok(ends)
    }
}
