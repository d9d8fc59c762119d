//! Receipts: what a decision rests on, so that anybody can make it again from the same pack and events, offline.

mod make;
mod own;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::assess::assess;
use crate::event::{Event, EventError};
use crate::store::{Digest, Of, StoreError};
use crate::{Instant, Pack, PackError};
use own::Parts;

/// What the decisions of one step on one ticket, or on a contract itself, rest on.
///
/// Where an event moves time, what time has brought is decided before the event is taken: those decisions have a receipt of their
/// own, without that event.
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
    /// The ticket; nothing for decisions on the contract itself: its duties, its service levels, its deposit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// As of when it was judged.
    pub as_of: Instant,
    /// The events of the contract itself and of the ticket that had been told by then, in the order of telling. For decisions on the
    /// contract itself those of the tickets on which they rest, ticket by ticket: whose clocks a level counts, or which owe something
    /// to the deposit.
    pub events: Vec<EventUsed>,
    /// The decisions, with the terms and facts that each read.
    pub decisions: Vec<serde_json::Value>,
    /// The digest of the ticket's assessment as of that instant, as JSON; of a contract's of what the decisions name of it.
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
    #[error("{of} as of {as_of}: the pack and the events come to {found}, the receipt says {expected}")]
    Result {
        /// The ticket, or the contract.
        of: String,
        /// The instant.
        as_of: Instant,
        /// What the receipt says.
        expected: Digest,
        /// What it comes to.
        found: Digest,
    },
    /// A decision is not what the assessment says.
    #[error(
        "{of}: the receipt's decision `{kind}` on `{clock}` does not agree with what the pack says: {why}"
    )]
    Decision {
        /// The ticket, or the contract.
        of: String,
        /// The decision's kind.
        kind: String,
        /// The clock, duty or level.
        clock: String,
        /// What disagrees.
        why: String,
    },
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
}

/// What pack and events come to.
enum Found {
    Ticket(serde_json::Value),
    Own(Box<Parts>),
}

impl Receipt {
    /// Judges the ticket or the contract again from the pack and the events, and compares: to the byte. `events` may hold more than
    /// are needed, in any order.
    ///
    /// # Errors
    /// [`ReceiptError`]: the first thing that does not hold.
    pub fn check(&self, pack: &Arc<Pack>, events: &BTreeMap<String, Event>) -> Result<(), ReceiptError> {
        let malformed = |error: StoreError| ReceiptError::Malformed(error.to_string());
        let found = pack.digest().map_err(malformed)?;
        if found != self.pack {
            return Err(ReceiptError::Pack { expected: self.pack, found });
        }
        let (mut of_contract, mut of_tickets) = (Vec::new(), Vec::new());
        for used in &self.events {
            let event = events.get(&used.id).ok_or_else(|| ReceiptError::Missing { id: used.id.clone() })?;
            if event_digest(event).map_err(malformed)? != used.digest {
                return Err(ReceiptError::Event { id: used.id.clone() });
            }
            match &event.ticket {
                None => of_contract.push(event.clone()),
                Some(_) => of_tickets.push(event.clone()),
            }
        }
        let (found, judged) = self.judge(pack, &of_contract, &of_tickets)?;
        if found != self.result {
            let (of, expected) = (self.of(), self.result);
            return Err(ReceiptError::Result { of, as_of: self.as_of, expected, found });
        }
        for decision in &self.decisions {
            let agrees = match &judged {
                Found::Ticket(assessed) => agrees(decision, assessed),
                Found::Own(parts) => parts.agrees(decision),
            };
            agrees.map_err(|why| ReceiptError::Decision {
                of: self.of(),
                kind: text(decision, "kind"),
                clock: text(decision, "clock"),
                why: why.to_owned(),
            })?;
        }
        Ok(())
    }

    /// What it is of, in words.
    fn of(&self) -> String {
        match &self.ticket {
            Some(ticket) => format!("ticket `{ticket}`"),
            None => format!("contract `{}`", self.contract),
        }
    }

    /// The digest of what pack and events come to, and that itself.
    fn judge(
        &self,
        pack: &Arc<Pack>,
        of_contract: &[Event],
        of_tickets: &[Event],
    ) -> Result<(Digest, Found), ReceiptError> {
        let malformed = |error: serde_json::Error| ReceiptError::Malformed(error.to_string());
        if self.ticket.is_none() {
            let events = (of_contract, of_tickets);
            let parts = Parts::judge(pack, &self.contract, events, &self.decisions, self.as_of)?;
            let text = serde_json::to_vec(&parts).map_err(malformed)?;
            return Ok((Digest::of(Of::Result, &[&text]), Found::Own(Box::new(parts))));
        }
        let assessment = assess(pack, of_contract, of_tickets, self.as_of)?;
        let text = serde_json::to_vec(&assessment).map_err(malformed)?;
        let value = serde_json::from_slice(&text).map_err(malformed)?;
        Ok((Digest::of(Of::Result, &[&text]), Found::Ticket(value)))
    }
}

/// A member of a JSON object as text; empty when there is none.
fn text(value: &serde_json::Value, name: &str) -> String {
    value.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned()
}

/// Whether a decision on a clock agrees with the state in which the clock was found; if not, what disagrees.
fn state_agrees(kind: &str, state: &str) -> Result<(), &'static str> {
    match kind {
        "met" if state != "met" => Err("the clock was not met"),
        "late" if state != "late" => Err("the clock was not stopped late"),
        "breached" if !["breached", "late"].contains(&state) => Err("the clock was not breached"),
        _ => Ok(()),
    }
}

/// Whether a decision is what the assessment of a ticket says: due instants, breaches and sums; if not, what disagrees.
fn agrees(decision: &serde_json::Value, assessed: &serde_json::Value) -> Result<(), &'static str> {
    let (kind, clock, clause) = (text(decision, "kind"), text(decision, "clock"), text(decision, "clause"));
    let same = |entry: &&serde_json::Value| text(entry, "clock") == clock && text(entry, "clause") == clause;
    let list = |name: &str| assessed.get(name).and_then(|list| list.as_array()).cloned().unwrap_or_default();
    let (clocks, penalties) = (list("clocks"), list("penalties"));
    let of_clock = clocks.iter().find(same);
    state_agrees(&kind, &of_clock.map(|clock| text(clock, "state")).unwrap_or_default())?;
    match kind.as_str() {
        "due" | "breached" | "late" if of_clock.and_then(|clock| clock.get("due")) != decision.get("due") => {
            Err("it was due at another instant")
        }
        "penalised" | "accrued" if !penalties.iter().any(|penalty| same(&penalty)) => Err("it costs nothing"),
        _ => Ok(()),
    }
}

fn event_digest(event: &Event) -> Result<Digest, StoreError> {
    Ok(Digest::of(Of::Event, &[&super::writing::json(event)?]))
}

impl From<PackError> for ReceiptError {
    fn from(error: PackError) -> ReceiptError {
        ReceiptError::Malformed(error.to_string())
    }
}
