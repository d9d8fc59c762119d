//! What an engine says does not depend on when it was opened: told live, or opened anew before every event, it says the same.

use std::sync::Arc;

use holdback::store::MemoryStore;
use holdback::{Decision, DecisionKind, DurableEngine, Engine, Event, Pack, TimeFrom};
use serde_json::{Value, json};

use super::reopened;

/// One level, over what is out of `web`; an outage under announced downtime costs nothing.
fn pack() -> Arc<Pack> {
    let clause = "//! clause: 1\nfn service_levels() { [availability(\"portal\").of_service(\"web\").announced(hours(1))] }\n\
                  fn credit(period) { if period.missed > 0 { yuan(10) } else { yuan(0) } }\n";
    let files = [
        (
            "pack.toml",
            "format = 1\nname = \"level\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n",
        ),
        ("contract.md", "# [1] Level\n# [2] Deposit\n"),
        ("clauses/1.rhai", clause),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Pack::from_files(files.into()).unwrap_or_else(|faults| panic!("{faults}")).into()
}

fn event(id: &str, kind: &str, at: &str, data: Value) -> Event {
    let data = data.as_object().cloned().unwrap_or_default();
    let (contract, kind, at) = ("c".to_owned(), kind.to_owned(), at.parse().unwrap());
    Event { id: id.to_owned(), contract, ticket: None, kind, at, actor: None, via: None, data }
}

/// What is found, by the step that finds it; the same by all engines, each decision and each record.
fn found(events: &[Event]) -> Vec<(String, String)> {
    let durable = || {
        let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events).unwrap();
        engine.take_pack(pack()).unwrap();
        engine
    };
    let (mut live, mut reopens, mut model) = (durable(), durable(), Engine::new());
    model.open(pack()).unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    for event in events {
        reopens = reopened(reopens);
        let told: Vec<Decision> = model.submit(event.clone()).unwrap();
        assert_eq!(live.submit(event.clone()).unwrap(), told, "live, at `{}`", event.id);
        assert_eq!(reopens.submit(event.clone()).unwrap(), told, "opened anew before `{}`", event.id);
        let new = told.into_iter().filter(|decision| decision.kind == DecisionKind::Found);
        all.extend(new.map(|decision| (event.id.clone(), decision.detail)));
    }
    for engine in [&live, &reopens] {
        let whole = engine.verify(true).unwrap();
        assert!(whole.is_whole(), "{whole:?}");
    }
    let (ours, theirs) = (model.contract_assessment("c"), live.contract_assessment("c").unwrap());
    assert_eq!(ours, theirs);
    let missed = ours
        .unwrap()
        .findings
        .into_iter()
        .filter(|finding| !all.iter().any(|(_, told)| told.ends_with(&finding.text)));
    assert_eq!(missed.collect::<Vec<_>>(), [], "a finding was told to nobody");
    all
}

/// The beginning makes another finding of an end that came before it. The engine that was not restarted never said so.
#[test]
fn an_end_before_its_beginning_is_told_by_all() {
    let outage = json!({ "outage": "o1", "service": "web" });
    let found = found(&[
        event("s", "signed", "2026-03-01T00:00:00Z", json!({})),
        event("e1", "outage_ended", "2026-03-02T00:00:00Z", outage.clone()),
        event("e2", "outage_started", "2026-03-03T00:00:00Z", outage),
        event("i", "invoiced", "2026-03-04T00:00:00Z", json!({ "amount": "5.00" })),
    ]);
    let found: Vec<(&str, &str)> = found.iter().map(|(at, what)| (at.as_str(), what.as_str())).collect();
    let ends = "event `e1`: outage `o1` of `web` ends";
    assert_eq!(
        found,
        [
            ("e1", &*format!("{ends}, but is not under way")),
            ("e2", &*format!("{ends} before it begins: it counts for nothing"))
        ]
    );
}

/// Told after the month has closed, in the order of outages, under downtime that was announced: the measure is as it was.
#[test]
fn an_outage_that_alters_no_measure_is_told_by_all() {
    let planned =
        json!({ "from": "2026-03-20T00:00:00Z", "until": "2026-04-01T00:00:00Z", "service": "web" });
    let found = found(&[
        event("s", "signed", "2026-03-01T00:00:00Z", json!({})),
        event("p", "downtime_planned", "2026-03-10T00:00:00Z", planned),
        event("i", "invoiced", "2026-04-04T00:00:00Z", json!({ "amount": "5.00" })),
        event("o", "outage_started", "2026-03-25T00:00:00Z", json!({ "service": "web" })),
        event("j", "invoiced", "2026-04-05T00:00:00Z", json!({ "amount": "5.00" })),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == "o" && found[0].1.contains("had not ended"), "{found:?}");
}

/// Among very many events one that comes late is told at once. It was told with the month's close, or after a restart.
#[test]
fn a_late_event_among_many_is_told_by_all() {
    let mut events = vec![event("s", "signed", "2026-03-01T00:00:00Z", json!({}))];
    for n in 0..600 {
        let (kind, outage) = (["outage_started", "outage_ended"][n % 2], format!("o{}", n / 2));
        let at = format!("2026-03-{:02}T{:02}:00:00Z", 2 + n / 24, n % 24);
        events.push(event(&format!("n{n}"), kind, &at, json!({ "outage": outage, "service": "web" })));
    }
    events.push(event("late", "outage_ended", "2026-03-26T12:30:00Z", json!({ "service": "web" })));
    events.push(event("i", "invoiced", "2026-03-28T00:00:00Z", json!({ "amount": "5.00" })));
    let found = found(&events);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == "late" && found[0].1.contains("not under way"), "{found:?}");
}
