//! Receipts made from what stands in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::own::{Parts, is_on_deposit};
use super::{EventUsed, Receipt, event_digest, text};
use crate::assess::{ClockEnds, FORMAT, Own};
use crate::durable::reading::{between, each, events_until};
use crate::durable::rows::{self, sort};
use crate::durable::{DurableEngine, DurableError};
use crate::engine::{ITSELF, Shelf};
use crate::event::Event;
use crate::ledger::{Owed, Subject};
use crate::store::{Digest, Head, HeadKind, Reader, Record, StoreError};
use crate::{Instant, Pack};

/// On what a record decides: the contract, the ticket or the contract itself, and whether before its event was taken.
type On = (String, Option<String>, bool);

/// What a receipt is made of, before the events are gathered.
struct Making {
    place: usize,
    /// Events told up to this record count.
    seq: u64,
    pack: Arc<Pack>,
    as_of: Instant,
}

fn refused(error: impl std::fmt::Display) -> StoreError {
    StoreError::damaged(format!("a receipt cannot be made: {error}"))
}

impl DurableEngine {
    /// The receipts of all decisions on a ticket, in their order.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read.
    pub fn receipts(&mut self, contract: &str, ticket: &str) -> Result<Vec<Receipt>, DurableError> {
        let Some(place) = self.engine.place(contract) else { return Ok(Vec::new()) };
        let Some(index) = Shelf::find(&self.shared, place, ticket)? else { return Ok(Vec::new()) };
        let mut seqs = BTreeSet::new();
        for sort in [sort::HISTORY, sort::DECIDED] {
            let beginning = rows::at(sort, place).u32(rows::number(index));
            each(&**self.shared.lock(), &beginning, &mut |key, _| {
                seqs.insert(Reader::after(key, 9).u64()?);
                Ok(())
            })?;
        }
        self.receipts_at(seqs, &|of, on| of == contract && on == Some(ticket))
    }

    /// The receipts of all decisions on a contract itself, in their order: on its duties, its service levels, its deposit. All
    /// records are looked through for them, some microseconds for each.
    ///
    /// Judged part by part, as a correction goes on, a level that counts clocks of tickets and the deposit stand between two packs:
    /// decisions on these in the records of a correction have no receipt.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read.
    pub fn own_receipts(&mut self, contract: &str) -> Result<Vec<Receipt>, DurableError> {
        let (mut seqs, mut next) = (BTreeSet::new(), 1);
        loop {
            let part = self.shared.lock().records(next, 1000)?;
            let Some(last) = part.last() else { break };
            next = last.seq + 1;
            for record in part {
                let decisions = decisions(&record)?;
                let own = |decision: &Value| {
                    text(decision, "contract") == contract && decision.get("ticket").is_none()
                };
                if decisions.iter().any(own) {
                    seqs.insert(record.seq);
                }
            }
        }
        self.receipts_at(seqs, &|of, on| of == contract && on.is_none())
    }

    fn receipts_at(
        &mut self,
        seqs: BTreeSet<u64>,
        wanted: &dyn Fn(&str, Option<&str>) -> bool,
    ) -> Result<Vec<Receipt>, DurableError> {
        let mut receipts = Vec::new();
        for seq in seqs {
            receipts.extend(self.receipts_of(seq, wanted)?);
        }
        Ok(receipts)
    }

