//! The hash chain: each record's head, linked to all before it, with salted digests of what may be removed.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Record;
use super::digest::{Digest, Of};
use crate::Instant;

/// What a record writes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// A pack was taken, for the contracts it names or for one.
    Pack,
    /// An event was told.
    Event,
    /// Time has passed.
    Advance,
    /// Notices were handed over.
    Handed,
    /// Values were removed from an earlier record.
    Erased,
    /// Tickets were judged again by another pack.
    Corrected,
}

/// A record's part of the chain, as JSON. It holds no fact that a ticket carried; those are in what is removable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The version of this JSON.
    pub format: u32,
    /// The record's number.
    pub seq: u64,
    /// What it writes down.
    pub kind: HeadKind,
    /// The engine's time after it.
    pub now: Instant,
    /// The next instant at which time alone changes something, after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Instant>,
    /// The contract, of an event or a correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The ticket, of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The event's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The event's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
    /// The event's instant, or that to which time has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// The digest of a pack's files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<Digest>,
    /// What else there is to say: which record was erased and of what, which tickets were corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Box<RawValue>>,
    /// The salted digest of [`Removable::body`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Digest>,
    /// The salted digest of [`Removable::results`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Digest>,
    /// The ledger entries that were posted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<Box<RawValue>>,
    /// The sum over all rows after it: [`RowSum`](super::RowSum).
    pub rows: Digest,
}

/// What a record holds beside its head, and what can be taken out of it again. The salts go with it: who has the head alone cannot
/// find out by trying what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removable {
    /// Random bytes, before what is hashed; empty when there is nothing.
    pub salt: Vec<u8>,
    /// The event as JSON, or the files of a pack.
    pub body: Option<Vec<u8>>,
    /// The decisions and notices, as JSON.
    pub results: Option<Vec<u8>>,
}

impl Removable {
    /// The salted digests, for the head: of the body and of the results.
    pub fn digests(&self) -> (Option<Digest>, Option<Digest>) {
        let digest = |part: &Option<Vec<u8>>, name: &[u8]| {
            part.as_ref().map(|part| Digest::of_parts(Of::Removable, &[&self.salt, name, part]))
        };
        (digest(&self.body, b"body"), digest(&self.results, b"results"))
    }
}

/// The chain before the first record.
pub fn chain_start() -> Digest {
    Digest::of(Of::Link, &[b"holdback"])
}

/// The chain with one more head.
pub fn link(before: Digest, head: &[u8]) -> Digest {
    Digest::of(Of::Link, &[&before.0, head])
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its number.
    pub seq: u64,
    /// What, in words.
    pub what: String,
}

/// What verifying needs of a head, without a copy of the rest.
#[derive(Deserialize)]
pub(crate) struct Brief<'a> {
    pub(crate) seq: u64,
    pub(crate) kind: HeadKind,
    #[serde(default, borrow)]
    pub(crate) note: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) body: Option<Digest>,
    #[serde(default)]
    pub(crate) results: Option<Digest>,
    pub(crate) rows: Digest,
}

/// Goes along the chain and names what does not fit.
pub(crate) struct Walk {
    pub(crate) link: Digest,
    /// The next number.
    pub(crate) next: u64,
}

impl Walk {
    pub(crate) fn new() -> Walk {
        Walk { link: chain_start(), next: 1 }
    }

    /// Checks the next record; gives its head if that can be read.
    pub(crate) fn step<'r>(&mut self, record: &'r Record, broken: &mut Vec<Broken>) -> Option<Brief<'r>> {
        let seq = record.seq;
        let mut say = |what: String| broken.push(Broken { seq, what });
        if seq != self.next {
            say(format!("records {} to {} are missing", self.next, seq.saturating_sub(1)));
        }
        let expected = link(self.link, &record.head);
        if seq == self.next && expected != record.link {
            say("its head or its link was altered, or a record before it was lost or moved".to_owned());
        }
        // What follows is judged by what stands here, so that one fault is told once.
        self.link = record.link;
        self.next = seq.saturating_add(1);
        let head: Brief<'_> = match serde_json::from_slice(&record.head) {
            Ok(head) => head,
            Err(error) => {
                say(format!("its head cannot be read: {error}"));
                return None;
            }
        };
        if head.seq != seq {
            say(format!("its head says that it is record {}", head.seq));
        }
        Some(head)
    }
}
