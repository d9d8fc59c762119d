//! Bad input and what is said of it: every row is an input, the sort of error and the words that help its author.

mod clauses;
mod events;
mod folders;
mod packs;

use std::collections::BTreeMap;
use std::sync::Arc;

use holdback::{Engine, EngineError, Event, LedgerError, Pack};
use serde_json::{Value, json};

const PACK: &str = r#"format = 1
name = "refused"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["school-2026"]
[facts.kind]
type = "one-of"
values = ["failure", "emergency"]
[facts.urgent]
type = "bool"
[facts.users]
type = "integer"
[facts.fee]
type = "money"
[facts.place]
type = "text"
[facts.plan_due]
type = "instant"
[calendars.workdays]
holidays = ["days.json"]
demand_data = true
[calendars.workdays.hours]
mon = [["09:00", "17:00"]]
[deposit]
deduction = "deduction"
"#;

const TERMS: &str = r#"[fine]
clause = "1"
unit = "CNY"
values = [{ from = 2026-01-15, value = "500.00" }]
[deduction]
clause = "3"
unit = "one-of"
of = ["automatic", "on_confirmation"]
values = [{ from = 2020-01-01, value = "automatic" }]
"#;

const FIRST: &str = r#"//! clause: 1
fn applies(ticket) { ticket.kind == "failure" }
fn deadlines(ticket) {
    [
        due("repair").within(hours(2)).met_by("resolved"),
        due("review").within(hours(8)).in_calendar("workdays").met_by("accepted"),
    ]
}
fn penalty(breach) { terms.fine }
"#;

const SECOND: &str = r#"//! clause: 2
fn applies(ticket) { ticket.knows("urgent") }
fn classify(ticket) { free("urgent work is free") }
"#;

const THIRD: &str = r#"//! clause: 3
fn deposit_floor() { yuan(0) }
"#;

type Files = BTreeMap<String, String>;

fn files() -> Files {
    [
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        ("contract.md", "# [1] Repair\n# [2] Urgent work\n# [3] Deposit\n"),
        ("days.json", r#"{"2026": {"holidays": ["2026-01-01"]}}"#),
        ("clauses/1.rhai", FIRST),
        ("clauses/2.rhai", SECOND),
        ("clauses/3.rhai", THIRD),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into()
}

fn pack(files: Files) -> Arc<Pack> {
    Arc::new(Pack::from_files(files).unwrap_or_else(|faults| panic!("{faults}")))
}

fn engine(files: Files) -> Engine {
    let mut engine = Engine::new();
    engine.open(pack(files)).unwrap();
    engine
}

/// A good report of a failure, with some fields replaced or, by `null`, left out.
fn report(changes: Value) -> Value {
    let mut event = json!({ "id": "e1", "contract": "school-2026", "ticket": "T1", "kind": "reported",
        "at": "2026-03-02T10:00:00+08:00", "data": { "kind": "failure" } });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(event.as_object_mut().unwrap().remove(name)),
            value => drop(event.as_object_mut().unwrap().insert(name.clone(), value.clone())),
        }
    }
    event
}

fn paid(data: Value) -> Value {
    report(json!({ "id": "p1", "ticket": null, "kind": "deposit_paid", "data": data }))
}

/// The files with one text in one of them replaced.
fn with(path: &str, from: &str, to: &str) -> Files {
    let mut files = files();
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{path} does not hold `{from}`");
    *text = text.replace(from, to);
    files
}

/// The first amount that leaves 64 bits is refused by the books; what was told stays told, and the books stay as they were.
#[test]
fn a_deposit_beyond_64_bits_is_a_fault_of_the_books() {
    let mut engine = engine(files());
    let pay = |id: &str| {
        let most = json!({ "amount": "92233720368547758.07" });
        let mut event = Event::from_value(paid(most)).unwrap();
        event.id = id.to_owned();
        event
    };
    engine.submit(pay("p1")).unwrap();
    let before = json!(engine.statement("school-2026")).to_string();
    let error = engine.submit(pay("p2")).unwrap_err();
    assert!(matches!(&error, EngineError::Ledger(LedgerError::Overflow { .. })), "{error}");
    assert!(error.to_string().contains("school-2026") && error.to_string().contains("p2"), "{error}");
    assert_eq!(engine.ledger("school-2026").len(), 1);
    let after = json!(engine.statement("school-2026"));
    assert_eq!(after["deposit"]["balance"]["amount"], "92233720368547758.07", "{before}");
    // Tickets are judged all the same.
    let judged = engine.submit(Event::from_value(report(json!({ "id": "e9" }))).unwrap());
    assert!(!matches!(judged, Err(EngineError::Event(_))));
    assert_eq!(engine.assessment("school-2026", "T1").unwrap().clocks.len(), 2);
}

#[test]
fn a_contract_is_opened_once() {
    let mut engine = engine(files());
    let error = engine.open(pack(files())).unwrap_err();
    assert_eq!(error, EngineError::Open("school-2026".to_owned()));
    assert!(error.to_string().contains("`school-2026` is open already"));
}
