//! What every store must do, tried on one. A store of another database calls [`check`] from its own tests.

use super::{Digest, Record, Removable, Row, Store, StoreError, chain_start, link};

/// Opens the store under test: `true` asks for an empty one, `false` for the same one again, as after a restart. A store that
/// does not outlive its value gives nothing then.
pub type Open<'a> = &'a mut dyn FnMut(bool) -> Option<Box<dyn Store>>;

/// Tries a store.
///
/// # Errors
/// The first thing that it does wrong, in words.
///
/// ```
/// use holdback::store::{MemoryStore, Store, conformance};
/// let mut open = |empty: bool| empty.then(|| Box::new(MemoryStore::new()) as Box<dyn Store>);
/// assert_eq!(conformance::check(&mut open), Ok(()));
/// ```
pub fn check(open: Open<'_>) -> Result<(), String> {
    let trials: [(&str, Trial); 7] = [
        ("rows", rows),
        ("scans", scans),
        ("records", records),
        ("replacing", replacing),
        ("rollback", rollback),
        ("transactions", transactions),
        ("restart", restart),
    ];
    for (name, trial) in trials {
        trial(open).map_err(|Wrong(what)| format!("{name}: {what}"))?;
    }
    Ok(())
}

struct Wrong(String);

type Trial = fn(Open<'_>) -> Result<(), Wrong>;

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Wrong {
        Wrong(error.to_string())
    }
}

fn expect(holds: bool, what: &str) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(Wrong(what.to_owned())) }
}

fn fresh(open: Open<'_>) -> Result<Box<dyn Store>, Wrong> {
    open(true).ok_or_else(|| Wrong("no empty store could be opened".to_owned()))
}

/// A record that fits after others.
fn record(seq: u64, before: Digest) -> Record {
    let head = format!("{{\"seq\":{seq},\"zero\":\"\\u0000\"}}").into_bytes();
    let link = link(before, &head);
    let removable = Removable {
        salt: vec![7; 16],
        body: Some(vec![0, 255, b'\'', b'"']),
        results: seq.is_multiple_of(2).then(Vec::new),
    };
    Record { seq, head, link, removable }
}

fn chain(n: u64) -> Vec<Record> {
    let mut before = chain_start();
    let next = |seq| {
        let record = record(seq, before);
        before = record.link;
        record
    };
    (1..=n).map(next).collect()
}

fn rows(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    expect(store.get(b"a")?.is_none(), "an empty store has a row")?;
    store.begin()?;
    store.put(b"a", b"")?;
    store.put(&[0, 255, 0], &[255; 3000])?;
    expect(store.get(b"a")?.as_deref() == Some(b""), "an empty value is no missing row")?;
    store.put(b"a", b"2")?;
    expect(store.get(b"a")?.as_deref() == Some(b"2"), "the open transaction's rows are not seen")?;
    store.remove(b"a")?;
    store.remove(b"not there")?;
    store.commit()?;
    expect(store.get(b"a")?.is_none(), "a removed row is there")?;
    expect(store.get(&[0, 255, 0])?.as_deref() == Some(&[255; 3000]), "bytes do not come back as they were")
}

fn scans(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    store.begin()?;
    let keys: [&[u8]; 6] = [b"b", b"a\xff", b"a", b"a\x00", b"\xff\xff", b"aa"];
    for key in keys {
        store.put(key, key)?;
    }
    let found =
        |rows: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<Vec<u8>> { rows.into_iter().map(|(key, _)| key).collect() };
    let expected: Vec<Vec<u8>> = [&b"a"[..], b"a\x00", b"aa", b"a\xff"].map(<[u8]>::to_vec).into();
    expect(found(store.scan(b"a", b"b", 100)?) == expected, "a scan is not in the order of the bytes")?;
    expect(
        found(store.scan(b"a", b"b", 2)?) == expected.get(..2).unwrap_or_default(),
        "a scan gives more than asked",
    )?;
    expect(store.scan(b"b", b"a", 9)?.is_empty(), "a scan backwards gives something")?;
    for most in [2, 100] {
        let packed = store.scan_packed(b"a", b"b", most)?;
        let packed: Vec<Row> = packed.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        expect(packed == store.scan(b"a", b"b", most)?, "a packed scan gives other rows")?;
    }
    expect(store.scan(b"", &[255; 9], 100)?.len() == 6, "a scan of all rows misses some")?;
    store.commit()?;
    Ok(())
}

