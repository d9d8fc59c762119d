//! What is done with a store over the years: carried, erased, made smaller, corrected.

#![expect(clippy::disallowed_methods, reason = "the tests look into the files of stores and damage them")]

use holdback::store::{Access, MemoryStore, SqliteStore, Store};
use holdback::{DurableEngine, Engine, EraseError, Event, TimeFrom, export, import, verify};
use serde_json::json;

use super::{history, in_file, reopened, small_pack, small_pack_with};

fn engine(events: Vec<Event>) -> DurableEngine {
    let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events).unwrap();
    engine.take_pack(small_pack()).unwrap();
    assert!(engine.ingest(events).iter().all(Result::is_ok));
    engine
}

fn lines(engine: &DurableEngine) -> Vec<String> {
    let mut lines = Vec::new();
    let mut write = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    engine.export(&mut write).unwrap();
    lines
}

fn answers(engine: &mut DurableEngine) -> serde_json::Value {
    let tickets = engine.tickets("c").unwrap();
    let assessed: Vec<_> = tickets.iter().map(|ticket| engine.assessment("c", ticket).unwrap()).collect();
    json!([assessed, engine.statement("c").unwrap(), engine.ledger("c").unwrap(), engine.next_due()])
}

#[test]
fn an_export_is_the_same_store_elsewhere() {
    let mut first = engine(history(30));
    first.advance("2026-03-20T00:00:00Z".parse().unwrap()).unwrap();
    let numbers: Vec<u64> = first.waiting(3).unwrap().into_iter().map(|(number, _)| number).collect();
    first.handed_over(&numbers).unwrap();
    first.erase("c", "T1", &["actor".to_owned(), "note".to_owned()]).unwrap();
    let told = lines(&first);
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&folder.path().join("copy.db")).unwrap();
    let mut copy = import(told.iter().map(|line| Ok(line.clone())), Box::new(store)).unwrap();
    assert_eq!(answers(&mut copy), answers(&mut first));
    assert_eq!(lines(&copy), told);
    assert_eq!(copy.root(copy.records()).unwrap(), first.root(first.records()).unwrap());
    assert!(copy.verify(true).unwrap().is_whole());
    // A line that says something else is not taken.
    for (n, from, to) in [(20, "\\\"at\\\"", "\\\"ta\\\""), (30, "2026-03", "2026-04")] {
        let mut altered = told.clone();
        altered[n] = altered[n].replacen(from, to, 1);
        let refused = import(altered.into_iter().map(Ok), Box::new(MemoryStore::new()));
        assert!(refused.is_err(), "line {n}");
    }
    let mut fewer = told.clone();
    fewer.remove(12);
    assert!(import(fewer.into_iter().map(Ok), Box::new(MemoryStore::new())).is_err());
}

/// `holdback import` that comes to nothing leaves nothing: the next try finds its path free.
#[test]
fn an_import_of_nothing_leaves_no_file() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let import = |input: &str| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_holdback"))
            .args(["import", path.to_str().unwrap()])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let told = lines(&engine(history(3)));
    let second = told[1].clone() + "\n";
    for (input, expected) in [("", "no line"), ("no line of an export\n", "line 1"), (&second, "line 1")] {
        let (code, said) = import(input);
        assert!(code == Some(2) && said.contains(expected), "{said}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{said}");
    }
    let (code, said) = import(&(told.join("\n") + "\n"));
    assert_eq!(code, Some(0), "{said}");
    // One that is there is left alone.
    let (code, said) = import("");
    assert!(code == Some(2) && said.contains("exists already"), "{said}");
    assert!(verify(&SqliteStore::open(&path, Access::Read).unwrap()).unwrap().is_whole());
}

