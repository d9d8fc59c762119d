//! A store proved whole: the chain, the tree, what is removable, the rows; and, if wanted, every answer made anew.

mod prover;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::open::PackBody;
use super::rows::{self, sort};
use super::{DurableEngine, DurableError, TimeFrom};
use crate::store::{Broken, Digest, Head, HeadKind, Record, RowSum, Store, StoreError};
use crate::{EngineError, Event};
use prover::{Node, Part, prove};

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// How many records there are.
    pub records: u64,
    /// How many rows.
    pub rows: u64,
    /// The root of the tree over the records.
    pub root: Option<Digest>,
    /// How many answers were made anew.
    pub replayed: u64,
    /// Records that are not what was written.
    pub broken: Vec<Broken>,
    /// What else is wrong.
    pub faults: Vec<String>,
    /// What could not be looked at, or is worth knowing.
    pub remarks: Vec<String>,
}

impl Verified {
    /// Nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty() && self.faults.is_empty()
    }
}

/// What an erasing record says in its head.
#[derive(Serialize, Deserialize)]
pub(super) struct Erasure {
    /// The record of which something was removed.
    pub(super) record: u64,
    /// The names of what was removed.
    pub(super) removed: Vec<String>,
    /// The digests of what is left.
    pub(super) body: Option<Digest>,
    pub(super) results: Option<Digest>,
}

/// The digests that stand in the place of those in a head.
pub(super) type Left = (Option<Digest>, Option<Digest>);

/// Broken records that are named; the rest is counted.
const NAMED: usize = 100;

/// Proves a store: every record is the one that was written, none is missing, and the rows are those that the last record
/// closes over. Costs a reading of the whole store, and memory for what was erased alone. What is read is hashed in a second thread,
/// which ends with this.
///
/// # Errors
/// [`StoreError`] when the store cannot be read at all; damage is told in the answer.
pub fn verify(store: &dyn Store) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    let inspected = store.inspect()?;
    (found.faults, found.remarks) = (inspected.faults, inspected.remarks);
    let faults = &mut found.faults;
    let mut rows_read = true;
    let (prover, nodes) = prove(&mut |take| {
        let mut next = 1;
        loop {
            let part = match store.records(next, 2000) {
                Ok(part) => part,
                Err(error) => {
                    faults.push(format!("records from {next} on cannot be read: {error}"));
                    break;
                }
            };
            let full = part.len() == 2000;
            next = part.last().map_or(next, |record| record.seq.saturating_add(1));
            compare_nodes(store, take(Part::Records(part)), faults)?;
            if !full {
                break;
            }
        }
        let (mut from, until) = (Vec::new(), [u8::MAX; 9]);
        loop {
            let part = match store.scan_packed(&from, &until, 4096) {
                Ok(part) => part,
                Err(error) => {
                    faults.push(format!("rows cannot be read: {error}"));
                    rows_read = false;
                    return Ok(());
                }
            };
            let last = part.iter().last().filter(|_| part.len() == 4096).map(|(key, _)| key.to_vec());
            compare_nodes(store, take(Part::Rows(part)), faults)?;
            let Some(key) = last else { return Ok(()) };
            from = key;
            from.push(0);
        }
    })?;
    compare_nodes(store, nodes, faults)?;
    (found.records, found.rows, found.root) = (prover.records, prover.rows, Some(prover.tree.root()));
    found.broken = prover.broken;
    let closes_over = prover.closes_over.unwrap_or_else(|| RowSum::default().digest());
    if rows_read && prover.sum.digest() != closes_over {
        let what = "the rows (tickets, ledger, notices, due instants) are not those that the last record closes over: \
                    one was altered, lost or added; `verify --replay` names it";
        found.faults.push(what.to_owned());
    }
    if found.broken.len() > NAMED {
        found.faults.push(format!("{} more records are broken", found.broken.len() - NAMED));
        found.broken.truncate(NAMED);
    }
    Ok(found)
}

/// Compares nodes of the tree, as the records have it, with those that are stored.
fn compare_nodes(store: &dyn Store, nodes: Vec<Node>, faults: &mut Vec<String>) -> Result<(), StoreError> {
    for (level, at, root) in nodes {
        if store.get(&rows::node(level, at).0)?.as_deref() != Some(&root.0[..]) {
            faults.push(format!("the tree's node {at} of level {level} is not that of the records"));
        }
    }
    Ok(())
}

