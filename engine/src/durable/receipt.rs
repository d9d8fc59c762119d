//! Receipts: what a decision on a ticket rests on, so that anybody can make it again from the same pack and events, offline.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rows::{self, sort};
use super::{DurableEngine, DurableError};
use crate::assess::{FORMAT, assess};
use crate::engine::ITSELF;
use crate::event::{Event, EventError};
use crate::store::{Digest, Head, Of, Reader, StoreError};
use crate::{Instant, Pack, PackError};

/// What the decisions of one step on one ticket rest on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The version of this JSON.
    pub format: u32,
    /// The version of the engine that decided.
    pub engine: String,
    /// The digest of the pack: of its files and of the terms that were set.
    pub pack: Digest,
    /// The contract.
    pub contract: String,
    /// The ticket.
    pub ticket: String,
    /// As of when it was judged.
    pub as_of: Instant,
    /// The events of the contract itself and of the ticket that had been told by then, in the order of telling.
    pub events: Vec<EventUsed>,
    /// The decisions, with the terms and facts that each read.
    pub decisions: Vec<serde_json::Value>,
    /// The digest of the ticket's assessment as of that instant, as JSON.
    pub result: Digest,
    /// The record that holds the decisions.
    pub record: u64,
    /// The record's link in the chain.
    pub link: Digest,
}

/// An event that a receipt rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventUsed {
    /// Its id.
    pub id: String,
    /// The digest of its JSON.
    pub digest: Digest,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It was made with another pack.
    #[error(
        "the receipt is of the pack `{expected}`, this one is `{found}`: give the pack, with the terms, that decided"
    )]
    Pack {
        /// The receipt's.
        expected: Digest,
        /// The one at hand.
        found: Digest,
    },
    /// An event that it rests on is not at hand.
    #[error(
        "event `{id}`, on which the receipt rests, is not among the events: give all events of the ticket and its contract"
    )]
    Missing {
        /// The event.
        id: String,
    },
    /// An event is another one than it was.
    #[error("event `{id}` is not the one on which the receipt rests: its content differs")]
    Event {
        /// The event.
        id: String,
    },
    /// An event is refused by the pack.
    #[error(transparent)]
    Refused(#[from] EventError),
    /// The same pack and events come to something else.
    #[error(
        "ticket `{ticket}` as of {as_of}: the pack and the events come to {found}, the receipt says {expected}"
    )]
    Result {
        /// The ticket.
        ticket: String,
        /// The instant.
        as_of: Instant,
        /// What the receipt says.
        expected: Digest,
        /// What it comes to.
        found: Digest,
    },
    /// A decision is not what the assessment says.
    #[error(
        "ticket `{ticket}`: the receipt's decision `{kind}` on `{clock}` does not agree with what the pack says: {why}"
    )]
    Decision {
        /// The ticket.
        ticket: String,
        /// The decision's kind.
        kind: String,
        /// The clock.
        clock: String,
        /// What disagrees.
        why: String,
    },
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
}

impl Receipt {
    /// Judges the ticket again from the pack and the events, and compares: to the byte. `events` may hold more than are needed, in
    /// any order.
    ///
    /// # Errors
    /// [`ReceiptError`]: the first thing that does not hold.
    pub fn check(&self, pack: &Pack, events: &BTreeMap<String, Event>) -> Result<(), ReceiptError> {
        let malformed = |error: StoreError| ReceiptError::Malformed(error.to_string());
        let found = pack.digest().map_err(malformed)?;
        if found != self.pack {
            return Err(ReceiptError::Pack { expected: self.pack, found });
        }
        let (mut of_contract, mut of_ticket) = (Vec::new(), Vec::new());
        for used in &self.events {
            let event = events.get(&used.id).ok_or_else(|| ReceiptError::Missing { id: used.id.clone() })?;
            if event_digest(event).map_err(malformed)? != used.digest {
                return Err(ReceiptError::Event { id: used.id.clone() });
            }
            match &event.ticket {
                None => of_contract.push(event.clone()),
                Some(_) => of_ticket.push(event.clone()),
            }
        }
        let (found, assessed) = result(pack, &of_contract, &of_ticket, self.as_of)?;
        if found != self.result {
            let (ticket, expected) = (self.ticket.clone(), self.result);
            return Err(ReceiptError::Result { ticket, as_of: self.as_of, expected, found });
        }
        self.decisions.iter().try_for_each(|decision| self.agrees(decision, &assessed))
    }

