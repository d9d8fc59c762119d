//! A durable engine opened: where the log has come to and which packs judge. No ticket is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::reading::each;
use super::rows::{self, sort};
use super::writing::{TREE_LEVEL, Writer, head, json, next_wake};
use super::{DurableEngine, DurableError, Salt, Shared, TimeFrom, Tip};
use crate::engine::Engine;
use crate::store::{Digest, HeadKind, Key, Removable, RowSum, Store, StoreError, Tree};
use crate::{EngineError, Instant, Pack};

/// Tickets that may be in memory unless the host says otherwise: some tens of megabytes.
const ROOM: usize = 20_000;

/// A pack as a record holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct PackBody {
    pub(super) files: BTreeMap<String, String>,
    /// Terms set to other values, in the order given.
    pub(super) set: Vec<(String, String)>,
}

impl PackBody {
    pub(super) fn of(pack: &Pack) -> PackBody {
        PackBody { files: pack.files.clone(), set: pack.overrides.clone() }
    }

    pub(super) fn digest(&self) -> Result<Digest, StoreError> {
        Ok(Digest::of(crate::store::Of::Pack, &[&json(self)?]))
    }

    pub(super) fn read(self, digest: Digest) -> Result<Pack, DurableError> {
        let refused = |faults| DurableError::Pack { digest, faults };
        let mut pack = Pack::from_files(self.files).map_err(refused)?;
        for (term, value) in &self.set {
            pack = pack.with_term(term, value).map_err(refused)?;
        }
        Ok(pack)
    }
}

impl Pack {
    /// The digest of its files and of the terms that were set: the same for the same pack anywhere.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written as JSON, which no pack that was read is.
    pub fn digest(&self) -> Result<Digest, StoreError> {
        PackBody::of(self).digest()
    }
}

#[cfg(feature = "sqlite")]
impl DurableEngine {
    /// Makes a new store in a file, without packs and tickets.
    ///
    /// # Errors
    /// [`StoreError`], such as that the file exists.
    pub fn create(path: &std::path::Path, time: TimeFrom) -> Result<DurableEngine, DurableError> {
        DurableEngine::over(Box::new(crate::store::SqliteStore::create(path)?), time)
    }

    /// Opens the store in a file. Costs the packs, whatever the number of tickets.
    ///
    /// # Errors
    /// [`DurableError`]: each says what is wrong and the way out; the file is left as it was.
    pub fn open(path: &std::path::Path) -> Result<DurableEngine, DurableError> {
        use crate::store::{Access, SqliteStore};
        DurableEngine::over(Box::new(SqliteStore::open(path, Access::Write)?), TimeFrom::Events)
    }

    /// Opens the store in a file to ask it alone, also beside its writer; then it answers as the store stood at opening.
    ///
    /// # Errors
    /// [`DurableError`].
    pub fn open_to_read(path: &std::path::Path) -> Result<DurableEngine, DurableError> {
        use crate::store::{Access, SqliteStore};
        DurableEngine::over(Box::new(SqliteStore::open(path, Access::Read)?), TimeFrom::Events)
    }
}

impl DurableEngine {
    /// An engine over a store; `time` counts for one that is empty, else what it was begun with. Without the feature `sqlite` nothing
    /// here makes random bytes: then give some with [`DurableEngine::salted_by`], or erased values could be guessed.
    ///
    /// # Errors
    /// [`DurableError`] when the store cannot be read, or a pack in it is refused.
    pub fn over(store: Box<dyn Store>, time: TimeFrom) -> Result<DurableEngine, DurableError> {
        let shared = Shared(Arc::new(Mutex::new(store)));
        let engine = Engine::on_shelf(Instant::MIN, false, Box::new(shared.clone()));
        let mut durable = DurableEngine {
            engine,
            shared,
            packs: HashMap::new(),
            tip: Tip::default(),
            salt: random(),
            time,
            step: 0,
            room: ROOM,
            held: 0,
            is_correcting: false,
            bulk: false,
            given: None,
        };
        durable.reload()?;
        Ok(durable)
    }

    /// The same with other salts: for tests that must write the same bytes twice. Salts that can be guessed protect nothing.
    #[must_use]
    pub fn salted_by(mut self, salt: Salt) -> DurableEngine {
        self.salt = salt;
        self
    }

