//! Events that are refused: nothing of them may stay.

use holdback::{Engine, EngineError, Event, EventError};
use serde_json::{Value, json};

use super::{engine, files, paid, report};

/// The name of an error's variant.
fn variant(error: &EventError) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '(', '{']).next().unwrap().to_owned()
}

/// Everything the engine would answer, to see that nothing has changed.
fn state(engine: &Engine) -> String {
    let assessment = engine.assessment("school-2026", "T0");
    let events: Vec<&Event> = engine.events().collect();
    let (now, due, notices) = (engine.now(), engine.next_due(), engine.notices());
    json!([engine.statement("school-2026"), assessment, events, now, due, notices]).to_string()
}

#[test]
fn events_are_refused_by_name_and_leave_no_trace() {
    let rows: Vec<(Value, &str, &[&str])> = vec![
        // The envelope.
        (report(json!({ "id": "" })), "Empty", &["`id` is empty"]),
        (report(json!({ "ticket": "" })), "Empty", &["event `e1`", "`ticket` is empty"]),
        (report(json!({ "kind": "" })), "Empty", &["`kind` is empty"]),
        (report(json!({ "id": null })), "Malformed", &["missing field `id`"]),
        (report(json!({ "at": null })), "Malformed", &["missing field `at`"]),
        (report(json!({ "at": "yesterday" })), "Malformed", &["`yesterday`", "RFC 3339"]),
        (
            report(json!({ "at": "2026-03-02T10:00:00" })),
            "Malformed",
            &["with offset", "2026-03-02T10:00:00"],
        ),
        (report(json!({ "at": "2026-02-30T10:00:00Z" })), "Malformed", &["2026-02-30"]),
        (report(json!({ "at": "2016-12-31T23:59:60Z" })), "Malformed", &["leap second"]),
        (report(json!({ "at": 1_772_416_800 })), "Malformed", &["1772416800"]),
        (report(json!({ "tiket": "T1" })), "Malformed", &["unknown field `tiket`", "`ticket`"]),
        (report(json!({ "data": [] })), "Malformed", &["expected a map"]),
        // What it is about.
        (
            report(json!({ "contract": "school-2025" })),
            "UnknownContract",
            &["`school-2025`", "did you mean `school-2026`?"],
        ),
        (report(json!({ "contract": "" })), "UnknownContract", &["``"]),
        (
            report(json!({ "kind": "reprted" })),
            "UnknownKind",
            &["event `e1`", "`reprted`", "did you mean `reported`?"],
        ),
        (report(json!({ "kind": "acknowledged" })), "UnknownKind", &["unknown kind `acknowledged`"]),
        (report(json!({ "ticket": null })), "Scope", &["`reported` is an event of a ticket"]),
        (report(json!({ "kind": "deposit_paid" })), "Scope", &["`deposit_paid` is an event of the contract"]),
        // The facts.
        (
            report(json!({ "data": { "kid": "failure" } })),
            "UnknownFact",
            &["unknown data `kid`", "did you mean `kind`?"],
        ),
        (
            report(json!({ "data": { "kind": "falure" } })),
            "FactType",
            &["`kind` is `\"falure\"`", "one of failure, emergency", "did you mean `failure`?"],
        ),
        (report(json!({ "data": { "kind": 1 } })), "FactType", &["`kind` is `1`", "a text"]),
        (
            report(json!({ "data": { "urgent": "yes" } })),
            "FactType",
            &["`urgent` is `\"yes\"`", "true or false"],
        ),
        (report(json!({ "data": { "users": "12" } })), "FactType", &["`users`", "a whole number"]),
        (
            report(json!({ "data": { "users": 1.5 } })),
            "FactType",
            &["`users` is `1.5`", "a whole number of 64 bits"],
        ),
        (report(json!({ "data": { "users": 9_223_372_036_854_775_808_u64 } })), "FactType", &["64 bits"]),
        (report(json!({ "data": { "place": true } })), "FactType", &["`place` is `true`", "a text"]),
        (report(json!({ "data": { "place": null } })), "FactType", &["`place` is `null`"]),
        (report(json!({ "data": { "fee": 500 } })), "FactType", &["`fee` is `500`", "an amount as text"]),
        (report(json!({ "data": { "fee": "500.001" } })), "Money", &["`fee`", "at most 2 decimals"]),
        (report(json!({ "data": { "fee": "five" } })), "Money", &["`five` is not an amount of CNY"]),
        (report(json!({ "data": { "fee": "99999999999999999999" } })), "Money", &["64-bit"]),
        (
            report(json!({ "data": { "fee": { "amount": "1.00", "currency": "USD" } } })),
            "Money",
            &["USD where CNY is expected"],
        ),
        (
            report(json!({ "data": { "fee": { "amount": "1.00", "currency": "YUAN" } } })),
            "Money",
            &["`YUAN` is not a currency code"],
        ),
        (
            report(json!({ "data": { "plan_due": "next week" } })),
            "Time",
            &["`plan_due`", "`next week`", "RFC 3339"],
        ),
        (report(json!({ "data": { "plan_due": "2026-03-04T10:00:00" } })), "Time", &["with offset"]),
        (
            report(json!({ "data": { "plan_due": 5 } })),
            "FactType",
            &["`plan_due` is `5`", "RFC 3339 with offset, or a date"],
        ),
        (
            report(json!({ "kind": "paused", "data": { "reason": 7 } })),
            "FactType",
            &["`reason` is `7`", "a text"],
        ),
        (
            report(json!({ "kind": "cancelled", "data": { "receipt": "no" } })),
            "FactType",
            &["`receipt`", "true or false"],
        ),
        // Money of the contract itself.
        (paid(json!({})), "MissingFact", &["`deposit_paid` needs `amount`", "such as \"10000.00\""]),
        (paid(json!({ "amount": "-1.00" })), "FactType", &["`amount` is `\"-1.00\"`", "zero or more"]),
        (paid(json!({ "amount": "0.001" })), "Money", &["`0.001`", "2 decimals"]),
        (
            report(json!({ "ticket": null, "kind": "penalty_waived", "data": {} })),
            "MissingFact",
            &["needs `penalty`", "<ticket>/<clause>/<clock>"],
        ),
    ];
    let mut engine = engine(files());
    engine.submit(Event::from_value(report(json!({ "id": "e0", "ticket": "T0" }))).unwrap()).unwrap();
    let before = state(&engine);
    for (input, expected, words) in rows {
        let told =
            Event::from_value(input.clone()).map_err(EngineError::Event).and_then(|e| engine.submit(e));
        let Err(EngineError::Event(error)) = told else { panic!("{input} gives {told:?}") };
        let text = error.to_string();
        assert_eq!(variant(&error), expected, "{input}: {text}");
        for word in words {
            assert!(text.contains(word), "{input}: `{text}` does not say `{word}`");
        }
        assert_eq!(state(&engine), before, "{input} left a trace");
    }
}

