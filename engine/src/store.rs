//! Where a durable engine keeps what it was told and what came of it: a log of records in a hash chain, and rows that are
//! found by key.
//!
//! A store knows nothing of contracts. It appends [`Record`]s that are never changed, keeps rows in the order of their keys, and
//! does both in transactions that happen whole or not at all. What the bytes mean is said by the durable engine; that they are
//! the bytes that were written is proved by the chain ([`Head`], [`Digest`]), by the tree over it ([`Tree`]) and by a sum over all
//! rows that every record carries.

mod chain;
mod checkpoint;
pub mod conformance;
mod digest;
mod fault;
mod memory;
mod packed;
mod rows;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(feature = "sqlite")]
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tree;

pub(crate) use chain::Walk;
pub use chain::{Broken, Head, HeadKind, Removable, chain_start, link};
pub use checkpoint::{Checkpoint, CheckpointError, SigningKey};
pub(crate) use digest::Of;
pub use digest::{Digest, RowSum};
pub use fault::StoreError;
pub use memory::MemoryStore;
pub use packed::PackedRows;
pub(crate) use rows::{Key, Reader, put_text};
#[cfg(feature = "sqlite")]
pub use seal::Sealed;
#[cfg(feature = "sqlite")]
pub use sqlite::{Access, SqliteStore};
pub use tree::{Tree, consistent, included};
pub(crate) use tree::{consistency_proof, inclusion_proof};

/// One step of a durable engine, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log, from 1, without gaps.
    pub seq: u64,
    /// What the chain rests on: a [`Head`] as JSON. Never changed.
    pub head: Vec<u8>,
    /// The chain up to and with this record: [`link`] of the one before and `head`.
    pub link: Digest,
    /// What may be removed later; the head holds salted digests of it.
    pub removable: Removable,
}

/// A row: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What a look at a store's own structure finds, in plain sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// What is wrong.
    pub faults: Vec<String>,
    /// What could not be looked at, or is worth knowing.
    pub remarks: Vec<String>,
}

/// A log of records and rows by key, in transactions.
///
/// All rows and records written between [`Store::begin`] and [`Store::commit`] are there together after a crash, or none is. Reads
/// see what the open transaction has written. One transaction at a time. [`conformance::check`] tries all of this on a store.
pub trait Store: Send {
    /// Begins a transaction.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written, or one is open already.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Makes the transaction last: when this returns, a pulled plug loses none of it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the transaction is kept.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Takes back what the open transaction wrote. Without one it does nothing.
    fn rollback(&mut self);

    /// Writes a record after the last one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its number is not the next one.
    fn append(&mut self, record: &Record) -> Result<(), StoreError>;

    /// Puts something else in the place of what a record holds removable. Its head and link stay.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when there is no such record.
    fn replace(&mut self, seq: u64, removable: &Removable) -> Result<(), StoreError>;

    /// One record.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn record(&self, seq: u64) -> Result<Option<Record>, StoreError>;

    /// Up to so many records in their order, from a number on.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn records(&self, from: u64, most: usize) -> Result<Vec<Record>, StoreError>;

    /// The number of the last record; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn last(&self) -> Result<u64, StoreError>;

    /// A row.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a row, whether or not there is one with that key.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes a row; one that is not there is no fault.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError>;

    /// Up to so many rows in the order of their keys, from one key to before another.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<Row>, StoreError>;

    /// The same as [`Store::scan`] in one piece of memory. A store that can spare copies says how.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn scan_packed(&self, from: &[u8], until: &[u8], most: usize) -> Result<PackedRows, StoreError> {
        Ok(self.scan(from, until, most)?.into_iter().collect())
    }

    /// Looks at the store's own structure and at bytes that hold no record and no row. A store that has none is sound.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn inspect(&self) -> Result<Inspection, StoreError> {
        Ok(Inspection::default())
    }

    /// The same records and rows as they stand now, for a reader beside the writer; nothing for a store that cannot be opened twice.
    fn place(&self) -> Option<&std::path::Path> {
        None
    }

    /// Whether somebody else has written to the store since this was asked last.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn written_by_others(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// What is left to do before the store is left alone: a file is made one file again and sealed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing that was committed is lost by it.
    fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