    /// The same with room for so many tickets in memory; at least one stays.
    #[must_use]
    pub fn with_room(mut self, tickets: usize) -> DurableEngine {
        self.room = tickets.max(1);
        self
    }

    /// Forgets what is in memory and stands again as the store does.
    pub(super) fn reload(&mut self) -> Result<(), DurableError> {
        let mut now = Instant::MIN;
        let seq = self.shared.lock().last()?;
        self.tip = Tip::default();
        if seq > 0 {
            let head = self.read_head(seq)?;
            now = head.now;
            let store = self.shared.lock();
            let link = store.record(seq)?.map(|record| record.link);
            let tree = tree(&**store, seq)?;
            let next = next_wake(&**store)?;
            self.tip = Tip { seq, link, rows: RowSum::from_digest(head.rows), tree, next };
            let time = store.get(&rows::named(sort::ENGINE, "time").0)?;
            self.time = if time.as_deref() == Some(b"host") { TimeFrom::Host } else { TimeFrom::Events };
        }
        self.held = 0;
        self.find_correction()?;
        self.engine = Engine::on_shelf(now, self.time == TimeFrom::Host, Box::new(self.shared.clone()));
        let mut contracts: Vec<(String, Digest)> = Vec::new();
        each(&**self.shared.lock(), &Key::new(sort::CONTRACT), &mut |_, value| {
            let (pack, id) = rows::read_contract(value)?;
            contracts.push((id.to_owned(), pack));
            Ok(())
        })?;
        for (id, digest) in contracts {
            let pack = self.pack_of(digest)?;
            self.engine.shelve(&id, pack);
        }
        Ok(())
    }

    pub(super) fn pack_of(&mut self, digest: Digest) -> Result<Arc<Pack>, DurableError> {
        if let Some(known) = self.packs.get(&digest) {
            return Ok(Arc::clone(known));
        }
        let store = self.shared.lock();
        let missing = || StoreError::damaged(format!("the pack `{digest}` is not in the store"));
        let seq = rows::read_seq(&store.get(&rows::named_digest(digest).0)?.ok_or_else(missing)?)?;
        let body = store.record(seq)?.and_then(|record| record.removable.body).ok_or_else(missing)?;
        drop(store);
        let body: PackBody = serde_json::from_slice(&body).map_err(|error| {
            StoreError::damaged(format!("record {seq}: its pack cannot be read: {error}"))
        })?;
        if body.digest()? != digest {
            return Err(StoreError::damaged(format!("record {seq}: its pack is not `{digest}`")).into());
        }
        let pack = Arc::new(body.read(digest)?);
        self.packs.insert(digest, Arc::clone(&pack));
        Ok(pack)
    }

    /// Takes a pack for all the contracts it names, and writes it into the store.
    ///
    /// # Errors
    /// [`EngineError::Open`] when one of them is open already; [`StoreError`]. Nothing is taken then.
    pub fn take_pack(&mut self, pack: Arc<Pack>) -> Result<Vec<crate::Decision>, DurableError> {
        let contracts = pack.contracts.clone();
        self.take_pack_as(&contracts, pack)
    }

    /// Takes a pack for these contracts, whatever ids the pack itself names.
    ///
    /// # Errors
    /// As [`DurableEngine::take_pack`].
    pub fn take_pack_as(
        &mut self,
        contracts: &[String],
        pack: Arc<Pack>,
    ) -> Result<Vec<crate::Decision>, DurableError> {
        for (n, contract) in contracts.iter().enumerate() {
            let again = contracts.iter().take(n).any(|before| before == contract);
            if again || self.engine.place(contract).is_some() {
                return Err(EngineError::Open(contract.clone()).into());
            }
        }
        self.shared.lock().begin()?;
        let taken = self.write_pack(contracts, pack);
        let taken = taken.and_then(|decisions| Ok(self.shared.lock().commit().map(|()| decisions)?));
        if taken.is_err() {
            self.shared.lock().rollback();
            self.reload()?;
        }
        taken
    }

    fn write_pack(
        &mut self,
        contracts: &[String],
        pack: Arc<Pack>,
    ) -> Result<Vec<crate::Decision>, DurableError> {
        let body = PackBody::of(&pack);
        let digest = body.digest()?;
        let body = json(&body)?;
        let mut decisions = Vec::new();
        for (n, contract) in contracts.iter().enumerate() {
            let mut told = self.write_contract(contract, &pack, digest, (n == 0).then_some(&body))?;
            decisions.append(&mut told);
        }
        self.packs.insert(digest, pack);
        Ok(decisions)
    }