/// A command that does nothing, or is refused, leaves the file closed as it found it: `advance` to an instant that had passed left
/// it open, and `verify` could not look at every byte any more.
#[test]
fn a_command_that_is_refused_leaves_the_seal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let db = path.to_str().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pack = |name: &str| root.join("rules").join(name).to_str().unwrap().to_owned();
    let log = root.join("tests/data/records/events.ndjson");
    let program = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_holdback"));
        let out = command.args(args).stdin(std::fs::File::open(&log).unwrap()).output().unwrap();
        out.status.code()
    };
    let school = pack("school-after-sales");
    assert_eq!(program(&["ingest", "--db", db, "--pack", &school]), Some(0));
    let seal = folder.path().join("store.db-seal");
    assert!(seal.exists());
    let other = pack("it-incidents");
    let new = pack("delay-damages");
    let refused: [&[&str]; 6] = [
        &["advance", "--db", db, "--to", "2020-01-01T00:00:00Z"],
        &["erase", "--db", db, "--contract", "school-2026", "--ticket", "nobody", "--fact", "place"],
        &["recompute", "--db", db],
        &["recompute", "--db", db, "--contract", "school-2026", "--pack", &other],
        &["run", &new, log.to_str().unwrap(), "--db", db],
        &["ingest", "--db", db],
    ];
    for args in refused {
        let code = program(args);
        assert!(args[0] == "ingest" || code != Some(0), "{args:?}");
        assert!(seal.exists(), "{args:?}");
    }
    assert!(verify(&SqliteStore::open(&path, Access::Read).unwrap()).unwrap().remarks.is_empty());
}

#[test]
fn what_is_erased_is_gone_and_the_chain_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = in_file(folder.path(), TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    engine.ingest(history(30));
    let before = answers(&mut engine);
    let names = ["actor", "note", "who"].map(str::to_owned);
    let erased = engine.erase("c", "T4", &names).unwrap();
    assert_eq!(erased.tickets, 1);
    assert!(erased.records >= 3);
    assert_eq!(engine.erase("c", "T4", &names).unwrap().records, 0, "nothing is left to be erased");
    assert_eq!(answers(&mut engine), before);
    let events = engine.events("c", Some("T4")).unwrap();
    assert!(events.iter().all(|event| event.actor.is_none() && !event.data.contains_key("who")));
    assert!(events.iter().any(|event| event.data.contains_key("kind")));
    let found = engine.verify(true).unwrap();
    assert!(found.is_whole(), "{found:?}");
    // Told again with what was erased, it is the same event.
    let again = history(30).into_iter().find(|event| event.id == "e4-reported").unwrap();
    assert_eq!(engine.submit(again), Ok(Vec::new()));
    let refused = engine.erase("c", "T5", &["kind".to_owned()]).unwrap_err();
    assert!(matches!(refused, EraseError::Read { .. }), "{refused}");
    assert!(matches!(engine.erase("c", "T999", &names), Err(EraseError::Unknown { .. })));
    engine.close().unwrap();
    // No byte of the file holds it any more.
    let bytes = std::fs::read(folder.path().join("store.db")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds("person 4\"") && !holds("caller 4\""));
    assert!(holds("person 5\""), "others are there");
    assert!(!folder.path().join("store.db-wal").exists());
}