pub(super) fn erasures(head: &Head) -> Option<Vec<Erasure>> {
    serde_json::from_str(head.note.as_ref()?.get()).ok()
}

/// Makes every answer anew, from the events alone, into an empty store, and compares: each record's head and, at the end, every
/// row. So what stands in the store is not only what was written, but what the packs say of what was told.
///
/// # Errors
/// [`DurableError`] when the store cannot be read, or holds a pack that this version refuses.
pub fn replay(store: &dyn Store, into: Box<dyn Store>, found: &mut Verified) -> Result<(), DurableError> {
    let (mut from, mut engine) = (1, None);
    let mut into = Some(into);
    let salts = Arc::new(Mutex::new(Vec::new()));
    let mut erased: BTreeMap<u64, Left> = BTreeMap::new();
    let mut waiting: Vec<(Record, Head)> = Vec::new();
    loop {
        let part = store.records(from, 500)?;
        let Some(last) = part.last() else { break };
        from = last.seq + 1;
        for record in part {
            let Ok(head) = serde_json::from_slice::<Head>(&record.head) else {
                found
                    .remarks
                    .push(format!("record {} cannot be read: the replay ends before it", record.seq));
                return Ok(());
            };
            for erasure in
                (head.kind == HeadKind::Erased).then(|| erasures(&head)).flatten().unwrap_or_default()
            {
                erased.insert(erasure.record, (erasure.body, erasure.results));
            }
            let engine = match &mut engine {
                Some(engine) => engine,
                none => {
                    let Some(into) = into.take() else { return Ok(()) };
                    let salts = Arc::clone(&salts);
                    let mut begun = begun(into, &head)?.salted_by(Box::new(move |bytes| {
                        let salt: Vec<u8> =
                            salts.lock().map(|mut salts| std::mem::take(&mut *salts)).unwrap_or_default();
                        bytes.iter_mut().zip(salt).for_each(|(byte, salt)| *byte = salt);
                    }));
                    // Many steps are one transaction; what is given up is given up whole.
                    begun.shared.lock().begin()?;
                    begun.bulk = true;
                    none.insert(begun)
                }
            };
            // A record that a step before has made already: an event that came with a pack.
            if engine.tip.seq < record.seq {
                if let Ok(mut salts) = salts.lock() {
                    salts.clone_from(&record.removable.salt);
                }
                again(engine, &record, &head)?;
            }
            found.replayed += 1;
            waiting.push((record, head));
            if waiting.len() >= 500 {
                compare(engine, &mut waiting, &erased, found)?;
                engine.shared.lock().commit()?;
                engine.let_go();
                engine.shared.lock().begin()?;
            }
            if found.broken.len() > NAMED {
                return Ok(());
            }
        }
    }
    if let Some(mut engine) = engine {
        compare(&mut engine, &mut waiting, &erased, found)?;
        compare_rows(store, &engine, found)?;
    }
    Ok(())
}

/// An engine over an empty store, of which the first record will be this.
pub(super) fn begun(into: Box<dyn Store>, head: &Head) -> Result<DurableEngine, DurableError> {
    let time = if head.told.as_deref() == Some("live") { TimeFrom::Host } else { TimeFrom::Events };
    DurableEngine::over(into, time)
}

