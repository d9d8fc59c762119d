//! Clauses that cannot judge: refused before any ticket is, or, where only a ticket can tell, named with what they lack.

use holdback::{Event, Pack};
use serde_json::{Value, json};

use super::{Files, engine, files, pack, report, with};

/// All that is told of a pack that is refused.
fn refusal(files: Files) -> String {
    match Pack::from_files(files) {
        Ok(_) => "nothing: the pack is taken".to_owned(),
        Err(faults) => faults.to_string(),
    }
}

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

/// The first clause with one text replaced.
fn one(from: &str, to: &str) -> Files {
    with("clauses/1.rhai", from, to)
}

/// The first clause with another condition.
fn when(condition: &str) -> Files {
    one("ticket.kind == \"failure\"", condition)
}

#[test]
fn what_is_wrong_with_a_clause_is_told_before_any_ticket_comes() {
    let rows: Vec<(Files, &[&str])> = vec![
        // Comparisons.
        (
            when("ticket.kind == 5"),
            &["1.rhai:2:34: E0202: one of the values of ticket.kind is compared with count"],
        ),
        (when("ticket.reported_at < \"failure\""), &["1.rhai:2:41: E0202: instant is compared with text"]),
        (when("hours(1) > days(1)"), &["1.rhai:2:31: E0202: time is compared with days"]),
        (when("days(1) > working_days(1)"), &["1.rhai:2:30: E0202: days are compared with working days"]),
        (when("true < false"), &["1.rhai:2:27: E0202: true and false have no order"]),
        (when("ticket.kind < \"failure\""), &["1.rhai:2:34: E0202: texts have no order here"]),
        // Names.
        (
            when("ticket.knid == \"failure\""),
            &["1.rhai:2:29: E0101: unknown fact `ticket.knid`; did you mean `kind`?"],
        ),
        (
            when("ticket.first.knid == \"failure\""),
            &["1.rhai:2:35: E0101: unknown fact `ticket.knid`; did you mean `kind`?"],
        ),
        (
            when("ticket.kind == \"falure\""),
            &["1.rhai:2:37: E0104: `falure` is none of the values of ticket.kind; did you mean `failure`?"],
        ),
        (
            when("contract.acepted_at == ticket.reported_at"),
            &["1.rhai:2:31: E0101: unknown fact `contract.acepted_at`; did you mean `accepted_at`?"],
        ),
        (when("ticket.knows(\"knid\")"), &["1.rhai:2:35: E0101: unknown fact `knid`; did you mean `kind`?"]),
        (
            one("terms.fine", "terms.fnie"),
            &["1.rhai:9:28: E0102: unknown term `terms.fnie`; did you mean `fine`?"],
        ),
        (
            one("terms.fine", "breach.lat"),
            &["1.rhai:9:29: E0101: unknown fact `breach.lat`; did you mean `late`?"],
        ),
        (
            one("\"workdays\"", "\"workday\""),
            &["1.rhai:6:52: E0107: unknown calendar `workday`; did you mean `workdays`?"],
        ),
        (
            one("\"resolved\"", "\"resolvd\""),
            &["1.rhai:5:47: E0106: unknown event kind `resolvd`; did you mean `resolved`?"],
        ),
        (
            one("\"resolved\"", "\"deposit_paid\""),
            &["1.rhai:5:47: E0106: `deposit_paid` is an event of the contract, not of a ticket"],
        ),
        // Units and arguments.
        (
            one("terms.fine", "terms.fine + hours(1)"),
            &["1.rhai:9:33: E0201: `+` does not take money and time"],
        ),
        (
            one("terms.fine", "percent(5) * hours(2)"),
            &["1.rhai:9:33: E0201: `*` does not take share and time"],
        ),
        (one("terms.fine", "terms.fine / 2"), &["1.rhai:9:33: E0203: money is not divided by count"]),
        (
            one("hours(2)", "hours(\"2\")"),
            &["1.rhai:5:36: E0205: `hours` takes count here, not text: expected hours(count)"],
        ),
        (
            one("within(hours(2))", "by(\"kind\")"),
            &["1.rhai:5:26: E0205: `kind` is not an instant among the ticket's facts"],
        ),
        // Clocks.
        (
            one("due(\"review\")", "due(\"repair\")"),
            &["1.rhai:6:13: E0601: the clock `repair` is set twice (clauses/1.rhai:5:13: set here first)"],
        ),
        (
            one("due(\"review\")", "due(\"review\").after_breach_of(\"repar\")"),
            &["1.rhai:6:39: E0110: the clock `review` starts after `repar`", "did you mean `repair`?"],
        ),
    ];
    let mut silent = Vec::new();
    for (files, words) in rows {
        let text = refusal(files);
        let one = text.lines().count() == 1;
        let missing = words.iter().filter(|word| !one || !text.contains(**word));
        silent.extend(missing.map(|word| format!("`{word}` alone is not what is said:\n{text}")));
    }
    assert!(silent.is_empty(), "{}", silent.join("\n\n"));
}

