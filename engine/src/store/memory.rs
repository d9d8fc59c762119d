//! A store in memory: for tests, and for engines that are to be exported and not kept.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Record, Removable, Store, StoreError};

/// Records and rows in memory. Lasts as long as the process.
#[derive(Default)]
pub struct MemoryStore {
    records: Vec<Record>,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// How to take back what the open transaction wrote, the last first.
    undo: Option<Vec<Undo>>,
}

enum Undo {
    Appended,
    Replaced(usize, Removable),
    Row(Vec<u8>, Option<Vec<u8>>),
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn write(&mut self) -> Result<&mut Vec<Undo>, StoreError> {
        self.undo.as_mut().ok_or_else(|| failed("nothing can be written outside of a transaction"))
    }
}

fn failed(reason: &str) -> StoreError {
    StoreError::Failed { path: "memory".to_owned(), reason: reason.to_owned() }
}

fn place(seq: u64) -> usize {
    usize::try_from(seq).unwrap_or(usize::MAX).saturating_sub(1)
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        if self.undo.is_some() {
            return Err(failed("a transaction is open already"));
        }
        self.undo = Some(Vec::new());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.undo.take().map(|_| ()).ok_or_else(|| failed("no transaction is open"))
    }

    fn rollback(&mut self) {
        for undo in self.undo.take().into_iter().flatten().rev() {
            match undo {
                Undo::Appended => {
                    self.records.pop();
                }
                Undo::Replaced(place, removable) => {
                    if let Some(record) = self.records.get_mut(place) {
                        record.removable = removable;
                    }
                }
                Undo::Row(key, Some(value)) => {
                    self.rows.insert(key, value);
                }
                Undo::Row(key, None) => {
                    self.rows.remove(&key);
                }
            }
        }
    }

    fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let next = self.records.len() as u64 + 1;
        if record.seq != next {
            return Err(StoreError::damaged(format!("record {} comes where {next} is due", record.seq)));
        }
        self.write()?.push(Undo::Appended);
        self.records.push(record.clone());
        Ok(())
    }

    fn replace(&mut self, seq: u64, removable: &Removable) -> Result<(), StoreError> {
        self.write()?;
        let missing = || StoreError::damaged(format!("record {seq} is not there"));
        let record = self.records.get_mut(place(seq)).filter(|_| seq > 0).ok_or_else(missing)?;
        let before = std::mem::replace(&mut record.removable, removable.clone());
        self.write()?.push(Undo::Replaced(place(seq), before));
        Ok(())
    }

    fn record(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        Ok(self.records.get(place(seq)).filter(|_| seq > 0).cloned())
    }

    fn records(&self, from: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        Ok(self.records.iter().skip(place(from)).take(most).cloned().collect())
    }

    fn last(&self) -> Result<u64, StoreError> {
        Ok(self.records.len() as u64)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write()?;
        let before = self.rows.insert(key.to_vec(), value.to_vec());
        self.write()?.push(Undo::Row(key.to_vec(), before));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.write()?;
        let before = self.rows.remove(key);
        self.write()?.push(Undo::Row(key.to_vec(), before));
        Ok(())
    }

    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        if from >= until {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(until));
        let rows = self.rows.range::<[u8], _>(range).take(most);
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