/// Does again what a record writes down.
pub(super) fn again(engine: &mut DurableEngine, record: &Record, head: &Head) -> Result<(), DurableError> {
    let unreadable = |what: &str| StoreError::damaged(format!("record {}: {what}", record.seq));
    let told = match head.kind {
        HeadKind::Event => {
            let body = record.removable.body.as_deref().unwrap_or_default();
            let event: Event =
                serde_json::from_slice(body).map_err(|_| unreadable("its event cannot be read"))?;
            engine.begin()?;
            let moves_time = engine.time == TimeFrom::Events && !engine.is_opening(&event);
            let told = engine.take(event, moves_time).map(|_| ());
            engine.commit().map_err(EngineError::Store).and(told)
        }
        HeadKind::Advance => engine.advance(head.at.unwrap_or(head.now)).map(|_| ()),
        HeadKind::Handed => {
            let numbers =
                head.note.as_ref().and_then(|note| serde_json::from_str::<Vec<u64>>(note.get()).ok());
            engine.handed_over(&numbers.ok_or_else(|| unreadable("its numbers cannot be read"))?)
        }
        HeadKind::Pack => {
            let digest = head.pack.ok_or_else(|| unreadable("it names no pack"))?;
            if let Some(body) = &record.removable.body {
                let body: PackBody =
                    serde_json::from_slice(body).map_err(|_| unreadable("its pack cannot be read"))?;
                let pack = Arc::new(body.read(digest)?);
                engine.packs.insert(digest, pack);
            }
            let pack =
                engine.packs.get(&digest).cloned().ok_or_else(|| unreadable("its pack is not there"))?;
            engine.begin()?;
            let contract = head.contract.clone().unwrap_or_default();
            engine.again_pack(&contract, &pack, digest, record.removable.body.as_ref())?;
            engine.commit().map_err(EngineError::Store)
        }
        HeadKind::Erased => engine.erased_again(head).map_err(EngineError::Store),
        HeadKind::Corrected => return engine.corrected_again(record, head),
    };
    match told {
        // Books that cannot follow were told so then, too.
        Ok(()) | Err(EngineError::Ledger(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Compares records with those made anew.
fn compare(
    engine: &mut DurableEngine,
    waiting: &mut Vec<(Record, Head)>,
    erased: &BTreeMap<u64, Left>,
    found: &mut Verified,
) -> Result<(), StoreError> {
    for (record, head) in waiting.drain(..) {
        let seq = record.seq;
        let made = engine.shared.lock().record(seq)?;
        let Some(made) = made else {
            found
                .broken
                .push(Broken { seq, what: "it does not follow from what was told before it".to_owned() });
            continue;
        };
        if made.head == record.head {
            continue;
        }
        // What rests on erased values cannot be made anew to the byte.
        let plain = |mut head: Head| {
            (head.body, head.results) = (None, None);
            serde_json::to_vec(&head).unwrap_or_default()
        };
        let anew = serde_json::from_slice::<Head>(&made.head).map(plain).unwrap_or_default();
        if !erased.contains_key(&seq) || anew != plain(head) {
            let what = "what it says was decided, posted or due is not what its pack says of what was told";
            found.broken.push(Broken { seq, what: what.to_owned() });
        }
    }
    Ok(())
}

/// Compares all rows with those made anew.
fn compare_rows(store: &dyn Store, engine: &DurableEngine, found: &mut Verified) -> Result<(), StoreError> {
    let made = engine.shared.lock();
    let (mut from, until) = (Vec::new(), [u8::MAX; 9]);
    let mut named = 0;
    loop {
        // The tree follows from the links, which stand in the chain; those of erased records cannot be made anew.
        let plain = |rows: Vec<(Vec<u8>, Vec<u8>)>| -> Vec<(Vec<u8>, Vec<u8>)> {
            let value = |key: &[u8], value| if key.first() == Some(&sort::TREE) { Vec::new() } else { value };
            rows.into_iter().map(|(key, row)| (key.clone(), value(&key, row))).collect()
        };
        let (is, should) = (store.scan(&from, &until, 4096)?, made.scan(&from, &until, 4096)?);
        let (is, should) = (plain(is), plain(should));
        if is == should {
            let full = is.len() == 4096;
            let Some((key, _)) = is.into_iter().last().filter(|_| full) else { return Ok(()) };
            from = key;
            from.push(0);
            continue;
        }
        let Some(first) =
            is.iter().zip(&should).position(|(is, should)| is != should).or(Some(is.len().min(should.len())))
        else {
            return Ok(());
        };
        let keys = [is.get(first), should.get(first)].map(|row| row.map(|(key, _)| key));
        let Some(key) = keys.into_iter().flatten().min().cloned() else { return Ok(()) };
        found.faults.push(format!("{} is not what follows from the records", rows::say(&key)));
        named += 1;
        if named == NAMED {
            return Ok(());
        }
        from = key;
        from.push(0);
    }
}

impl DurableEngine {
    /// Proves the store of this engine, as [`verify`] does; with `replay` every answer is made anew in memory as well.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read.
    pub fn verify(&self, with_replay: bool) -> Result<Verified, DurableError> {
        let store = self.shared.lock();
        let mut found = verify(&**store)?;
        if with_replay {
            replay(&**store, Box::new(crate::store::MemoryStore::new()), &mut found)?;
        }
        Ok(found)
    }

    /// An event that came with a pack: it is no sign that time has passed.
    fn is_opening(&self, event: &Event) -> bool {
        let pack = self.engine.pack(&event.contract);
        pack.is_some_and(|pack| {
            pack.opening_events(&event.contract).iter().any(|opening| opening.id == event.id)
        })
    }
}
