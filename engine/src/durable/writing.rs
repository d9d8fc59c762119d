//! What a step has moved, written as rows and a record in the open transaction.

use serde::Serialize;

use super::rows::{self, sort};
use super::{DurableEngine, TimeFrom, Tip};
use crate::assess::FORMAT;
use crate::decision::Decision;
use crate::engine::{ITSELF, Moved};
use crate::outbox::Notice;
use crate::store::{Head, HeadKind, Key, Record, Removable, Store, StoreError, chain_start, link};
use crate::{Event, Instant};

/// Roots of subtrees below this level are had from the chain itself: at most so many records are read for one.
pub(super) const TREE_LEVEL: u32 = 8;

/// Rows being written, with the sum over them kept up.
pub(super) struct Writer<'a> {
    pub(super) store: &'a mut dyn Store,
    pub(super) tip: &'a mut Tip,
    /// What the next record must be, if that is known.
    pub(super) given: &'a mut Option<Record>,
}

impl Writer<'_> {
    /// A row that was not there.
    pub(super) fn add(&mut self, key: &Key, value: &[u8]) -> Result<(), StoreError> {
        self.tip.rows.add(&key.0, value);
        self.store.put(&key.0, value)
    }

    /// A row that was there with another value.
    pub(super) fn change(&mut self, key: &Key, before: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.tip.rows.take(&key.0, before);
        self.add(key, value)
    }

    /// A row that goes.
    pub(super) fn take(&mut self, key: &Key, before: &[u8]) -> Result<(), StoreError> {
        self.tip.rows.take(&key.0, before);
        self.store.remove(&key.0)
    }

    /// A row that may be there; nothing: there is to be none.
    pub(super) fn put(&mut self, key: &Key, value: Option<&[u8]>) -> Result<(), StoreError> {
        match (self.store.get(&key.0)?, value) {
            (Some(before), Some(value)) if before == value => Ok(()),
            (Some(before), Some(value)) => self.change(key, &before, value),
            (Some(before), None) => self.take(key, &before),
            (None, Some(value)) => self.add(key, value),
            (None, None) => Ok(()),
        }
    }

    /// Something must be looked at at another instant. Says whether the next due instant has to be looked up.
    fn wake(
        &mut self,
        before: Option<Instant>,
        now: Option<Instant>,
        contract: usize,
        ticket: usize,
    ) -> Result<bool, StoreError> {
        if before == now {
            return Ok(false);
        }
        let mut look_up = false;
        if let Some(before) = before {
            self.take(&rows::wake(before, contract, ticket), b"")?;
            look_up = self.tip.next == Some(before);
        }
        if let Some(now) = now {
            self.add(&rows::wake(now, contract, ticket), b"")?;
            self.tip.next = Some(self.tip.next.map_or(now, |next| next.min(now)));
        }
        Ok(look_up)
    }

    /// A record after the last one.
    pub(super) fn record(&mut self, mut head: Head, removable: Removable) -> Result<(), StoreError> {
        head.seq = self.tip.seq + 1;
        head.next = self.tip.next;
        head.rows = self.tip.rows.digest();
        (head.body, head.results) = removable.digests();
        let head = serde_json::to_vec(&head).map_err(|error| StoreError::damaged(error.to_string()))?;
        let link = link(self.tip.link.unwrap_or_else(chain_start), &head);
        let mut record = Record { seq: self.tip.seq + 1, head, link, removable };
        if let Some(given) = self.given.take() {
            record = as_given(record, given)?;
        }
        let expected = self.tip.link.unwrap_or_else(chain_start);
        if crate::store::link(expected, &record.head) != record.link {
            return Err(StoreError::damaged(format!("record {}: its link does not fit", record.seq)));
        }
        let link = record.link;
        self.store.append(&record)?;
        (self.tip.seq, self.tip.link) = (record.seq, Some(link));
        for (level, place, root) in self.tip.tree.push(link) {
            if level >= TREE_LEVEL {
                self.store.put(&rows::node(level, place).0, &root.0)?;
            }
        }
        Ok(())
    }
}

