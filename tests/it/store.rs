//! The durable engine: the same answers as the one in memory, kept through what can happen to a file.

mod chain;
mod crashes;
mod faults;
mod kill;
mod own;
mod proofs;
mod restarts;
mod simulation;
mod upkeep;

use std::path::Path;
use std::sync::Arc;

use holdback::store::{Access, MemoryStore, SqliteStore, Store, conformance};
use holdback::{DurableEngine, Engine, Event, Instant, Pack, TimeFrom};

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
        let mut lines = Vec::new();
        let mut tell = |line| {
            lines.push(line);
            std::ops::ControlFlow::Continue(())
        };
        durable.statement_lines(contract, &mut tell).unwrap();
        let ours = model.statement(contract).map(|statement| statement.penalties);
        same(format!("lines of {contract}"), json!(ours), json!(Some(lines)))?;
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

/// Events of so many tickets, of which every third is repaired late, over some days.
pub(crate) fn history(tickets: u32) -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..tickets {
        let mut tell = |kind: &str, minute: u32, data: serde_json::Value| {
            let at = Instant::from_seconds(1_772_416_800 + i64::from(n * 37 + minute) * 60).unwrap();
            let (id, data) = (format!("e{n}-{kind}"), data.as_object().cloned().unwrap_or_default());
            let (ticket, actor) = (Some(format!("T{n}")), Some(format!("person {n}")));
            let contract = "c".to_owned();
            events.push(Event { id, contract, ticket, kind: kind.to_owned(), at, actor, via: None, data });
        };
        let kind = if n % 2 == 0 { "failure" } else { "wish" };
        tell("reported", 0, serde_json::json!({ "who": format!("caller {n}"), "kind": kind }));
        tell("responded", 10, serde_json::json!({ "note": "on the way" }));
        if n % 4 != 3 {
            tell("resolved", if n % 3 == 0 { 200 } else { 60 }, serde_json::json!({}));
        }
        if n % 4 == 0 {
            tell("closed", 240, serde_json::json!({}));
        }
    }
    let paid = r#"{"id":"paid","contract":"c","kind":"deposit_paid","at":"2026-03-01T00:00:00Z","data":{"amount":"5000.00"}}"#;
    events.insert(0, Event::from_json(paid).unwrap());
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    events
}

/// Numbers by chance, the same every time (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// How many times more is tried than in CI: `HOLDBACK_TIMES=10`.
#[expect(clippy::disallowed_methods, reason = "how long to try is the caller's to say")]
pub(crate) fn times() -> u32 {
    std::env::var("HOLDBACK_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
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

#[test]
fn the_store_that_is_not_kept_conforms() {
    let mut open = |empty: bool| empty.then(|| Box::new(SqliteStore::temporary().unwrap()) as Box<dyn Store>);
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