#[test]
fn tickets_that_are_done_can_be_made_small() {
    let mut events = history(60);
    // Told of a ticket that is done, half a minute after another one has missed its repair: that is decided in the same record.
    let again = events.iter().find(|event| event.id == "e0-responded").unwrap();
    let at = again.at.checked_add(holdback::Span::seconds(369 * 60 + 30)).unwrap();
    events.push(Event { id: "again".to_owned(), at, ..again.clone() });
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut engine = engine(events);
    engine.advance("2026-04-01T00:00:00Z".parse().unwrap()).unwrap();
    let before = answers(&mut engine);
    let size = |engine: &DurableEngine| lines(engine).iter().map(String::len).sum::<usize>();
    let was = size(&engine);
    // What is not done keeps its receipts, also where the same record says something of a ticket that is done.
    let kinds = |engine: &mut DurableEngine, ticket: &str| -> Vec<String> {
        let receipts = engine.receipts("c", ticket).unwrap().into_iter();
        receipts.flat_map(|receipt| receipt.decisions).map(|decision| decision["kind"].to_string()).collect()
    };
    let (had, done) = (kinds(&mut engine, "T7"), kinds(&mut engine, "T0").len());
    assert!(had.contains(&"\"breached\"".to_owned()), "{had:?}");
    let early = engine.compact_before("c", "2026-03-03T06:00:00Z".parse().unwrap()).unwrap();
    assert!(early.tickets > 0 && kinds(&mut engine, "T0").len() < done, "{early:?}");
    assert_eq!(kinds(&mut engine, "T7"), had);
    let done = engine.compact_before("c", "2026-04-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(done.tickets > 10 && done.records >= done.tickets, "{done:?}");
    assert!(size(&engine) < was);
    assert_eq!(answers(&mut engine), before);
    let erased =
        engine.erase_before("c", "2026-04-01T00:00:00Z".parse().unwrap(), &["actor".to_owned()]).unwrap();
    assert!(erased.tickets > 10);
    let mut engine = reopened(engine);
    assert_eq!(answers(&mut engine), before);
    let found = engine.verify(true).unwrap();
    assert!(found.is_whole(), "{found:?}");
}

/// A corrected store answers as one that had the new pack from the beginning; the ledger says how it came to be.
#[test]
fn a_correction_comes_to_what_a_fresh_start_comes_to() {
    let dearer = || small_pack_with("700.00", "wed = [[\"09:00\", \"17:00\"]]");
    let no_wednesday = || small_pack_with("500.00", "");
    for (n, pack) in [dearer(), no_wednesday()].into_iter().enumerate() {
        let mut model = Engine::new();
        model.open(pack.clone()).unwrap();
        let mut corrected = engine(history(120));
        let until = "2026-03-20T00:00:00Z".parse().unwrap();
        corrected.advance(until).unwrap();
        for event in history(120) {
            model.submit(event).unwrap();
        }
        model.advance(until).unwrap();
        let entries = corrected.ledger("c").unwrap();
        let begun = corrected.correct("c", pack.clone()).unwrap();
        assert!(begun.affected > 0, "{begun:?}");
        // Nothing else is done before it is finished, not even after a restart.
        assert!(corrected.submit(history(1).remove(0)).is_err());
        let mut corrected = reopened(corrected);
        assert!(corrected.submit(history(1).remove(0)).is_err());
        assert_eq!(corrected.correction().unwrap(), Some(begun));
        let mut decisions = 0;
        while let Some(some) = corrected.go_on_correcting().unwrap() {
            decisions += some.len();
            corrected = reopened(corrected);
        }
        assert!(decisions > 0, "pack {n} alters something");
        let tickets: Vec<&str> = model.tickets("c").collect();
        for ticket in tickets {
            let (ours, theirs) = (model.assessment("c", ticket), corrected.assessment("c", ticket).unwrap());
            assert_eq!(json!(ours), json!(theirs));
        }
        let (ours, theirs) = (model.statement("c"), corrected.statement("c").unwrap());
        assert_eq!(json!(ours), json!(theirs));
        assert_eq!(model.next_due(), corrected.next_due());
        assert!(corrected.ledger("c").unwrap().starts_with(&entries), "entries were edited");
        let found = corrected.verify(true).unwrap();
        assert!(found.is_whole(), "{found:?}");
        // Receipts of decisions made before are of the pack that made them.
        let first = corrected.receipts("c", "T0").unwrap().remove(0);
        assert_eq!(first.pack, small_pack().digest().unwrap());
        corrected
            .submit(history(121).into_iter().find(|event| event.id == "e120-reported").unwrap())
            .unwrap();
    }
}

#[test]
fn a_correction_that_alters_too_much_is_refused() {
    let mut engine = engine(history(5));
    let before = answers(&mut engine);
    let other = crate::model::history::PACKS[0].clone();
    let refused = engine.correct("c", other).unwrap_err().to_string();
    assert!(refused.contains("differ in their clauses"), "{refused}");
    assert_eq!(answers(&mut engine), before);
    assert!(engine.submit(history(6).pop().unwrap()).is_ok());
    assert!(verify(&*engine.into_store().unwrap()).unwrap().is_whole());
}

#[test]
fn a_backup_of_an_open_store_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = in_file(folder.path(), TimeFrom::Events);
    engine.take_pack(small_pack()).unwrap();
    let events = history(30);
    let (first, rest) = events.split_at(50);
    engine.ingest(first.to_vec());
    let copy = folder.path().join("copy.db");
    let reader = SqliteStore::open(&folder.path().join("store.db"), Access::Read).unwrap();
    reader.back_up(&copy).unwrap();
    drop(reader);
    engine.ingest(rest.to_vec());
    let store = SqliteStore::open(&copy, Access::Read).unwrap();
    assert!(verify(&store).unwrap().is_whole());
    assert_eq!(store.last().unwrap(), 51);
    let mut told = 0;
    export(&store, &mut |_| {
        told += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(told, 51);
    drop(store);
    let mut copy = DurableEngine::open(&copy).unwrap();
    copy.ingest(rest.to_vec());
    assert_eq!(answers(&mut copy), answers(&mut engine));
}

/// Files that earlier programs wrote stay readable. One is added with each schema, with the answers that were had of it then, and
/// none is ever written anew.
#[test]
fn stored_files_of_every_schema_are_read() {
    for (name, records, deducted) in [("v1", 9, 100)] {
        let tree = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/store");
        let folder = tempfile::tempdir().unwrap();
        for file in [format!("{name}.db"), format!("{name}.db-seal")] {
            std::fs::copy(tree.join(&file), folder.path().join(&file)).unwrap();
        }
        let path = folder.path().join(format!("{name}.db"));
        let found = verify(&SqliteStore::open(&path, Access::Read).unwrap()).unwrap();
        assert!(found.is_whole() && found.remarks.is_empty(), "{name}: {found:?}");
        let mut engine = DurableEngine::open(&path).unwrap();
        assert_eq!(engine.records(), records, "{name}");
        let statement = engine.statement("stored-1").unwrap().unwrap();
        assert_eq!(statement.deposit.deducted.minor(), deducted * 100, "{name}");
        let recorded = std::fs::read_to_string(tree.join(format!("{name}.json"))).unwrap();
        let recorded: serde_json::Value = serde_json::from_str(&recorded).unwrap();
        let is = all_answers(&mut engine, "stored-1");
        assert_eq!(is, recorded, "{name}: it is\n{is:#}");
        // Every answer is made anew from the events alone, and the chain can be carried elsewhere.
        let found = engine.verify(true).unwrap();
        assert!(found.is_whole() && found.replayed == records, "{name}: {found:?}");
        let mut copy = import(lines(&engine).into_iter().map(Ok), Box::new(MemoryStore::new())).unwrap();
        assert_eq!(all_answers(&mut copy, "stored-1"), recorded, "{name}");
        // It goes on from there.
        let event = r#"{"id":"8","contract":"stored-1","ticket":"T3","kind":"resolved","at":"2026-03-04T10:00:00+08:00"}"#;
        engine.submit(Event::from_json(event).unwrap()).unwrap();
        assert!(engine.verify(true).unwrap().is_whole(), "{name}");
        engine.close().unwrap();
        assert!(verify(&SqliteStore::open(&path, Access::Read).unwrap()).unwrap().is_whole());
    }
}

/// All that a store is asked about a contract.
fn all_answers(engine: &mut DurableEngine, contract: &str) -> serde_json::Value {
    let tickets = engine.tickets(contract).unwrap();
    let assessed: Vec<_> =
        tickets.iter().map(|ticket| engine.assessment(contract, ticket).unwrap()).collect();
    json!({
        "tickets": assessed,
        "contract": engine.contract_assessment(contract).unwrap(),
        "statement": engine.statement(contract).unwrap(),
        "ledger": engine.ledger(contract).unwrap(),
        "next_due": engine.next_due(),
        "waiting": engine.waiting(1000).unwrap(),
        "root": engine.root(engine.records()).unwrap(),
    })
}