/// A record that was carried in stands for the one that was made anew: only what was erased since may differ.
fn as_given(made: Record, given: Record) -> Result<Record, StoreError> {
    if made.head == given.head && made.link == given.link {
        return Ok(given);
    }
    let plain = |head: &[u8]| -> Option<Vec<u8>> {
        let mut head: Head = serde_json::from_slice(head).ok()?;
        (head.body, head.results) = (None, None);
        serde_json::to_vec(&head).ok()
    };
    if plain(&made.head) != plain(&given.head) {
        let what = format!("record {} does not follow from what was told before it", given.seq);
        return Err(StoreError::damaged(what));
    }
    Ok(given)
}

/// A head with nothing in it but what all have.
pub(super) fn head(kind: HeadKind, now: Instant) -> Head {
    Head {
        format: FORMAT,
        seq: 0,
        kind,
        now,
        next: None,
        contract: None,
        ticket: None,
        event: None,
        told: None,
        at: None,
        pack: None,
        note: None,
        body: None,
        results: None,
        ledger: Vec::new(),
        rows: crate::store::RowSum::default().digest(),
    }
}

/// What a step came to, as it is written down.
#[derive(Serialize)]
struct Results<'a> {
    decisions: &'a [Decision],
    notices: &'a [Notice],
}

impl DurableEngine {
    /// Writes a step down: `event` is what was told, with its contract's place, if anything was.
    pub(super) fn write_step(
        &mut self,
        mut head: Head,
        event: Option<(usize, &Event)>,
        body: Option<Vec<u8>>,
        decisions: &[Decision],
    ) -> Result<(), StoreError> {
        let notices = self.engine.take_notices();
        let moved = self.engine.end_of_step();
        let seq = self.tip.seq + 1;
        let shared = self.shared.clone();
        let mut store = shared.lock();
        let mut to = Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
        if seq == 1 {
            // How time is kept is said once, in the chain.
            let time: &[u8] = if self.time == TimeFrom::Host { b"host" } else { b"events" };
            to.add(&rows::named(sort::ENGINE, "time"), time)?;
            head.told = (self.time == TimeFrom::Host).then(|| "live".to_owned());
        }
        let mut told = Vec::new();
        for (n, notice) in (0_u64..).zip(notices) {
            let by_id = rows::named(sort::NOTICE, &notice.id);
            if to.store.get(&by_id.0)?.is_none() {
                let number = seq << 20 | n;
                to.add(&by_id, &number.to_be_bytes())?;
                to.add(&rows::numbered(sort::WAITING, number), &json(&notice)?)?;
                told.push(notice);
            }
        }
        if let Some((place, event)) = event {
            to.add(&rows::named(sort::EVENT, &event.id), &seq.to_be_bytes())?;
            if event.ticket.is_none() {
                to.add(&rows::history(place, ITSELF, seq), b"")?;
            }
        }
        let mut decided = std::collections::BTreeSet::new();
        for decision in decisions {
            let Some(ticket) = decision.ticket.as_deref() else { continue };
            let own = event.is_some_and(|(_, event)| {
                event.ticket.as_deref() == Some(ticket) && event.contract == *decision.contract
            });
            if !own {
                decided.insert((&*decision.contract, ticket));
            }
        }
        for (contract, ticket) in decided {
            let Some(place) = self.engine.place(contract) else { continue };
            let index = self.engine.contracts.get(place).and_then(|contract| contract.tickets.find(ticket));
            if let Some(index) = index {
                to.add(&rows::decided(place, index, seq), b"")?;
            }
        }
        let ticket = event.and_then(|(place, event)| Some((place, event.ticket.as_deref()?)));
        write_moved(&mut self.engine, moved, self.step, ticket, &mut to, &mut head)?;
        let mut removable = Removable { salt: Vec::new(), body, results: None };
        if !decisions.is_empty() || !told.is_empty() {
            removable.results = Some(json(&Results { decisions, notices: &told })?);
        }
        if removable.body.is_some() || removable.results.is_some() {
            removable.salt = vec![0; 16];
            (self.salt)(&mut removable.salt);
        }
        to.record(head, removable)
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::damaged(error.to_string()))
}