    /// Whether a decision is what the assessment says: due instants, breaches and sums.
    fn agrees(&self, decision: &serde_json::Value, assessed: &serde_json::Value) -> Result<(), ReceiptError> {
        let text = |value: &serde_json::Value, name: &str| {
            value.get(name).and_then(|v| v.as_str()).unwrap_or("").to_owned()
        };
        let (kind, clock, clause) =
            (text(decision, "kind"), text(decision, "clock"), text(decision, "clause"));
        let disagree = |why: &str| {
            let (ticket, kind, clock) = (self.ticket.clone(), kind.clone(), clock.clone());
            Err(ReceiptError::Decision { ticket, kind, clock, why: why.to_owned() })
        };
        let same =
            |entry: &&serde_json::Value| text(entry, "clock") == clock && text(entry, "clause") == clause;
        let list =
            |name: &str| assessed.get(name).and_then(|list| list.as_array()).cloned().unwrap_or_default();
        let (clocks, penalties) = (list("clocks"), list("penalties"));
        let of_clock = clocks.iter().find(same);
        let state = of_clock.map(|clock| text(clock, "state")).unwrap_or_default();
        let breached = ["breached", "late"].contains(&state.as_str());
        match kind.as_str() {
            "met" if state != "met" => disagree("the clock was not met"),
            "late" if state != "late" => disagree("the clock was not stopped late"),
            "breached" if !breached => disagree("the clock was not breached"),
            "due" | "breached" | "late"
                if of_clock.and_then(|clock| clock.get("due")) != decision.get("due") =>
            {
                disagree("it was due at another instant")
            }
            "penalised" | "accrued" if !penalties.iter().any(|penalty| same(&penalty)) => {
                disagree("it costs nothing")
            }
            _ => Ok(()),
        }
    }
}

fn event_digest(event: &Event) -> Result<Digest, StoreError> {
    Ok(Digest::of(Of::Event, &[&super::writing::json(event)?]))
}

fn result(
    pack: &Pack,
    of_contract: &[Event],
    of_ticket: &[Event],
    as_of: Instant,
) -> Result<(Digest, serde_json::Value), ReceiptError> {
    let assessment = assess(pack, of_contract, of_ticket, as_of)?;
    let malformed = |error: serde_json::Error| ReceiptError::Malformed(error.to_string());
    let text = serde_json::to_vec(&assessment).map_err(malformed)?;
    let value = serde_json::from_slice(&text).map_err(malformed)?;
    Ok((Digest::of(Of::Result, &[&text]), value))
}

impl DurableEngine {
    /// The receipts of all decisions on a ticket, in their order.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read.
    pub fn receipts(&mut self, contract: &str, ticket: &str) -> Result<Vec<Receipt>, DurableError> {
        let Some(place) = self.engine.place(contract) else { return Ok(Vec::new()) };
        let Some(index) = crate::engine::Shelf::find(&self.shared, place, ticket)? else {
            return Ok(Vec::new());
        };
        let mut seqs = Vec::new();
        for sort in [sort::HISTORY, sort::DECIDED] {
            let beginning = rows::at(sort, place).u32(rows::number(index));
            super::reading::each(&**self.shared.lock(), &beginning, &mut |key, _| {
                seqs.push(Reader::after(key, 9).u64()?);
                Ok(())
            })?;
        }
        seqs.sort_unstable();
        seqs.dedup();
        let mut receipts = Vec::new();
        for seq in seqs {
            receipts.extend(
                self.receipts_of(seq)?
                    .into_iter()
                    .filter(|receipt| receipt.ticket == ticket && receipt.contract == contract),
            );
        }
        Ok(receipts)
    }

    /// The receipts of one record: one for each ticket on which it decides.
    pub(super) fn receipts_of(&mut self, seq: u64) -> Result<Vec<Receipt>, DurableError> {
        let record = self
            .shared
            .lock()
            .record(seq)?
            .ok_or_else(|| StoreError::damaged(format!("record {seq} is missing")))?;
        let head: Head =
            serde_json::from_slice(&record.head).map_err(|error| StoreError::damaged(error.to_string()))?;
        let Some(results) = &record.removable.results else { return Ok(Vec::new()) };
        let results: serde_json::Value =
            serde_json::from_slice(results).map_err(|error| StoreError::damaged(error.to_string()))?;
        let mut by_ticket: BTreeMap<(String, String), Vec<serde_json::Value>> = BTreeMap::new();
        for decision in results.get("decisions").and_then(|all| all.as_array()).into_iter().flatten() {
            let text = |name| decision.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            if let (Some(contract), Some(ticket)) = (text("contract"), text("ticket")) {
                by_ticket.entry((contract, ticket)).or_default().push(decision.clone());
            }
        }
        let mut receipts = Vec::new();
        for ((contract, ticket), decisions) in by_ticket {
            let Some(place) = self.engine.place(&contract) else { continue };
            let Some(index) = crate::engine::Shelf::find(&self.shared, place, &ticket)? else { continue };
            let pack = self.pack_at(place, seq)?;
            let told_by = |index: usize| -> Result<Vec<Event>, StoreError> {
                super::reading::events_until(&**self.shared.lock(), place, index, seq)
            };
            let (of_contract, of_ticket) = (told_by(ITSELF)?, told_by(index)?);
            let used = of_contract
                .iter()
                .chain(&of_ticket)
                .map(|event| Ok(EventUsed { id: event.id.clone(), digest: event_digest(event)? }));
            let events = used.collect::<Result<Vec<EventUsed>, StoreError>>()?;
            let assessed = result(&pack, &of_contract, &of_ticket, head.now);
            let (result, _) = assessed.map_err(|error| StoreError::damaged(error.to_string()))?;
            receipts.push(Receipt {
                format: FORMAT,
                engine: env!("CARGO_PKG_VERSION").to_owned(),
                pack: pack.digest()?,
                contract,
                ticket,
                as_of: head.now,
                events,
                decisions,
                result,
                record: seq,
                link: record.link,
            });
        }
        Ok(receipts)
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

impl From<PackError> for ReceiptError {
    fn from(error: PackError) -> ReceiptError {
        ReceiptError::Malformed(error.to_string())
    }
}