#[test]
fn what_is_not_json_is_refused_where_it_breaks_off() {
    for (text, words) in [
        ("", "EOF"),
        ("{\"id\": \"1\",", "line 1 column 11"),
        ("[]", "expected"),
        ("{\"id\": \"1\", \"id\": \"2\"}", "duplicate field `id`"),
        ("\u{0}", "line 1 column 1"),
        (
            "{\"specversion\": \"0.3\", \"id\": \"1\", \"source\": \"c\", \"type\": \"x\", \"time\": \"2026-03-02T10:00:00Z\"}",
            "expected `1.0`",
        ),
        ("{\"specversion\": \"1.0\", \"id\": \"1\"}", "missing field `source`"),
    ] {
        let error = Event::from_json(text).unwrap_err();
        assert!(
            matches!(error, EventError::Malformed(_)) && error.to_string().contains(words),
            "{text}: {error}"
        );
    }
    let deep = format!("{{\"id\": {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Event::from_json(&deep), Err(EventError::Malformed(_))));
}

#[test]
fn an_id_told_again_with_other_content_is_refused_by_the_field() {
    let rows: [(Value, &str); 6] = [
        (json!({ "ticket": "T2" }), "`ticket`"),
        (json!({ "kind": "updated" }), "`kind`"),
        (json!({ "at": "2026-03-02T10:00:01+08:00" }), "`at`"),
        (json!({ "actor": "somebody" }), "`actor`"),
        (json!({ "via": "phone" }), "`via`"),
        (json!({ "data": { "kind": "emergency" } }), "`data`"),
    ];
    let mut engine = engine(files());
    let first = Event::from_value(report(json!({ "ticket": "T0" }))).unwrap();
    engine.submit(first.clone()).unwrap();
    let before = state(&engine);
    for (change, field) in rows {
        let mut change = change;
        change.as_object_mut().unwrap().entry("ticket").or_insert(json!("T0"));
        let error = engine.submit(Event::from_value(report(change)).unwrap()).unwrap_err().to_string();
        assert!(
            error.contains("event `e1`") && error.contains(field) && error.contains("first telling"),
            "{error}"
        );
        assert_eq!(state(&engine), before);
    }
    // The same instant written with another offset is the same event.
    let same = report(json!({ "ticket": "T0", "at": "2026-03-02T02:00:00Z" }));
    assert_eq!(engine.submit(Event::from_value(same).unwrap()), Ok(Vec::new()));
}
