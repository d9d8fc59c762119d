//! The JSON that others read, word by word: one small history against the files under `tests/data/json`.

use std::path::Path;
use std::sync::Arc;

use holdback::{Decision, Engine, Event, Pack};
use serde::Serialize;

use crate::rules::root;

const PACK: &str = r#"
format = 1
name = "golden"
version = "3"
title = "例 · Example"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["school-2026"]
[facts.kind]
type = "one-of"
values = ["failure", "emergency"]
[facts.plan_due]
type = "instant"
[calendars.work.hours]
mon = [["09:00", "12:00"], ["13:00", "18:00"]]
tue = [["09:00", "12:00"], ["13:00", "18:00"]]
wed = [["09:00", "12:00"], ["13:00", "18:00"]]
thu = [["09:00", "12:00"], ["13:00", "18:00"]]
fri = [["09:00", "12:00"], ["13:00", "18:00"]]
[deposit]
low = "low"
[roles]
lead = { doc = "answers for the work" }
boss = { doc = "answers for the lead" }
[[manual]]
clause = "1.5"
reason = "people look at it"
"#;

const TERMS: &str = r#"
fine = { clause = "1.1", unit = "CNY", values = [{ from = 2026-01-01, value = "500.00" }] }
repair = { clause = "1.1", unit = "hours", values = [{ from = 2026-01-01, value = 4 }] }
warranty = { clause = "1.3", unit = "years", values = [{ from = 2026-01-01, value = 1 }] }
low = { clause = "1.4", unit = "CNY", values = [{ from = 2026-01-01, value = "500.00" }] }
floor = { clause = "1.4", unit = "CNY", values = [{ from = 2026-01-01, value = "200.00" }] }
"#;

const CLAUSES: [(&str, &str); 4] = [
    (
        "clauses/1.1.rhai",
        r#"//! clause: 1.1
fn applies(ticket) { ticket.kind == "failure" }
fn deadlines(ticket) {
    [
        due("repair").within(terms.repair).in_calendar("work").pauses_for("customer").met_by("resolved"),
        due("plan").after_breach_of("repair").within(working_days(1)).in_calendar("work").met_by("plan_proposed"),
    ]
}
fn penalty(breach) { terms.fine }
fn escalation(ticket) {
    [at_share("repair", percent(50)).notify("lead"), at_breach("repair").notify("boss")]
}
"#,
    ),
    (
        "clauses/1.2.rhai",
        r#"//! clause: 1.2
fn applies(ticket) { ticket.kind == "emergency" }
fn deadlines(ticket) { [due("dispatch").within(hours(1)).met_by("dispatched")] }
fn penalty(breach) { terms.fine }
"#,
    ),
    (
        "clauses/1.3.rhai",
        r#"//! clause: 1.3
fn applies(ticket) { ticket.reported_at <= contract.accepted_at.plus(terms.warranty) }
fn classify(ticket) { free("within the warranty") }
"#,
    ),
    (
        "clauses/1.4.rhai",
        r#"//! clause: 1.4
fn deposit_floor() { terms.floor }
fn findings(ticket) {
    if ticket.has("resolved") && !ticket.has("responded") { [finding("resolved without an answer")] } else { [] }
}
"#,
    ),
];

const EVENTS: [&str; 9] = [
    r#"{"id":"p1","contract":"school-2026","kind":"deposit_paid","at":"2026-01-10T09:00:00+08:00","data":{"amount":"600.00"}}"#,
    r#"{"id":"p2","contract":"school-2026","kind":"project_accepted","at":"2026-01-10T10:00:00+08:00"}"#,
    r#"{"id":"e1","contract":"school-2026","ticket":"T1","kind":"reported","at":"2026-03-02T10:00:00+08:00","actor":"王老师","via":"phone","data":{"kind":"failure"}}"#,
    r#"{"id":"e2","contract":"school-2026","ticket":"T1","kind":"paused","at":"2026-03-02T11:00:00+08:00","data":{"reason":"customer"}}"#,
    r#"{"id":"e3","contract":"school-2026","ticket":"T1","kind":"resumed","at":"2026-03-02T14:00:00+08:00"}"#,
    r#"{"id":"e4","contract":"school-2026","ticket":"T1","kind":"resolved","at":"2026-03-03T09:30:00.5+08:00","data":{"plan_due":"2026-03-04"}}"#,
    r#"{"id":"p3","contract":"school-2026","kind":"deposit_paid","at":"2026-03-04T09:00:00+08:00","data":{"amount":"200.00"}}"#,
    r#"{"id":"p4","contract":"school-2026","kind":"penalty_waived","at":"2026-03-05T09:00:00+08:00","data":{"penalty":"T1/1.1/plan","reason":"agreed"}}"#,
    r#"{"id":"p5","contract":"school-2026","kind":"penalty_waived","at":"2026-03-05T09:00:00+08:00","data":{"penalty":"T9/1.1/plan","reason":"agreed"}}"#,
];

