//! Which components have failed, and until when they are left alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::sandbox::Fault;

/// Failures in a row after which a component is put in quarantine.
pub const STRIKES: u32 = 5;

/// A component put aside until the operator says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The component.
    pub digest: Digest,
    /// Its last fault.
    pub reason: String,
    /// Since when, Unix time in milliseconds.
    pub since_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Record {
    /// In a row.
    failures: u32,
    /// Left alone until then, Unix time in milliseconds.
    until_ms: u64,
    last: String,
}

/// The components that have failed. After a failure one waits a second, then two, four and so on; after [`STRIKES`] in a row it
/// is in quarantine, which only [`Health::reset`] ends. Time is the caller's.
#[derive(Default)]
pub(crate) struct Health {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    records: BTreeMap<Digest, Record>,
    quarantine: BTreeMap<Digest, Quarantine>,
}

impl Health {
    pub(crate) fn with(quarantine: Vec<Quarantine>) -> Health {
        let quarantine = quarantine.into_iter().map(|one| (one.digest, one)).collect();
        Health { inner: Mutex::new(Inner { quarantine, ..Inner::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a component may run now.
    pub(crate) fn admit(&self, digest: Digest, now_ms: u64) -> Result<(), Fault> {
        let inner = self.lock();
        if let Some(held) = inner.quarantine.get(&digest) {
            return Err(Fault::Aside(format!("in quarantine until it is reset; it {}", held.reason)));
        }
        match inner.records.get(&digest) {
            Some(record) if record.until_ms > now_ms => {
                let wait = record.until_ms.saturating_sub(now_ms);
                Err(Fault::Aside(format!(
                    "waits {wait} ms after {} failures; it {}",
                    record.failures, record.last
                )))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn worked(&self, digest: Digest) {
        self.lock().records.remove(&digest);
    }

    /// Notes a failure. Gives back all that are in quarantine if this one has just come to them.
    pub(crate) fn failed(&self, digest: Digest, fault: &Fault, now_ms: u64) -> Option<Vec<Quarantine>> {
        if !fault.is_the_components() {
            return None;
        }
        let mut inner = self.lock();
        let record = inner.records.entry(digest).or_default();
        record.failures = record.failures.saturating_add(1);
        record.last = fault.to_string();
        let doublings = record.failures.saturating_sub(1).min(10);
        record.until_ms = now_ms.saturating_add(1_000_u64 << doublings);
        if record.failures < STRIKES {
            return None;
        }
        let held = Quarantine { digest, reason: fault.to_string(), since_ms: now_ms };
        inner.quarantine.insert(digest, held);
        Some(inner.quarantine.values().cloned().collect())
    }

    /// Lets a component run again. Gives back those that stay, if it was among them.
    pub(crate) fn reset(&self, digest: Digest) -> Option<Vec<Quarantine>> {
        let mut inner = self.lock();
        inner.records.remove(&digest);
        inner.quarantine.remove(&digest)?;
        Some(inner.quarantine.values().cloned().collect())
    }

    pub(crate) fn quarantine(&self) -> Vec<Quarantine> {
        self.lock().quarantine.values().cloned().collect()
    }
}