fn write_moved(
    engine: &mut crate::Engine,
    moved: Moved,
    step: u64,
    event: Option<(usize, &str)>,
    to: &mut Writer<'_>,
    head: &mut Head,
) -> Result<(), StoreError> {
    let mut look_up = false;
    let seq = to.tip.seq + 1;
    for (place, index) in moved.tickets {
        let Some(contract) = engine.contracts.get_mut(place) else { continue };
        let Some(state) = contract.tickets.get_mut(index) else { continue };
        if event == Some((place, &*state.id)) {
            to.add(&rows::history(place, index, seq), b"")?;
        }
        let now = state.standing(step);
        let (key, row) = (rows::ticket(place, index), rows::ticket_row(&now, &state.id));
        match state.shelved.as_deref() {
            None => {
                to.add(&key, &row)?;
                to.add(&rows::ticket_id(place, &state.id), &rows::number(index).to_be_bytes())?;
                to.add(&rows::until(now.until, place, index), b"")?;
            }
            Some(before) => {
                let old = rows::ticket_row(before, &state.id);
                if old != row {
                    to.change(&key, &old, &row)?;
                }
                if before.until != now.until {
                    to.take(&rows::until(before.until, place, index), b"")?;
                    to.add(&rows::until(now.until, place, index), b"")?;
                }
            }
        }
        let before = state.shelved.as_ref().and_then(|before| before.wake);
        look_up |= to.wake(before, now.wake, place, index)?;
        state.shelved = Some(Box::new(now));
    }
    for place in moved.contracts {
        let Some(contract) = engine.contracts.get_mut(place) else { continue };
        for (name, end, came) in contract.ends.take_changes() {
            to.put(&rows::end(place, &name, end), came.then_some(b""))?;
        }
        for finding in contract.state.take_told() {
            let row = json(&finding)?;
            to.put(&rows::found(place, &row), Some(&row))?;
        }
        for (id, line) in contract.books.take_lines(&contract.pack) {
            // The line stands at the instant of what was owed before; the row of that is written next.
            let before = to.store.get(&rows::owed(place, &id).0)?;
            let before = before.and_then(|row| serde_json::from_slice::<crate::ledger::Owed>(&row).ok());
            if let Some(before) =
                before.filter(|before| line.as_ref().is_none_or(|line| line.at != before.at))
            {
                to.put(&rows::line(place, before.at, &id), None)?;
            }
            if let Some(line) = line {
                to.put(&rows::line(place, line.at, &id), Some(&json(&line)?))?;
            }
        }
        for (id, owed) in contract.books.take_touched() {
            let row = owed.map(|owed| json(&owed)).transpose()?;
            to.put(&rows::owed(place, &id), row.as_deref())?;
        }
        if contract.has_books {
            for entry in contract.books.ledger.take_entries() {
                let row = json(&entry)?;
                to.add(&rows::ledger(place, entry.number), &row)?;
                let text = String::from_utf8(row).unwrap_or_default();
                let entry = serde_json::value::RawValue::from_string(text);
                head.ledger.push(entry.map_err(|error| StoreError::damaged(error.to_string()))?);
            }
        }
        contract.touched = step;
        let (before, now) = (contract.shelved, contract.standing());
        if before != now {
            to.put(&rows::at(sort::STANDING, place), Some(&rows::standing_row(&now)))?;
            look_up |= to.wake(before.wake, now.wake, place, ITSELF)?;
            contract.shelved = now;
        }
    }
    if look_up {
        to.tip.next = next_wake(to.store)?;
    }
    Ok(())
}

/// The first instant at which something must be looked at.
pub(super) fn next_wake(store: &dyn Store) -> Result<Option<Instant>, StoreError> {
    let all = Key::new(sort::WAKE);
    let first = store.scan(&all.0, &all.end(), 1)?;
    first.first().map(|(key, _)| Ok(rows::read_wake(key)?.0)).transpose()
}
