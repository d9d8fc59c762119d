//! What an altered store looks like: every flipped byte is found, and what was altered is named.

#![expect(clippy::disallowed_methods, reason = "the tests look into the files of stores and damage them")]

use std::fs;
use std::path::Path;

use holdback::store::{Access, MemoryStore, Record, SqliteStore, Store};
use holdback::{DurableEngine, TimeFrom, replay, verify};

use super::{history, in_file, small_pack, times};

/// A closed store with some hundred events in it.
fn closed(folder: &Path) {
    let mut engine = in_file(folder, TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    for events in history(40).chunks(25) {
        assert!(engine.ingest(events.to_vec()).iter().all(Result::is_ok));
    }
    engine.close().unwrap();
}

/// What is found wrong with a file; nothing when it is taken for whole.
fn found(path: &Path) -> Option<String> {
    let store = match SqliteStore::open(path, Access::Read) {
        Ok(store) => store,
        Err(error) => return Some(error.to_string()),
    };
    match verify(&store) {
        Err(error) => Some(error.to_string()),
        Ok(found) if found.is_whole() => None,
        Ok(found) => Some(format!("{:?} {:?}", found.broken, found.faults)),
    }
}

#[test]
fn any_flipped_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    closed(folder.path());
    let path = folder.path().join("store.db");
    assert_eq!(found(&path), None);
    let whole = fs::read(&path).unwrap();
    let (seal, seal_path) =
        (fs::read(folder.path().join("store.db-seal")).unwrap(), folder.path().join("store.db-seal"));
    let mut chance = super::Chance(7);
    let (mut tries, mut unsealed) = (0, 0);
    for _ in 0..200 * times() {
        let mut bytes = whole.clone();
        let at = chance.below(bytes.len());
        bytes[at] ^= 1 << chance.below(8);
        fs::write(&path, &bytes).unwrap();
        fs::write(&seal_path, &seal).unwrap();
        assert!(found(&path).is_some(), "byte {at} was flipped, and nothing was found");
        // How much is found by the chain, the rows and SQLite's own structure, without the seal.
        fs::remove_file(&seal_path).unwrap();
        unsealed += u32::from(found(&path).is_some());
        tries += 1;
    }
    println!("{tries} flips, all found; {unsealed} of them also without the seal");
    // A page is never full; what is not found without the seal are bytes that hold nothing.
    assert!(unsealed * 2 > tries, "{unsealed} of {tries}");
    fs::write(&path, &whole).unwrap();
    fs::write(&seal_path, &seal).unwrap();
    assert_eq!(found(&path), None);
}

/// Somebody who alters the store by SQL, not byte by byte, and takes the seal off.
#[test]
fn records_altered_lost_and_moved_are_named() {
    let folder = tempfile::tempdir().unwrap();
    closed(folder.path());
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path, Access::Read).unwrap();
    let records = store.records(1, 10_000).unwrap();
    let rows = store.scan(b"", &[255; 9], 100_000).unwrap();
    let told = |alter: &dyn Fn(&mut Vec<Record>)| {
        let mut altered = records.clone();
        alter(&mut altered);
        let found = verify(&Altered { records: altered, rows: rows.clone() }).unwrap();
        assert!(!found.is_whole());
        found.broken.iter().map(|broken| broken.seq).collect::<Vec<u64>>()
    };
    assert!(verify(&Altered { records: records.clone(), rows: rows.clone() }).unwrap().is_whole());
    assert_eq!(told(&|records| records[9].head[20] ^= 1)[0], 10, "an altered head");
    assert_eq!(
        told(&|records| records[9].removable.body.as_mut().unwrap()[5] ^= 1),
        [10],
        "an altered event"
    );
    assert_eq!(
        told(&|records| records[9].removable.results = Some(b"{}".to_vec())),
        [10],
        "an altered decision"
    );
    assert_eq!(told(&|records| records[9].removable.salt[0] ^= 1), [10], "an altered salt");
    assert!(told(&|records| drop(records.remove(9))).contains(&11), "a lost record");
    assert!(told(&|records| records.swap(9, 10)).contains(&11), "records in another order");
    // Records lost from the end leave rows that nothing closes over.
    let short = Altered { records: records[..records.len() - 1].to_vec(), rows: rows.clone() };
    assert!(!verify(&short).unwrap().is_whole(), "a truncated log");
    for n in (0..rows.len()).step_by(17) {
        let mut less = rows.clone();
        less.remove(n);
        assert!(
            !verify(&Altered { records: records.clone(), rows: less }).unwrap().is_whole(),
            "row {n} is missing"
        );
    }
}

/// A row that is altered along with the sum over all rows: replaying shows it.
#[test]
fn a_forged_sum_of_money_is_found_by_replaying() {
    let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events).unwrap();
    engine.take_pack(small_pack()).unwrap();
    engine.ingest(history(5));
    let store = engine.into_store().unwrap();
    let (records, mut rows) = (store.records(1, 1000).unwrap(), store.scan(b"", &[255; 9], 100_000).unwrap());
    let row = rows.iter_mut().find(|(key, _)| key[0] == b'l').expect("a ledger entry");
    row.1 = String::from_utf8(row.1.clone()).unwrap().replace("5000.00", "9000.00").into_bytes();
    let altered = Altered { records, rows };
    let mut found = verify(&altered).unwrap();
    assert!(found.faults[0].contains("`verify --replay` names it"), "{found:?}");
    replay(&altered, Box::new(MemoryStore::new()), &mut found).unwrap();
    assert!(found.faults.iter().any(|fault| fault.starts_with("a ledger entry")), "{found:?}");
}

/// Records and rows as somebody left them.
struct Altered {
    records: Vec<Record>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

type Done<T> = Result<T, holdback::store::StoreError>;

impl Store for Altered {
    fn begin(&mut self) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn commit(&mut self) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn rollback(&mut self) {}
    fn append(&mut self, _: &Record) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn replace(&mut self, _: u64, _: &holdback::store::Removable) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn record(&self, seq: u64) -> Done<Option<Record>> {
        Ok(self.records.iter().find(|record| record.seq == seq).cloned())
    }
    fn records(&self, from: u64, most: usize) -> Done<Vec<Record>> {
        // In the order in which they lie, as an altered table would give them.
        Ok(self.records.iter().skip_while(|record| record.seq < from).take(most).cloned().collect())
    }
    fn last(&self) -> Done<u64> {
        Ok(self.records.last().map_or(0, |record| record.seq))
    }
    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        Ok(self.rows.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone()))
    }
    fn put(&mut self, _: &[u8], _: &[u8]) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn remove(&mut self, _: &[u8]) -> Done<()> {
        unreachable!("it is read alone")
    }
    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Done<Vec<(Vec<u8>, Vec<u8>)>> {
        let range = self.rows.iter().filter(|(key, _)| &key[..] >= from && &key[..] < until);
        Ok(range.take(most).cloned().collect())
    }
}