fn records(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    let chain = chain(5);
    expect(store.last()? == 0 && store.record(1)?.is_none(), "an empty store has a record")?;
    store.begin()?;
    for record in &chain {
        store.append(record)?;
    }
    expect(store.last()? == 5, "the last number is not that of the last record")?;
    store.commit()?;
    for record in &chain {
        expect(store.record(record.seq)?.as_ref() == Some(record), "a record does not come back as it was")?;
    }
    expect(
        store.records(2, 3)? == chain.get(1..4).unwrap_or_default(),
        "records from a number on are others",
    )?;
    expect(
        store.records(5, 10)?.len() == 1 && store.records(6, 10)?.is_empty(),
        "records beyond the last one",
    )?;
    expect(store.record(0)?.is_none() && store.record(6)?.is_none(), "a record is there that is not")?;
    store.begin()?;
    let gap = Record { seq: 7, ..record(6, chain_start()) };
    expect(store.append(&gap).is_err(), "a gap in the numbers is taken")?;
    store.rollback();
    expect(store.last()? == 5, "a refused record is counted")
}

fn replacing(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    let chain = chain(3);
    store.begin()?;
    for record in &chain {
        store.append(record)?;
    }
    let other = Removable { salt: vec![9; 16], body: None, results: Some(b"[]".to_vec()) };
    store.replace(2, &other)?;
    expect(store.replace(4, &other).is_err(), "a record that is not there is replaced")?;
    store.commit()?;
    let replaced = store.record(2)?;
    let kept = chain.get(1).map(|record| Record { removable: other, ..record.clone() });
    expect(replaced == kept, "replacing touches more than what is removable")
}

fn rollback(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    let chain = chain(3);
    store.begin()?;
    store.put(b"kept", b"1")?;
    for record in chain.iter().take(2) {
        store.append(record)?;
    }
    store.commit()?;
    store.begin()?;
    store.put(b"kept", b"2")?;
    store.put(b"new", b"")?;
    for record in chain.iter().skip(2) {
        store.append(record)?;
    }
    store.replace(1, &Removable::default())?;
    store.remove(b"kept")?;
    store.rollback();
    expect(store.get(b"kept")?.as_deref() == Some(b"1"), "a row is not as before the transaction")?;
    expect(store.get(b"new")?.is_none(), "a new row stays")?;
    expect(store.last()? == 2, "a new record stays")?;
    expect(store.record(1)?.as_ref() == chain.first(), "a replaced part stays replaced")?;
    store.rollback();
    store.begin()?;
    store.put(b"new", b"3")?;
    store.commit()?;
    expect(store.get(b"new")?.as_deref() == Some(b"3"), "nothing can be written after a rollback")
}

fn transactions(open: Open<'_>) -> Result<(), Wrong> {
    let mut store = fresh(open)?;
    expect(store.put(b"a", b"").is_err(), "a row is written outside of a transaction")?;
    expect(store.remove(b"a").is_err(), "a row is removed outside of a transaction")?;
    expect(store.append(&record(1, chain_start())).is_err(), "a record is written outside of a transaction")?;
    expect(store.commit().is_err(), "what never began is committed")?;
    store.begin()?;
    expect(store.begin().is_err(), "a second transaction begins in the first")?;
    store.commit()?;
    Ok(())
}

fn restart(open: Open<'_>) -> Result<(), Wrong> {
    let chain = chain(3);
    {
        let mut store = fresh(open)?;
        store.begin()?;
        store.put(b"a", b"1")?;
        for record in &chain {
            store.append(record)?;
        }
        store.commit()?;
        store.begin()?;
        store.put(b"b", b"2")?;
        // Dropped with an open transaction, as when the process ends.
    }
    let Some(mut store) = open(false) else { return Ok(()) };
    expect(store.get(b"a")?.as_deref() == Some(b"1"), "what was committed is lost")?;
    expect(store.get(b"b")?.is_none(), "what was not committed is there")?;
    expect(store.records(1, 10)? == chain, "records are others after a restart")?;
    expect(store.inspect()?.faults.is_empty(), "a sound store is found to be damaged")?;
    store.close()?;
    Ok(())
}
