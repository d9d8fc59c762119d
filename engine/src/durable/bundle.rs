//! Bundles of receipts, and proofs that records are in the chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::open::PackBody;
use super::receipt::Receipt;
use super::{DurableEngine, DurableError};
use crate::Instant;
use crate::assess::FORMAT;
use crate::event::Event;
use crate::store::{Checkpoint, Digest, SigningKey, StoreError, included};

/// A line of a bundle: receipts with all that they rest on.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first line: when it was made of what, with a signed word on the chain if there was a key.
    Bundle {
        format: u32,
        engine: String,
        from: Instant,
        until: Instant,
        checkpoint: Option<Checkpoint>,
    },
    /// A pack: its files.
    Pack {
        digest: Digest,
        body: PackBody,
    },
    Event(Event),
    /// A receipt, and the way from its record to the checkpoint's root.
    Receipt {
        receipt: Receipt,
        proof: Vec<Digest>,
    },
}

/// What a bundle held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BundleChecked {
    /// Receipts that hold.
    pub receipts: u64,
    /// Events they rest on.
    pub events: u64,
    /// Who signed that the records are in the chain; nothing when nobody did.
    pub signed_by: Option<Digest>,
    /// What does not hold, by line.
    pub faults: Vec<String>,
}

/// Verifies a bundle by itself: every receipt is made again from the packs and events in it.
///
/// ```
/// assert!(holdback::check_bundle(["{}"].into_iter().map(|line| Ok(line.to_owned()))).faults[0].contains("line 1"));
/// ```
pub fn check_bundle(lines: impl Iterator<Item = std::io::Result<String>>) -> BundleChecked {
    let mut checked = BundleChecked::default();
    let (mut packs, mut events, mut signed) = (BTreeMap::new(), BTreeMap::new(), None);
    let mut begun = false;
    for (n, line) in (1..).zip(lines) {
        let mut fault = |what: String| checked.faults.push(format!("line {n}: {what}"));
        let line = match line.map_err(|error| error.to_string()).and_then(|line| {
            serde_json::from_str::<Line>(&line).map_err(|error| format!("no line of a bundle: {error}"))
        }) {
            Ok(line) => line,
            Err(what) => {
                fault(what);
                continue;
            }
        };
        match line {
            Line::Bundle { checkpoint, .. } => {
                begun = true;
                if let Some(checkpoint) = checkpoint {
                    match checkpoint.check() {
                        Ok(()) => signed = Some(checkpoint),
                        Err(error) => fault(error.to_string()),
                    }
                }
            }
            Line::Pack { digest, body } => match body.digest() {
                Ok(found) if found == digest => match body.read(digest) {
                    Ok(pack) => drop(packs.insert(digest, Arc::new(pack))),
                    Err(error) => fault(error.to_string()),
                },
                _ => fault(format!("the pack is not `{digest}`: a file was altered")),
            },
            Line::Event(event) => drop(events.insert(event.id.clone(), event)),
            Line::Receipt { receipt, proof } => {
                let held = match packs.get(&receipt.pack) {
                    Some(pack) => receipt.check(pack, &events).map_err(|error| error.to_string()),
                    None => Err(format!("the pack `{}` is not in the bundle", receipt.pack)),
                };
                let proved = signed.as_ref().is_none_or(|signed: &Checkpoint| {
                    let place = receipt.record.saturating_sub(1);
                    included(receipt.link, place, signed.size, &proof, signed.root)
                });
                match held {
                    Err(what) => fault(what),
                    Ok(()) if !proved => {
                        fault(format!("record {} is not in the signed chain", receipt.record))
                    }
                    Ok(()) => checked.receipts += 1,
                }
            }
        }
    }
    if !begun {
        checked.faults.push("no bundle: its first line is missing".to_owned());
    }
    checked.events = events.len() as u64;
    checked.signed_by = signed.map(|signed| signed.key);
    checked
}

impl DurableEngine {
    /// All receipts of decisions made from one instant to before another, on tickets and on contracts themselves, with all that they
    /// rest on: one JSON object a line, for [`check_bundle`] on another machine. With a key, the chain is signed and each receipt
    /// shown to be in it.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read or the lines cannot be written.
    pub fn bundle(
        &mut self,
        (from, until): (Instant, Instant),
        key: Option<(&str, &SigningKey)>,
        write: &mut dyn FnMut(&str) -> std::io::Result<()>,
    ) -> Result<u64, DurableError> {
        let mut line = |line: &Line| -> Result<(), StoreError> {
            let text = serde_json::to_string(line).map_err(|error| StoreError::damaged(error.to_string()))?;
            write(&text).map_err(|error| StoreError::Failed {
                path: "the bundle".to_owned(),
                reason: error.to_string(),
            })
        };
        let checkpoint = key.map(|(name, key)| self.checkpoint(name, key));
        let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        line(&Line::Bundle {
            format: FORMAT,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            from,
            until,
            checkpoint,
        })?;
        let (mut packs, mut told) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        let mut count = 0;
        let first = self.first_at(from)?;
        for seq in first..=self.tip.seq {
            if self.read_head(seq)?.now >= until {
                break;
            }
            for receipt in self.receipts_of(seq, &|_, _| true)? {
                if packs.insert(receipt.pack) {
                    let pack = self.pack_of(receipt.pack)?;
                    line(&Line::Pack { digest: receipt.pack, body: PackBody::of(&pack) })?;
                }
                for used in &receipt.events {
                    if told.insert(used.id.clone())
                        && let Some(event) = self.event(&used.id)?
                    {
                        line(&Line::Event(event))?;
                    }
                }
                let proof = if size > 0 { self.inclusion(seq, size)? } else { Vec::new() };
                line(&Line::Receipt { receipt, proof })?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// The first record at or after an instant of the engine's time.
    fn first_at(&self, at: Instant) -> Result<u64, StoreError> {
        let (mut low, mut high) = (1, self.tip.seq + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.read_head(middle)?.now < at {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    /// A signed word on how far the store has come.
    pub fn checkpoint(&self, name: &str, key: &SigningKey) -> Checkpoint {
        Checkpoint::sign(name, &self.tip.tree, self.engine.now(), key)
    }

    /// What shows that a record is among the first so many, for [`included`](crate::store::included).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or has not come so far.
    pub fn inclusion(&self, seq: u64, size: u64) -> Result<Vec<Digest>, StoreError> {
        self.reaches(size)?;
        let store = self.shared.lock();
        let mut nodes = |level, at| super::open::subtree(&**store, level, at);
        crate::store::inclusion_proof(seq.saturating_sub(1), size, &mut nodes)
    }

    /// What shows that the first records, so many, are the beginning of so many more, for
    /// [`consistent`](crate::store::consistent).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or has not come so far.
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Digest>, StoreError> {
        self.reaches(size)?;
        self.reaches(old)?;
        let store = self.shared.lock();
        let mut nodes = |level, at| super::open::subtree(&**store, level, at);
        crate::store::consistency_proof(old.min(size), size, &mut nodes)
    }

    /// The root over the first records, so many.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or has not come so far.
    pub fn root(&self, size: u64) -> Result<Digest, StoreError> {
        self.reaches(size)?;
        Ok(super::open::tree(&**self.shared.lock(), size)?.root())
    }

    fn reaches(&self, size: u64) -> Result<(), StoreError> {
        if size <= self.tip.seq {
            return Ok(());
        }
        Err(StoreError::damaged(format!(
            "the store ends with record {}, asked is record {size}: records were lost",
            self.tip.seq
        )))
    }
}
