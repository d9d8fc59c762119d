//! What a contract asks for by itself: duties done, missed, done twice, and what they cost.

mod duties;
mod levels;
pub(crate) mod random;
mod speed;

use std::sync::Arc;

use holdback::{ContractAssessment, Decision, Engine, Event, Instant, Pack, assess_contract};
use serde_json::{Value, json};

const PACK: &str = r#"format = 1
name = "obligations"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[facts.archive_logs]
type = "bool"
[facts.kind]
type = "text"
[calendars.office.hours]
mon = [["09:00", "17:00"]]
tue = [["09:00", "17:00"]]
wed = [["09:00", "17:00"]]
thu = [["09:00", "17:00"]]
fri = [["09:00", "17:00"]]
"#;

const TERMS: &str = r#"
window = { clause = "1", unit = "hours", values = [{ from = 2026-01-01, value = 4 }, { from = 2026-04-01, value = 2 }] }
fine = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "100.00" }, { from = 2026-04-01, value = "300.00" }] }
"#;

const CLAUSES: [(&str, &str); 3] = [
    (
        "clauses/1.rhai",
        r#"//! clause: 1
fn duties() {
    [
        duty("level0").every("FREQ=WEEKLY;BYDAY=MO;BYHOUR=1").within(terms.window).early(hours(2))
            .needs("archive_logs"),
        duty("report").every("FREQ=MONTHLY;BYMONTHDAY=1").within(working_days(2)).in_calendar("office")
            .starts_on("project_accepted"),
    ]
}
fn penalty(breach) { if breach.clock == "level0" { terms.fine } else { terms.fine * 2 } }
"#,
    ),
    (
        "clauses/2.rhai",
        r#"//! clause: 2
fn duties() { [duty("handover").once().within(days(30))] }
"#,
    ),
    ("clauses/3.rhai", "//! clause: 3\nfn deposit_floor() { yuan(0) }\n"),
];

fn files() -> Vec<(String, String)> {
    let mut files = vec![
        ("pack.toml".to_owned(), PACK.to_owned()),
        ("terms.toml".to_owned(), TERMS.to_owned()),
        ("contract.md".to_owned(), "# [1] a\n# [2] b\n# [3] c\n".to_owned()),
    ];
    files.extend(CLAUSES.map(|(path, text)| (path.to_owned(), text.to_owned())));
    files
}

fn pack() -> Arc<Pack> {
    Pack::from_files(files().into_iter().collect()).unwrap_or_else(|faults| panic!("{faults}")).into()
}

fn at(text: &str) -> Instant {
    let text = if text.len() == 16 { format!("{text}:00+08:00") } else { text.to_owned() };
    text.parse().unwrap()
}

/// An event of the contract; `when` is local, to the minute.
fn event(id: &str, kind: &str, when: &str, data: Value) -> Event {
    Event {
        id: id.to_owned(),
        contract: "c".to_owned(),
        ticket: None,
        kind: kind.to_owned(),
        at: at(when),
        actor: None,
        via: None,
        data: data.as_object().cloned().unwrap_or_default(),
    }
}

fn done(id: &str, when: &str, duty: &str) -> Event {
    event(id, "duty_done", when, json!({ "duty": duty, "archive_logs": true }))
}

/// The contract judged by the pure function, after an engine has been told the same and agrees.
fn judged(pack: &Arc<Pack>, events: &[Event], as_of: &str) -> (ContractAssessment, Engine, Vec<Decision>) {
    let pure = assess_contract(pack, events, &[], at(as_of)).unwrap();
    let mut engine = Engine::new();
    let mut decisions = engine.open(Arc::clone(pack)).unwrap();
    for event in events {
        decisions.extend(engine.submit(event.clone()).unwrap());
    }
    decisions.extend(engine.advance(at(as_of)).unwrap());
    assert_eq!(engine.contract_assessment("c").as_ref(), Some(&pure));
    (pure, engine, decisions)
}
