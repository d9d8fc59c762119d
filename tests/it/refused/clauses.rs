//! Clauses that cannot judge a ticket, and what they say of it.

use holdback::Event;
use serde_json::{Value, json};

use super::{Files, engine, files, report, with};

/// The fault of a ticket reported with these changes, as it is read a day later.
fn fault_of(files: Files, changes: Value) -> String {
    let mut engine = engine(files);
    let event = Event::from_value(report(changes)).unwrap();
    let ticket = event.ticket.clone().unwrap();
    let later = event.at.checked_add(holdback::Span::hours(24)).unwrap_or(event.at);
    engine.submit(event).unwrap();
    engine.advance(later).unwrap();
    let assessment = engine.assessment("school-2026", &ticket).unwrap();
    let fault = assessment.fault.unwrap_or_else(|| panic!("judged: {:?}", assessment.clocks));
    assert!(assessment.clocks.is_empty() && assessment.penalties.is_empty());
    assert!(fault.line > 0, "{fault}");
    fault.to_string()
}

#[test]
fn a_clause_that_cannot_judge_names_itself_its_line_and_what_it_lacks() {
    let one = |from, to| with("clauses/1.rhai", from, to);
    let rows: Vec<(Files, Value, &[&str])> = vec![
        (files(), json!({ "data": {} }), &["clauses/1.rhai:2:", "clause 1", "the fact `kind` is not known"]),
        (
            files(),
            json!({ "at": "2025-12-31T10:00:00+08:00" }),
            &["clauses/1.rhai:3:", "calendar `workdays`", "year 2025", "2026 to 2026", "calendar's data"],
        ),
        (
            files(),
            json!({ "at": "2026-01-05T10:00:00+08:00" }),
            &["clauses/1.rhai:9:", "the term `fine` has no value in force"],
        ),
        (
            one("== \"failure\"", "== 5"),
            json!({}),
            &["clauses/1.rhai:2:", "the text `failure` is compared with the number 5"],
        ),
        (
            one("ticket.kind ==", "ticket.reported_at <"),
            json!({}),
            &["the instant 2026-03-02T02:00:00Z is compared with the text `failure`"],
        ),
        (
            one("ticket.kind == \"failure\"", "hours(1) > days(1)"),
            json!({}),
            &["the time 1 h is compared with the period 1 day"],
        ),
        (
            one("ticket.kind == \"failure\"", "days(1) > working_days(1)"),
            json!({}),
            &["1 day is compared with 1 working day"],
        ),
        (one("ticket.kind == \"failure\"", "true < false"), json!({}), &["no order"]),
        (
            one("ticket.kind", "ticket.knid"),
            json!({}),
            &["clauses/1.rhai:2:", "unknown fact `ticket.knid`", "did you mean `kind`?"],
        ),
        (one("ticket.kind", "ticket.first.knid"), json!({}), &["unknown fact", "did you mean `kind`?"]),
        (
            one("ticket.kind == \"failure\"", "contract.accepted_at < ticket.reported_at"),
            json!({}),
            &["`contract.accepted_at` is not known", "project_accepted"],
        ),
        (
            one("ticket.kind == \"failure\"", "contract.acepted_at == 1"),
            json!({}),
            &["did you mean `accepted_at`?"],
        ),
        (one("ticket.kind == \"failure\"", "ticket.knows(\"knid\")"), json!({}), &["did you mean `kind`?"]),
        (
            one("terms.fine", "terms.fnie"),
            json!({}),
            &["clauses/1.rhai:9:", "unknown term `terms.fnie`", "did you mean `fine`?"],
        ),
        (one("terms.fine", "breach.lat"), json!({}), &["unknown fact `breach.lat`", "did you mean `late`?"]),
        (
            one("terms.fine", "terms.fine + hours(1)"),
            json!({}),
            &["clauses/1.rhai:9:", "no function takes these: `+ (money, time)`"],
        ),
        (one("terms.fine", "percent(5) * 2"), json!({}), &["no function takes these", "share"]),
        (
            one("\"workdays\"", "\"workday\""),
            json!({}),
            &["clauses/1.rhai:6:", "unknown calendar `workday`", "did you mean `workdays`?"],
        ),
        (
            one("\"resolved\"", "\"resolvd\""),
            json!({}),
            &["clauses/1.rhai:5:", "unknown event kind `resolvd`", "did you mean `resolved`?"],
        ),
        (one("\"resolved\"", "\"deposit_paid\""), json!({}), &["`deposit_paid` is an event of the contract"]),
        (one("within(hours(2))", "by(\"kind\")"), json!({}), &["`kind` is not an instant"]),
        (
            one("within(hours(2))", "by(\"plan_due\")"),
            json!({}),
            &["clauses/1.rhai:3:", "`plan_due`", "not known when it starts"],
        ),
        (one("due(\"review\")", "due(\"repair\")"), json!({}), &["the clock `repair` is set twice"]),
        (
            one("due(\"review\")", "due(\"review\").after_breach_of(\"repar\")"),
            json!({}),
            &["`repar`", "did you mean `repair`?"],
        ),
        (one("hours(2)", "hours(\"2\")"), json!({}), &["no function takes these: `hours (text)`"]),
    ];
    for (files, changes, words) in rows {
        let fault = fault_of(files, changes);
        for word in words {
            assert!(fault.contains(word), "`{fault}` does not say `{word}`");
        }
    }
}

#[test]
fn clauses_that_disagree_are_both_named_until_one_overrides() {
    let paid = "\nfn classify(ticket) { paid(\"a failure by misuse\") }\n";
    let urgent = json!({ "data": { "kind": "failure", "urgent": true } });
    let mut files = files();
    files.get_mut("clauses/1.rhai").unwrap().push_str(paid);
    let fault = fault_of(files.clone(), urgent.clone());
    for word in ["1 (clauses/1.rhai) says paid", "2 (clauses/2.rhai) says free", "misuse", "`overrides`"] {
        assert!(fault.contains(word), "`{fault}` does not say `{word}`");
    }
    for (winner, other, free) in [("1", "2", false), ("2", "1", true)] {
        let mut files = files.clone();
        let text = files.get_mut(&format!("clauses/{winner}.rhai")).unwrap();
        let header = format!("//! clause: {winner}\n");
        *text = text.replace(&header, &format!("{header}//! overrides: {other}\n"));
        let mut engine = engine(files);
        engine.submit(Event::from_value(report(urgent.clone())).unwrap()).unwrap();
        let class = engine.assessment("school-2026", "T1").unwrap().class.unwrap();
        assert_eq!((class.free, class.clause.to_string().as_str()), (free, winner));
    }
}