    /// A contract and its pack once more, as a record says, without the events that came with it: they have records too.
    pub(super) fn again_pack(
        &mut self,
        contract: &str,
        pack: &Arc<Pack>,
        digest: Digest,
        body: Option<&Vec<u8>>,
    ) -> Result<(), DurableError> {
        if self.engine.place(contract).is_some() {
            return Err(EngineError::Open(contract.to_owned()).into());
        }
        self.begin_contract(contract, pack, digest, body)
    }

    /// A record for the contract, and one for each event that comes with its pack. The first record of a pack holds its files.
    fn write_contract(
        &mut self,
        contract: &str,
        pack: &Arc<Pack>,
        digest: Digest,
        body: Option<&Vec<u8>>,
    ) -> Result<Vec<crate::Decision>, DurableError> {
        self.begin_contract(contract, pack, digest, body)?;
        let mut decisions = Vec::new();
        for event in pack.opening_events(contract) {
            match self.take(event, false) {
                Err(error @ EngineError::Store(_)) => return Err(error.into()),
                told => decisions.append(&mut told?),
            }
        }
        Ok(decisions)
    }

    fn begin_contract(
        &mut self,
        contract: &str,
        pack: &Arc<Pack>,
        digest: Digest,
        body: Option<&Vec<u8>>,
    ) -> Result<(), DurableError> {
        self.engine.shelve(contract, Arc::clone(pack));
        let place = self.engine.place(contract).unwrap_or_default();
        {
            let shared = self.shared.clone();
            let mut store = shared.lock();
            let mut to = Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
            to.add(&rows::at(sort::CONTRACT, place), &rows::contract_row(digest, contract))?;
            to.add(&rows::named(sort::CONTRACT_ID, contract), &rows::number(place).to_be_bytes())?;
            let known = to.store.get(&rows::named_digest(digest).0)?.is_some();
            if !known {
                let seq = to.tip.seq + 1;
                to.add(&rows::named_digest(digest), &seq.to_be_bytes())?;
            }
        }
        self.engine.begin_contract(place);
        self.engine.take_fault()?;
        let mut head = head(HeadKind::Pack, self.engine.now());
        head.contract = Some(contract.to_owned());
        head.pack = Some(digest);
        Ok(self.write_step(head, None, body.cloned(), &[])?)
    }
}

/// The tree over the first records.
pub(super) fn tree(store: &dyn Store, size: u64) -> Result<Tree, StoreError> {
    let low = size & ((1 << TREE_LEVEL) - 1);
    let whole = size - low;
    let mut peaks = Vec::new();
    for level in (TREE_LEVEL..u64::BITS).rev().filter(|level| whole >> level & 1 == 1) {
        peaks.push(subtree(store, level, (whole >> level) - 1)?);
    }
    let mut tree = Tree::of_peaks(whole, peaks);
    for record in store.records(whole + 1, usize::try_from(low).unwrap_or_default())? {
        tree.push(record.link);
    }
    Ok(tree)
}

/// The root of a whole subtree.
pub(super) fn subtree(store: &dyn Store, level: u32, at: u64) -> Result<Digest, StoreError> {
    if level < TREE_LEVEL {
        let mut tree = Tree::default();
        for record in store.records((at << level) + 1, 1 << level)? {
            tree.push(record.link);
        }
        return Ok(tree.root());
    }
    let root = store.get(&rows::node(level, at).0)?;
    let root = root.and_then(|root| Digest::from_slice(&root));
    root.ok_or_else(|| StoreError::damaged(format!("the tree's node {at} of level {level} is missing")))
}

#[cfg(feature = "sqlite")]
fn random() -> Salt {
    Box::new(|bytes| {
        if getrandom::fill(bytes).is_err() {
            // Without a source of chance a salt is at least no constant; erasing is refused then by its length.
            bytes.fill(0);
        }
    })
}

#[cfg(not(feature = "sqlite"))]
fn random() -> Salt {
    Box::new(|bytes| bytes.fill(0))
}

/// What a record keeps, when it must be put together again.
pub(super) type Kept = Removable;
