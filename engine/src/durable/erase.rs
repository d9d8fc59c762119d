//! Values removed for good: personal facts of tickets, and the written decisions of tickets that are done. The chain stays whole,
//! since its heads hold salted digests alone.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::DurableEngine;
use super::answers::raw;
use super::open::Kept;
use super::reading::event as stored_event;
use super::rows::{self, sort};
use super::verify::{Erasure, erasures};
use super::writing::{Writer, head, json};
use crate::assess::Case;
use crate::event::{Event, EventError};
use crate::store::{Head, HeadKind, Reader, StoreError};
use crate::ticket::{Entry, insert};
use crate::{Instant, Pack};

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// How many tickets.
    pub tickets: u64,
    /// How many records.
    pub records: u64,
}

/// Why something is not removed. Nothing is, then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// There is no such ticket.
    #[error("contract `{contract}` has no ticket `{ticket}`")]
    Unknown {
        /// The contract.
        contract: String,
        /// The ticket.
        ticket: String,
    },
    /// A clause reads the fact: what was decided rests on it.
    #[error(
        "`{name}` cannot be erased: `{file}` reads it, so that what was decided rests on it; erase facts that no clause reads"
    )]
    Read {
        /// The fact.
        name: String,
        /// The clause's file.
        file: String,
    },
    /// The ticket would be judged otherwise without it.
    #[error("ticket `{ticket}` would be judged otherwise without {names}: nothing was erased")]
    Decides {
        /// The ticket.
        ticket: String,
        /// What was to be erased.
        names: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records that are rewritten in one transaction.
const PART: usize = 500;

impl DurableEngine {
    /// Removes facts from all events of a ticket: `actor`, `note`, or facts that no clause reads. What was decided, posted and told
    /// stays, and so does the chain; the salts go with the values, so that nobody can find them by trying.
    ///
    /// # Errors
    /// [`EraseError`]: nothing was removed.
    pub fn erase(&mut self, contract: &str, ticket: &str, names: &[String]) -> Result<Erased, EraseError> {
        let place = self.engine.place(contract);
        let found =
            place.map(|place| crate::engine::Shelf::find(&self.shared, place, ticket)).transpose()?.flatten();
        let (Some(place), Some(index)) = (place, found) else {
            return Err(EraseError::Unknown { contract: contract.to_owned(), ticket: ticket.to_owned() });
        };
        self.may_erase(contract, names)?;
        let records = self.erase_in(place, index, ticket, names)?;
        Ok(Erased { tickets: 1, records })
    }

    /// Removes facts from all tickets of a contract that are done and on whose answers nothing after an instant bears.
    ///
    /// # Errors
    /// [`EraseError`]; tickets before the one that cannot be erased have been.
    pub fn erase_before(
        &mut self,
        contract: &str,
        before: Instant,
        names: &[String],
    ) -> Result<Erased, EraseError> {
        self.may_erase(contract, names)?;
        let mut erased = Erased::default();
        for (place, index, id) in self.done_before(contract, before)? {
            let records = self.erase_in(place, index, &id, names)?;
            erased.records += records;
            erased.tickets += u64::from(records > 0);
        }
        Ok(erased)
    }

    /// Removes the written decisions of tickets that were done before an instant, which take most of the room. They follow from
    /// the events, which stay; their digests stay in the chain. What the same records decide on other tickets, or on the contract
    /// itself, stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn compact_before(&mut self, contract: &str, before: Instant) -> Result<Erased, StoreError> {
        let mut erased = Erased::default();
        for (place, index, id) in self.done_before(contract, before)? {
            let seqs = self.history(place, index)?;
            let mut rewritten = 0;
            for seqs in seqs.chunks(PART) {
                rewritten += self.rewrite(seqs, &["decisions".to_owned()], &mut |kept| {
                    let (left, is_less) = without_decisions(kept.results.as_deref(), contract, &id)?;
                    kept.results = left;
                    Ok(is_less)
                })?;
            }
            erased.records += rewritten;
            erased.tickets += u64::from(rewritten > 0);
        }
        Ok(erased)
    }

    fn may_erase(&self, contract: &str, names: &[String]) -> Result<(), EraseError> {
        let Some(pack) = self.engine.pack(contract) else { return Ok(()) };
        for name in names.iter().filter(|name| !["actor", "note"].contains(&name.as_str())) {
            if let Some(file) = reader(pack, name) {
                return Err(EraseError::Read { name: name.clone(), file: file.to_owned() });
            }
        }
        Ok(())
    }

    /// Tickets that are done, by index.
    fn done_before(
        &self,
        contract: &str,
        before: Instant,
    ) -> Result<Vec<(usize, usize, String)>, StoreError> {
        let Some(place) = self.engine.place(contract) else { return Ok(Vec::new()) };
        let store = self.shared.lock();
        let mut from = rows::at(sort::UNTIL, place).0;
        let until = rows::at(sort::UNTIL, place).i64(before.micros()).0;
        let mut done = Vec::new();
        loop {
            let rows = store.scan(&from, &until, 4096)?;
            for (key, _) in &rows {
                let index = rows::place(Reader::after(key, 13).u32()?);
                let row = store.get(&rows::ticket(place, index).0)?.unwrap_or_default();
                done.push((place, index, rows::read_ticket(&row)?.1.to_string()));
            }
            let full = rows.len() == 4096;
            let Some((key, _)) = rows.into_iter().last().filter(|_| full) else { return Ok(done) };
            from = key;
            from.push(0);
        }
    }

    fn history(&self, place: usize, index: usize) -> Result<Vec<u64>, StoreError> {
        let mut seqs = Vec::new();
        let beginning = rows::at(sort::HISTORY, place).u32(rows::number(index));
        super::reading::each(&**self.shared.lock(), &beginning, &mut |key, _| {
            seqs.push(Reader::after(key, 9).u64()?);
            Ok(())
        })?;
        Ok(seqs)
    }

    fn erase_in(
        &mut self,
        place: usize,
        index: usize,
        ticket: &str,
        names: &[String],
    ) -> Result<u64, EraseError> {
        let seqs = self.history(place, index)?;
        let mut events = Vec::with_capacity(seqs.len());
        for seq in &seqs {
            events.push(stored_event(&**self.shared.lock(), *seq)?);
        }
        let without: Vec<Event> = events.iter().map(|event| stripped(event, names)).collect();
        if without == events {
            return Ok(0);
        }
        if !self.same_answers(place, &events, &without)? {
            let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(EraseError::Decides { ticket: ticket.to_owned(), names });
        }
        let mut records = 0;
        for seqs in seqs.chunks(PART) {
            records += self.rewrite(seqs, names, &mut |kept| {
                let body = kept.body.as_deref().unwrap_or_default();
                let event: Event =
                    serde_json::from_slice(body).map_err(|error| StoreError::damaged(error.to_string()))?;
                let less = stripped(&event, names);
                kept.body = Some(json(&less)?);
                Ok(less != event)
            })?;
        }
        // What is in memory was made of the events as they were.
        self.stand_again()?;
        Ok(records)
    }

    /// Whether a ticket is judged the same by other events.
    fn same_answers(&mut self, place: usize, events: &[Event], others: &[Event]) -> Result<bool, StoreError> {
        self.engine.load(place);
        self.engine.take_fault()?;
        let now = self.engine.now();
        let Some(contract) = self.engine.contracts.get(place) else { return Ok(false) };
        let outcome = |events: &[Event]| -> Result<_, EventError> {
            let mut history = Vec::new();
            for event in events {
                let entry: Entry = contract.pack.schema.admit(event)?;
                insert(&mut history, entry.into());
            }
            let ticket = "".into();
            let (pack, entries, relief) = contract.parts();
            let case =
                Case { pack, contract: entries, relief, history: &history, ticket: &ticket, as_of: now };
            Ok(case.outcome(None, None))
        };
        let refused = |error: EventError| StoreError::damaged(format!("a stored event is refused: {error}"));
        Ok(outcome(events).map_err(refused)? == outcome(others).map_err(refused)?)
    }

    /// Rewrites what some records hold removable, in one transaction with a record that says so.
    fn rewrite(
        &mut self,
        seqs: &[u64],
        names: &[String],
        change: &mut dyn FnMut(&mut Kept) -> Result<bool, StoreError>,
    ) -> Result<u64, StoreError> {
        self.begin()?;
        match self.write_erasures(seqs, names, change) {
            Ok(0) => {
                self.shared.lock().rollback();
                Ok(0)
            }
            Ok(count) => self.commit().map(|()| count),
            Err(error) => Err(self.give_up(error)),
        }
    }

    fn write_erasures(
        &mut self,
        seqs: &[u64],
        names: &[String],
        change: &mut dyn FnMut(&mut Kept) -> Result<bool, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut note = Vec::new();
        for seq in seqs {
            let missing = || StoreError::damaged(format!("record {seq} is missing"));
            let record = self.shared.lock().record(*seq)?.ok_or_else(missing)?;
            let mut kept = record.removable;
            if !change(&mut kept)? {
                continue;
            }
            // A new salt: what is left must not help to find what was there.
            kept.salt = vec![0; 16];
            (self.salt)(&mut kept.salt);
            if kept.body.is_none() && kept.results.is_none() {
                kept.salt.clear();
            }
            self.shared.lock().replace(*seq, &kept)?;
            let (body, results) = kept.digests();
            note.push(Erasure { record: *seq, removed: names.to_vec(), body, results });
        }
        if note.is_empty() {
            return Ok(0);
        }
        let count = note.len() as u64;
        let mut head = head(HeadKind::Erased, self.engine.now());
        head.note = Some(raw(&note)?);
        self.write_erased(head, &note)?;
        Ok(count)
    }

    fn write_erased(&mut self, head: Head, note: &[Erasure]) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let mut store = shared.lock();
        let mut to = Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
        for erasure in note {
            let row = json(&(erasure.body, erasure.results))?;
            to.put(&rows::numbered(sort::ERASED, erasure.record), Some(&row))?;
        }
        to.record(head, Kept::default())
    }

    /// Notes again what an erasing record says; the values are gone already.
    pub(super) fn erased_again(&mut self, head: &Head) -> Result<(), StoreError> {
        self.begin()?;
        let note = erasures(head).unwrap_or_default();
        let mut anew = super::writing::head(HeadKind::Erased, self.engine.now());
        anew.note.clone_from(&head.note);
        match self.write_erased(anew, &note) {
            Ok(()) => self.commit(),
            Err(error) => Err(self.give_up(error)),
        }
    }
}