    /// The receipts of one record that are wanted, by contract and ticket: one for each ticket on which it decides, and one for the
    /// contract itself.
    pub(in crate::durable) fn receipts_of(
        &mut self,
        seq: u64,
        wanted: &dyn Fn(&str, Option<&str>) -> bool,
    ) -> Result<Vec<Receipt>, DurableError> {
        let record = self.shared.lock().record(seq)?;
        let record = record.ok_or_else(|| StoreError::damaged(format!("record {seq} is missing")))?;
        let head: Head = serde_json::from_slice(&record.head).map_err(refused)?;
        let mut by_on: BTreeMap<On, Vec<Value>> = BTreeMap::new();
        for decision in decisions(&record)? {
            let ticket = decision.get("ticket").and_then(|ticket| ticket.as_str()).map(str::to_owned);
            let contract = text(&decision, "contract");
            if wanted(&contract, ticket.as_deref()) {
                let before = head.kind == HeadKind::Event && decision.get("cause").is_none();
                by_on.entry((contract, ticket, before)).or_default().push(decision);
            }
        }
        let mut receipts = Vec::new();
        // What was decided before the event was taken comes first.
        let mut groups: Vec<(On, Vec<Value>)> = by_on.into_iter().collect();
        groups.sort_by_key(|((_, _, before), _)| !before);
        for ((contract, ticket, before), decisions) in groups {
            let Some(place) = self.engine.place(&contract) else { continue };
            let pack = self.pack_at(place, seq)?;
            let digest = pack.digest()?;
            let making = Making { place, seq: seq - u64::from(before), pack, as_of: head.now };
            let mut receipt = Receipt {
                format: FORMAT,
                engine: env!("CARGO_PKG_VERSION").to_owned(),
                pack: digest,
                contract,
                ticket,
                as_of: head.now,
                events: Vec::new(),
                decisions,
                result: record.link,
                record: seq,
                link: record.link,
            };
            let of_contract = self.events_of(&making, ITSELF)?;
            let of_tickets = match &receipt.ticket {
                Some(ticket) => {
                    let Some(index) = Shelf::find(&self.shared, place, ticket)? else { continue };
                    self.events_of(&making, index)?
                }
                None => {
                    let correcting = head.kind == HeadKind::Corrected;
                    self.of_tickets(&mut receipt, &making, &of_contract, correcting)?
                }
            };
            if receipt.decisions.is_empty() {
                continue;
            }
            let used = of_contract.iter().chain(&of_tickets);
            let used = used.map(|event| Ok(EventUsed { id: event.id.clone(), digest: event_digest(event)? }));
            receipt.events = used.collect::<Result<Vec<EventUsed>, StoreError>>()?;
            let judged = receipt.judge(&making.pack, &of_contract, &of_tickets);
            receipt.result = judged.map_err(refused)?.0;
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    fn events_of(&self, making: &Making, index: usize) -> Result<Vec<Event>, StoreError> {
        events_until(&**self.shared.lock(), making.place, index, making.seq)
    }

    /// The events of the tickets on which decisions on a contract itself rest. `correcting`: tickets are being judged by another pack,
    /// some of them by now; decisions that count them are taken out of the receipt.
    fn of_tickets(
        &mut self,
        receipt: &mut Receipt,
        making: &Making,
        of_contract: &[Event],
        correcting: bool,
    ) -> Result<Vec<Event>, DurableError> {
        let Receipt { contract, decisions, .. } = receipt;
        let without = Parts::judge(&making.pack, contract, (of_contract, &[]), &[], making.as_of);
        let counts = without.map_err(refused)?.counts;
        if correcting {
            decisions.retain(|decision| {
                let (clause, name) = (text(decision, "clause"), text(decision, "clock"));
                let counts = counts.iter().any(|(of, level, _)| (of, &**level) == (&clause, &*name));
                !counts && !is_on_deposit(decision)
            });
        }
        // The deposit pays what tickets owe, and what levels cost that count clocks of any.
        let deposit = decisions.iter().any(is_on_deposit);
        let counted: Vec<(String, Instant)> = match deposit {
            true => {
                let all = counts.iter().flat_map(|(_, _, clocks)| clocks.iter());
                all.map(|clock| (clock.to_string(), Instant::MIN)).collect()
            }
            // Only which periods they name is asked here, so that the deposit is none of it.
            false => {
                let named = Parts::judge(&making.pack, contract, (of_contract, &[]), decisions, making.as_of);
                named.map_err(refused)?.counted()
            }
        };
        if counted.is_empty() && !deposit {
            return Ok(Vec::new());
        }
        let own = Own::of(&making.pack, of_contract).map_err(refused)?;
        let mut all = Vec::new();
        for index in self.may_bear(making, &counted, deposit)? {
            let events = self.events_of(making, index)?;
            let Some(id) = events.first().and_then(|event| event.ticket.clone()) else { continue };
            let outcome = own.outcome(&making.pack, &id, &events, making.as_of).map_err(refused)?;
            let ends = ClockEnds::default().update(0, None, &outcome);
            let counts =
                ends.iter().any(|(name, at)| counted.iter().any(|(of, from)| **of == **name && at >= from));
            if counts || deposit && outcome.owed().next().is_some() {
                all.extend(events);
            }
        }
        Ok(all)
    }

    /// Tickets that may bear on what is counted, by their places: those that do now, and those that may have done otherwise when the
    /// record was written.
    fn may_bear(
        &self,
        making: &Making,
        counted: &[(String, Instant)],
        deposit: bool,
    ) -> Result<BTreeSet<usize>, StoreError> {
        let Making { place, seq, .. } = *making;
        let store = self.shared.lock();
        // Told later, or judged by another pack later, of the contract itself: it may bear on every ticket.
        let own = rows::history(place, ITSELF, seq + 1);
        let repacked = rows::at(sort::REPACKED, place);
        let later = [
            (own.0, rows::history(place, ITSELF, u64::MAX).0),
            (repacked.clone().u64(seq + 1).0, repacked.end()),
        ];
        for (from, until) in later {
            if !store.scan(&from, &until, 1)?.is_empty() {
                let row = store.get(&rows::at(sort::STANDING, place).0)?;
                let tickets =
                    row.map(|row| rows::read_standing(&row)).transpose()?.unwrap_or_default().tickets;
                return Ok((0..tickets).collect());
            }
        }
        let mut may = BTreeSet::new();
        for (name, from) in counted {
            let all = rows::ends(place, name);
            let first = all.clone().i64(from.micros()).0;
            between(&**store, first, &all.end(), &mut |key, _| {
                may.insert(rows::read_end(key)?.1.1);
                Ok(())
            })?;
        }
        if deposit {
            let mut owing = BTreeSet::new();
            each(&**store, &rows::at(sort::OWED, place), &mut |_, row| {
                let owed: Owed = serde_json::from_slice(row).map_err(refused)?;
                if owed.subject == Subject::Ticket {
                    owing.insert(owed.of.to_string());
                }
                Ok(())
            })?;
            for ticket in owing {
                let index = store.get(&rows::ticket_id(place, &ticket).0)?;
                may.extend(index.map(|row| Reader::new(&row).u32().map(rows::place)).transpose()?);
            }
        }
        each(&**store, &rows::at(sort::HISTORY, place), &mut |key, _| {
            let mut key = Reader::after(key, 5);
            let (index, told) = (rows::place(key.u32()?), key.u64()?);
            if told > seq && index != ITSELF {
                may.insert(index);
            }
            Ok(())
        })?;
        Ok(may)
    }

    /// The pack that judged a contract at some record.
    fn pack_at(&mut self, place: usize, seq: u64) -> Result<Arc<Pack>, DurableError> {
        let from = rows::at(sort::REPACKED, place).u64(seq + 1);
        let later = self.shared.lock().scan(&from.0, &rows::at(sort::REPACKED, place).end(), 1)?;
        match later.first().and_then(|(_, old)| Digest::from_slice(old)) {
            Some(old) => self.pack_of(old),
            None => {
                let pack = self.engine.contracts.get(place).map(|contract| Arc::clone(&contract.pack));
                Ok(pack.ok_or_else(|| StoreError::damaged("a contract is missing"))?)
            }
        }
    }
}

/// The decisions that a record still holds.
fn decisions(record: &Record) -> Result<Vec<Value>, StoreError> {
    let Some(results) = &record.removable.results else { return Ok(Vec::new()) };
    let mut results: Value = serde_json::from_slice(results).map_err(refused)?;
    match results.get_mut("decisions").map(Value::take) {
        Some(Value::Array(decisions)) => Ok(decisions),
        _ => Ok(Vec::new()),
    }
}