fn run() -> (Engine, Vec<Decision>) {
    let mut files = vec![
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        (
            "contract.md",
            "## [1.1] 修复 · Repair\n## [1.2] 应急 · Emergency\n## [1.3] 保修 · Warranty\n## [1.4] 质保金 · Deposit\n## [1.5] 资料 · Papers",
        ),
    ];
    files.extend(CLAUSES);
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let mut engine = Engine::new();
    engine.open(Arc::new(Pack::from_files(files).unwrap_or_else(|faults| panic!("{faults}")))).unwrap();
    let mut decisions = Vec::new();
    for event in EVENTS {
        decisions.extend(engine.submit(Event::from_json(event).unwrap()).unwrap());
    }
    decisions.extend(engine.advance("2026-03-05T12:00:00+08:00".parse().unwrap()).unwrap());
    (engine, decisions)
}

/// Compares with a file of `tests/data/json`. Where they differ, what was found is put where it can be looked at.
#[expect(clippy::disallowed_methods, reason = "expected texts are files, and what differs is left as a file")]
fn same(name: &str, found: &impl Serialize) {
    let found = serde_json::to_string_pretty(found).unwrap() + "\n";
    let path = root().join("tests/data/json").join(name);
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected {
        return;
    }
    let line = expected.lines().zip(found.lines()).take_while(|(a, b)| a == b).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("the end").trim().to_owned();
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&beside, &found).unwrap();
    panic!(
        "tests/data/json/{name}, line {}: expected `{}`, found `{}`.\nThe whole text found is {}. Others read this JSON: \
         compare with `git diff --no-index {} {}`; when the change is meant, copy it over, say so in CHANGELOG.md, and \
         raise `FORMAT` if a field changed its meaning or went away.",
        line + 1,
        at(&expected),
        at(&found),
        beside.display(),
        path.display(),
        beside.display(),
    );
}

#[test]
fn an_assessment_reads_as_it_always_did() {
    same("assessment.json", &run().0.assessment("school-2026", "T1"));
}

#[test]
fn decisions_read_as_they_always_did() {
    same("decisions.json", &run().1);
}

#[test]
fn a_statement_reads_as_it_always_did() {
    same("statement.json", &run().0.statement("school-2026"));
}

#[test]
fn ledger_entries_read_as_they_always_did() {
    same("ledger.json", &run().0.ledger("school-2026"));
}

#[test]
fn notices_read_as_they_always_did() {
    same("notices.json", &run().0.notices());
}

#[test]
fn an_explanation_reads_as_it_always_did() {
    same("explanation.json", &run().0.explain("school-2026", "T1"));
}

#[test]
fn events_read_as_they_always_did_bare_and_in_their_envelope() {
    let engine = run().0;
    let envelopes: Vec<_> = engine.events().map(Event::to_cloud_event).collect();
    same("events.json", &engine.events().collect::<Vec<_>>());
    same("cloud_events.json", &envelopes);
}

#[test]
fn a_fault_and_the_faults_of_a_pack_read_as_they_always_did() {
    let (mut engine, _) = run();
    let unknown = r#"{"id":"f1","contract":"school-2026","ticket":"T2","kind":"reported","at":"2026-03-05T10:00:00+08:00"}"#;
    engine.submit(Event::from_json(unknown).unwrap()).unwrap();
    let assessment = engine.assessment("school-2026", "T2").unwrap();
    let pack = [("pack.toml".to_owned(), PACK.replace("\"Asia/Shanghai\"", "\"Asia/Shangai\""))].into();
    same("faulty_assessment.json", &assessment);
    same("faulty_pack.json", &Pack::from_files(pack).unwrap_err());
}