/// An event without some of what it told.
fn stripped(event: &Event, names: &[String]) -> Event {
    let mut event = event.clone();
    event.data.retain(|name, _| !names.contains(name));
    event.actor = event.actor.filter(|_| !names.iter().any(|name| name == "actor"));
    event
}

/// What a record holds of a step, each part as it was written.
#[derive(Serialize, Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    decisions: Vec<&'a RawValue>,
    #[serde(borrow)]
    notices: Vec<&'a RawValue>,
}

/// A step's results without those on a ticket, nothing if none are left; and whether that is less.
fn without_decisions(
    results: Option<&[u8]>,
    contract: &str,
    ticket: &str,
) -> Result<(Option<Vec<u8>>, bool), StoreError> {
    #[derive(Deserialize)]
    struct On<'a> {
        #[serde(borrow)]
        contract: std::borrow::Cow<'a, str>,
        #[serde(default, borrow)]
        ticket: Option<std::borrow::Cow<'a, str>>,
    }
    let Some(text) = results else { return Ok((None, false)) };
    let unreadable = |error: serde_json::Error| StoreError::damaged(format!("decisions: {error}"));
    let mut all: Results<'_> = serde_json::from_slice(text).map_err(unreadable)?;
    let before = all.decisions.len() + all.notices.len();
    let is_other = |part: &&RawValue| {
        let on = serde_json::from_str::<On<'_>>(part.get());
        on.map_or(true, |on| on.contract != contract || on.ticket.as_deref() != Some(ticket))
    };
    all.decisions.retain(is_other);
    all.notices.retain(is_other);
    let left = all.decisions.len() + all.notices.len();
    let kept = (left > 0).then(|| json(&all)).transpose()?;
    Ok((kept, left < before))
}

/// A clause file in whose text a fact's name stands.
fn reader<'p>(pack: &'p Pack, name: &str) -> Option<&'p str> {
    let fact = pack.facts().iter().find(|fact| fact.name == name);
    let zh = fact.and_then(|fact| fact.zh.as_deref());
    let names: Vec<&str> = std::iter::once(name).chain(zh).collect();
    let scripts = pack.files.iter().filter(|(path, _)| path.ends_with(".rhai"));
    let mut reads = scripts.filter(|(_, text)| names.iter().any(|name| text.contains(name)));
    reads.next().map(|(path, _)| path.as_str())
}