#[test]
fn a_clause_that_cannot_judge_names_itself_its_line_and_what_it_lacks() {
    let after_acceptance = when("contract.accepted_at < ticket.reported_at");
    let rows: Vec<(Files, Value, &[&str])> = vec![
        (files(), json!({ "data": {} }), &["clauses/1.rhai:2:29: clause 1", "the fact `kind` is not known"]),
        (
            files(),
            json!({ "at": "2025-12-31T10:00:00+08:00" }),
            &["clauses/1.rhai:3:", "calendar `workdays`", "year 2025", "2026 to 2026", "calendar's data"],
        ),
        (
            files(),
            json!({ "at": "2026-01-05T10:00:00+08:00" }),
            &["clauses/1.rhai:9:28: clause 1", "the term `fine` has no value in force"],
        ),
        (
            after_acceptance,
            json!({}),
            &["clauses/1.rhai:2:31: clause 1", "`contract.accepted_at` is not known", "project_accepted"],
        ),
        (
            one("within(hours(2))", "by(\"plan_due\")"),
            json!({}),
            &["clauses/1.rhai:3:", "`plan_due`", "not known when it starts"],
        ),
        (
            one("hours(2)", "hours(ticket.users)"),
            json!({ "data": { "kind": "failure", "users": i64::MAX } }),
            &["clauses/1.rhai:5:30: clause 1", "9223372036854775807 is too long a time"],
        ),
        (
            one("hours(2)", "hours(ticket.users)"),
            json!({ "data": { "kind": "failure", "users": -1 } }),
            &["clauses/1.rhai:5:30: clause 1", "a length of time is zero or more, not -1"],
        ),
        (
            one("terms.fine", "terms.fine * breach.ticket.users"),
            json!({ "data": { "kind": "failure", "users": i64::MAX } }),
            &["clauses/1.rhai:9:33: clause 1", "64-bit minor units"],
        ),
        (
            one("terms.fine", "terms.fine * breach.ticket.users"),
            json!({ "data": { "kind": "failure", "users": -1 } }),
            &["clauses/1.rhai:9:", "a penalty of -500.00 CNY: expected zero or more"],
        ),
    ];
    for (files, changes, words) in rows {
        let fault = fault_of(files, changes);
        for word in words {
            assert!(fault.contains(word), "`{fault}` does not say `{word}`");
        }
    }
}

/// The pack with a first clause that says paid, where the second says free.
fn disagreeing() -> Files {
    let mut files = files();
    let paid = "\nfn classify(ticket) { paid(\"a failure by misuse\") }\n";
    files.get_mut("clauses/1.rhai").unwrap().push_str(paid);
    files
}

fn replaced(mut files: Files, path: &str, from: &str, to: &str) -> Files {
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{path} does not hold `{from}`");
    *text = text.replace(from, to);
    files
}

#[test]
fn clauses_that_disagree_are_both_named_until_one_overrides() {
    let told = refusal(disagreeing());
    let expected = "clauses/2.rhai:3:4: E0704: clauses 1 and 2 can decide the same ticket, one free and the other paid: \
        one must state `overrides` (clauses/1.rhai:11:4: clause 1 decides here)";
    assert_eq!(told.trim_end(), expected);
    let urgent = json!({ "data": { "kind": "failure", "urgent": true } });
    for (winner, other, free) in [("1", "2", false), ("2", "1", true)] {
        let header = format!("//! clause: {winner}\n");
        let overrides = format!("{header}//! overrides: {other}\n");
        let mut engine =
            engine(replaced(disagreeing(), &format!("clauses/{winner}.rhai"), &header, &overrides));
        engine.submit(Event::from_value(report(urgent.clone())).unwrap()).unwrap();
        let class = engine.assessment("school-2026", "T1").unwrap().class.unwrap();
        assert_eq!((class.free, class.clause.to_string().as_str()), (free, winner));
    }
}

/// Two clauses are left alone when no ticket can come to both: by the value of one fact, or by their dates.
#[test]
fn clauses_that_cannot_meet_may_disagree() {
    let second =
        |condition: &str| replaced(disagreeing(), "clauses/2.rhai", "ticket.knows(\"urgent\")", condition);
    let both_dated = |until: &str| {
        let files = replaced(
            disagreeing(),
            "clauses/1.rhai",
            "//! clause: 1\n",
            &format!("//! clause: 1\n//! until: {until}\n"),
        );
        replaced(files, "clauses/2.rhai", "//! clause: 2\n", "//! clause: 2\n//! from: 2026-07-01\n")
    };
    for apart in [
        second("ticket.kind == \"emergency\""),
        second("ticket.knows(\"urgent\") && \"emergency\" == ticket.kind"),
        both_dated("2026-07-01"),
    ] {
        pack(apart);
    }
    // What cannot be proved to be apart counts as together.
    for together in [
        second("ticket.kind != \"failure\""),
        second("ticket.first.kind == \"emergency\""),
        second("ticket.kind == \"emergency\" || ticket.knows(\"urgent\")"),
        second("ticket.place == \"emergency\""),
        both_dated("2026-07-02"),
    ] {
        let told = refusal(together);
        assert!(told.contains(": E0704: clauses 1 and 2 can decide the same ticket"), "{told}");
    }
}
