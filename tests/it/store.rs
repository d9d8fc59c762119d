//! The durable engine: the same answers as the one in memory, kept through what can happen to a file.

mod simulation;

use std::path::Path;
use std::sync::Arc;

use holdback::store::{Access, MemoryStore, SqliteStore, Store, conformance};
use holdback::{DurableEngine, Engine, Pack, TimeFrom};

/// A pack of one clause: two hours for a repair, 500 yuan for a breach, a deposit without a floor.
pub(crate) fn small_pack() -> Arc<Pack> {
    small_pack_with("500.00", "wed = [[\"09:00\", \"17:00\"]]")
}

/// The same with another price, and other hours for a clock of ten open hours.
pub(crate) fn small_pack_with(price: &str, wednesday: &str) -> Arc<Pack> {
    let pack = format!(
        "format = 1\nname = \"small\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\ncontracts = [\"c\"]\n\
         [facts.who]\ntype = \"text\"\n[facts.kind]\ntype = \"text\"\n[calendars.office.hours]\nmon = [[\"09:00\", \"17:00\"]]\n\
         tue = [[\"09:00\", \"17:00\"]]\n{wednesday}\nthu = [[\"09:00\", \"17:00\"]]\nfri = [[\"09:00\", \"17:00\"]]\n"
    );
    let terms = format!(
        "fine = {{ clause = \"1\", unit = \"CNY\", values = [{{ from = 2020-01-01, value = \"{price}\" }}] }}\n"
    );
    let repair = "//! clause: 1\nfn deadlines(ticket) {\n    [\n        due(\"repair\").within(hours(2)).met_by(\"resolved\"),\n        \
                  due(\"parts\").within(hours(10)).in_calendar(\"office\").met_by(\"resolved\"),\n    ]\n}\n\
                  fn classify(ticket) { if ticket.kind == \"failure\" { free(\"a failure\") } else { paid(\"none\") } }\n\
                  fn penalty(breach) { terms.fine }\n";
    let files = [
        ("pack.toml", pack.as_str()),
        ("terms.toml", &terms),
        ("contract.md", "# [1] Repair\n# [2] Deposit\n"),
        ("clauses/1.rhai", repair),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Pack::from_files(files.into()).unwrap_or_else(|faults| panic!("{faults}")).into()
}

/// What both engines are asked, as JSON.
pub(crate) fn same_answers(model: &Engine, durable: &mut DurableEngine) -> Result<(), String> {
    use serde_json::json;
    let same = |what: String, model: serde_json::Value, durable: serde_json::Value| {
        if model == durable {
            Ok(())
        } else {
            Err(format!("{what}: in memory\n{model:#}\ndurable\n{durable:#}"))
        }
    };
    same("time".into(), json!(model.now()), json!(durable.now()))?;
    same("next due".into(), json!(model.next_due()), json!(durable.next_due()))?;
    let contracts: Vec<&str> = model.contracts().collect();
    for contract in contracts {
        let tickets: Vec<&str> = model.tickets(contract).collect();
        same("tickets".into(), json!(tickets), json!(durable.tickets(contract).unwrap()))?;
        for ticket in tickets {
            let (ours, theirs) =
                (model.assessment(contract, ticket), durable.assessment(contract, ticket).unwrap());
            same(format!("{contract}/{ticket}"), json!(ours), json!(theirs))?;
        }
        let (ours, theirs) = (model.statement(contract), durable.statement(contract).unwrap());
        same(format!("statement of {contract}"), json!(ours), json!(theirs))?;
        let (ours, theirs) =
            (model.contract_assessment(contract), durable.contract_assessment(contract).unwrap());
        same(format!("obligations of {contract}"), json!(ours), json!(theirs))?;
        same(
            format!("ledger of {contract}"),
            json!(model.ledger(contract)),
            json!(durable.ledger(contract).unwrap()),
        )?;
    }
    let waiting: Vec<serde_json::Value> = durable
        .waiting(usize::MAX >> 1)
        .unwrap()
        .iter()
        .map(|(_, text)| serde_json::from_str(text).unwrap())
        .collect();
    same("notices".into(), json!(model.notices()), json!(waiting))
}

/// The same store again, as after a restart.
pub(crate) fn reopened(durable: DurableEngine) -> DurableEngine {
    let store = durable.into_store().expect("nobody else holds it");
    DurableEngine::over(store, TimeFrom::Events).unwrap().with_room(2)
}

/// A fresh engine over a file of a folder.
pub(crate) fn in_file(folder: &Path, time: TimeFrom) -> DurableEngine {
    DurableEngine::create(&folder.join("store.db"), time).unwrap()
}

#[test]
fn the_store_in_memory_conforms() {
    let mut open = |empty: bool| empty.then(|| Box::new(MemoryStore::new()) as Box<dyn Store>);
    assert_eq!(conformance::check(&mut open), Ok(()));
}

#[test]
fn the_store_in_a_file_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let mut n = 0;
    let mut open = |empty: bool| -> Option<Box<dyn Store>> {
        n += u32::from(empty);
        let path = folder.path().join(format!("{n}.db"));
        let store = if empty { SqliteStore::create(&path) } else { SqliteStore::open(&path, Access::Write) };
        Some(Box::new(store.unwrap_or_else(|error| panic!("{error}"))))
    };
    assert_eq!(conformance::check(&mut open), Ok(()));
}

/// A conformance suite is worth something only when it finds what is wrong.
#[test]
fn a_store_that_forgets_does_not_conform() {
    struct Forgets(MemoryStore);
    impl Store for Forgets {
        fn begin(&mut self) -> Result<(), holdback::store::StoreError> {
            self.0.begin()
        }
        fn commit(&mut self) -> Result<(), holdback::store::StoreError> {
            self.0.commit()
        }
        fn rollback(&mut self) {
            // Keeps what it should take back.
            let _ = self.0.commit();
        }
        fn append(&mut self, record: &holdback::store::Record) -> Result<(), holdback::store::StoreError> {
            self.0.append(record)
        }
        fn replace(
            &mut self,
            seq: u64,
            removable: &holdback::store::Removable,
        ) -> Result<(), holdback::store::StoreError> {
            self.0.replace(seq, removable)
        }
        fn record(&self, seq: u64) -> Result<Option<holdback::store::Record>, holdback::store::StoreError> {
            self.0.record(seq)
        }
        fn records(
            &self,
            from: u64,
            most: usize,
        ) -> Result<Vec<holdback::store::Record>, holdback::store::StoreError> {
            self.0.records(from, most)
        }
        fn last(&self) -> Result<u64, holdback::store::StoreError> {
            self.0.last()
        }
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, holdback::store::StoreError> {
            self.0.get(key)
        }
        fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), holdback::store::StoreError> {
            self.0.put(key, value)
        }
        fn remove(&mut self, key: &[u8]) -> Result<(), holdback::store::StoreError> {
            self.0.remove(key)
        }
        fn scan(
            &self,
            from: &[u8],
            until: &[u8],
            most: usize,
        ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, holdback::store::StoreError> {
            self.0.scan(from, until, most)
        }
    }
    let mut open = |empty: bool| empty.then(|| Box::new(Forgets(MemoryStore::new())) as Box<dyn Store>);
    let told = conformance::check(&mut open).unwrap_err();
    assert!(told.starts_with("records: ") || told.starts_with("rollback: "), "{told}");
}
