//! The engine that forgets nothing: every step is written down before it is answered.

mod answers;
mod bundle;
mod carry;
mod correct;
mod erase;
mod ingest;
mod open;
mod reading;
mod receipt;
mod rows;
mod verify;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::Engine;
use crate::store::{Digest, Head, Record, RowSum, Store, StoreError, Tree};
use crate::{Instant, Pack, PackError};
pub use bundle::{BundleChecked, check_bundle};
pub use carry::{export, import};
pub use correct::Correction;
pub use erase::{EraseError, Erased};
pub use receipt::{EventUsed, Receipt, ReceiptError};
pub use verify::{Verified, replay, verify};

/// The rules engine over a [`Store`]: the same answers as [`Engine`], kept through a pulled plug.
///
/// An event is one transaction: what was told, what was decided, what was posted, what is to be told to whom, and when to look
/// again. What [`DurableEngine::ingest`] answers is on the disk. Opening does not read tickets: a ticket is read when an event or
/// its due instant touches it, and let go of when many others were touched since.
///
/// [`Engine::open`] takes a pack; [`DurableEngine::open`] takes the file of a store, in which the packs are.
///
/// ```
/// use holdback::store::MemoryStore;
/// use holdback::{DurableEngine, Event, Pack, TimeFrom};
/// # let files = [
/// #     ("pack.toml", "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]"),
/// #     ("contract.md", "# [1] Repair\n# [2] Deposit"),
/// #     ("clauses/1.rhai", "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }
/// #         fn penalty(breach) { yuan(500) }"),
/// #     ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
/// # ].map(|(path, text)| (path.to_owned(), text.to_owned()));
/// let pack = Pack::from_files(files.into()).map_err(|e| e.to_string())?;
/// let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events)?;
/// engine.take_pack(pack.into())?;
/// let event = r#"{"id":"1","contract":"c","ticket":"T1","kind":"reported","at":"2026-03-02T10:00:00Z"}"#;
/// let results = engine.ingest(vec![Event::from_json(event)?]);
/// assert_eq!(results[0].as_ref().map(Vec::len), Ok(1));
/// assert_eq!(engine.next_due().map(|at| at.to_string()).as_deref(), Some("2026-03-02T12:00:00.000001Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DurableEngine {
    engine: Engine,
    shared: Shared,
    /// The packs that judge, by their digests.
    packs: HashMap<Digest, Arc<Pack>>,
    tip: Tip,
    /// Makes the salts of removable values.
    salt: Salt,
    time: TimeFrom,
    /// Counts steps, to know which tickets were not touched for long.
    step: u64,
    /// How many tickets may be in memory.
    room: usize,
    held: usize,
    /// A correction is not finished.
    is_correcting: bool,
    /// Many steps are one transaction, which is begun and ended outside of them.
    bulk: bool,
    /// The next record as it must be written, when a chain is carried in.
    given: Option<Record>,
}

/// Fills bytes with random ones that nobody can guess.
pub type Salt = Box<dyn FnMut(&mut [u8]) + Send>;

/// Who says what time it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeFrom {
    /// The latest instant told, by an event or by [`DurableEngine::advance`]: for replaying histories.
    Events,
    /// The host alone, by [`DurableEngine::advance`]; events from the future wait for their instant.
    Host,
}

/// Where the log has come to.
#[derive(Clone, Default)]
struct Tip {
    seq: u64,
    link: Option<Digest>,
    rows: RowSum,
    tree: Tree,
    /// The next instant at which time alone changes something.
    next: Option<Instant>,
}

/// The store, which the engine's shelf reads while the engine works.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Store>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Store>> {
        // A panic elsewhere leaves at worst an open transaction, which the next step finds.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a store cannot be opened or a pack cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DurableError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pack in the store is refused by this version of the program.
    #[error("the pack `{digest}` in the store is refused by this version: {faults}")]
    Pack {
        /// The pack's digest.
        digest: Digest,
        /// What is wrong with it.
        faults: PackError,
    },
    /// What the engine refuses.
    #[error(transparent)]
    Engine(#[from] crate::EngineError),
    /// A step that was begun by a version or a process that is gone has to be ended first.
    #[error("{0}")]
    Unfinished(String),
}

impl DurableEngine {
    fn read_head(&self, seq: u64) -> Result<Head, StoreError> {
        let record = self.shared.lock().record(seq)?;
        let record = record.ok_or_else(|| StoreError::damaged(format!("record {seq} is missing")))?;
        serde_json::from_slice(&record.head)
            .map_err(|error| StoreError::damaged(format!("record {seq}: its head cannot be read: {error}")))
    }
}
