//! Receipts of what is decided on a contract itself: its duties, its service levels, its deposit.

#![expect(clippy::disallowed_methods, reason = "the program is given files to verify")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use holdback::{DurableEngine, Event, Receipt, ReceiptError, TimeFrom, check_bundle};
use serde_json::{Value, json};

use super::in_file;

/// A duty, a level over outages, a level over the clocks of tickets, and a deposit with a mark.
const FILES: [(&str, &str); 6] = [
    (
        "pack.toml",
        "format = 1\nname = \"own\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\
         [deposit]\nlow = \"mark\"\n",
    ),
    (
        "terms.toml",
        "mark = { clause = \"4\", unit = \"CNY\", values = [{ from = 2020-01-01, value = \"800.00\" }] }\n",
    ),
    ("contract.md", "# [1] Duty\n# [2] Repair\n# [3] Levels\n# [4] Deposit\n"),
    (
        "clauses/1.rhai",
        "//! clause: 1\nfn duties() { [duty(\"backup\").every(\"FREQ=WEEKLY;BYDAY=MO\").within(hours(8))] }\n\
         fn penalty(breach) { yuan(50) }\n",
    ),
    (
        "clauses/2.rhai",
        "//! clause: 2\nfn deadlines(ticket) { [due(\"repair\").within(hours(4)).met_by(\"resolved\")] }\n\
         fn penalty(breach) { yuan(100) }\n",
    ),
    (
        "clauses/3.rhai",
        "//! clause: 3\nfn service_levels() {\n    [availability(\"portal\").of_service(\"web\"), in_time(\"answers\", \"repair\")]\n}\n\
         fn credit(period) { yuan(30) * period.missed }\n",
    ),
];

const FLOOR: (&str, &str) = ("clauses/4.rhai", "//! clause: 4\nfn deposit_floor() { yuan(100) }\n");

fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.into_iter().chain([FLOOR])
}

fn event(id: &str, ticket: Option<&str>, kind: &str, at: &str, data: Value) -> Event {
    let (contract, ticket, kind) = ("c".to_owned(), ticket.map(str::to_owned), kind.to_owned());
    let (at, data) = (at.parse().unwrap(), data.as_object().cloned().unwrap_or_default());
    Event { id: id.to_owned(), contract, ticket, kind, at, actor: None, via: None, data }
}

/// Two months: backups missed, an outage, ticket after ticket of which every third is late, and one that is told late itself.
fn events() -> Vec<Event> {
    let mut events = vec![
        event("s", None, "signed", "2026-03-01T00:00:00Z", json!({})),
        event("p", None, "deposit_paid", "2026-03-01T00:00:00Z", json!({ "amount": "1000.00" })),
        event("b", None, "duty_done", "2026-03-02T03:00:00Z", json!({ "duty": "backup" })),
        event("o1", None, "outage_started", "2026-03-07T00:00:00Z", json!({ "service": "web" })),
        event("o2", None, "outage_ended", "2026-03-07T06:00:00Z", json!({ "service": "web" })),
        event("o3", None, "outage_ended", "2026-03-07T07:00:00Z", json!({ "service": "web" })),
    ];
    for n in 0..12 {
        let ticket = format!("T{n}");
        let at = |hour: u32| format!("2026-03-{:02}T{hour:02}:00:00Z", 3 + 2 * n);
        let hour = if n % 3 == 0 { 15 } else { 11 };
        events.push(event(&format!("r{n}"), Some(&ticket), "reported", &at(9), json!({})));
        events.push(event(&format!("f{n}"), Some(&ticket), "resolved", &at(hour), json!({})));
    }
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    events.push(event("april", None, "duty_done", "2026-04-06T01:00:00Z", json!({ "duty": "backup" })));
    // After the month was closed and paid: another miss of March, and an end of one that had not counted so.
    events.push(event("late-r", Some("T99"), "reported", "2026-03-30T01:00:00Z", json!({})));
    events.push(event("late-f", Some("T3"), "resolved", "2026-03-09T10:00:00Z", json!({})));
    events
}

fn store(folder: &Path) -> DurableEngine {
    let files = files().map(|(path, text)| (path.to_owned(), text.to_owned()));
    let pack = holdback::Pack::from_files(files.collect()).unwrap_or_else(|faults| panic!("{faults}"));
    let mut engine = in_file(folder, TimeFrom::Events);
    engine.take_pack(pack.into()).unwrap();
    for event in events() {
        engine.submit(event).unwrap();
    }
    engine.advance("2026-05-02T00:00:00Z".parse().unwrap()).unwrap();
    engine
}

/// Which kinds of decisions on which duty, level or deposit there are.
fn kinds(receipts: &[Receipt]) -> Vec<String> {
    let text = |decision: &Value, name: &str| decision[name].as_str().unwrap_or("").to_owned();
    let all = receipts.iter().flat_map(|receipt| &receipt.decisions);
    let mut kinds: Vec<String> = all.map(|d| format!("{} {}", text(d, "kind"), text(d, "clock"))).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn decisions_on_the_contract_itself_have_receipts_that_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = store(folder.path());
    let pack = engine.pack("c").unwrap().clone();
    let receipts = engine.own_receipts("c").unwrap();
    let expected = [
        "breached backup",
        "closed answers",
        "closed portal",
        "deposit_exhausted ",
        "deposit_low ",
        "due backup",
        "found ",
        "met backup",
        "penalised answers",
        "penalised backup",
        "penalised portal",
        "reversed answers",
    ];
    for kind in expected {
        assert!(kinds(&receipts).iter().any(|known| known == kind), "{kind} in {:?}", kinds(&receipts));
    }
    let by_id: BTreeMap<String, Event> =
        events().into_iter().map(|event| (event.id.clone(), event)).collect();
    let (mut clocks, mut forged) = (0, 0);
    for receipt in &receipts {
        assert_eq!(receipt.ticket, None);
        let again: Receipt = serde_json::from_str(&serde_json::to_string(receipt).unwrap()).unwrap();
        assert_eq!(again.check(&pack, &by_id), Ok(()), "{receipt:#?}");
        let id = receipt.events.last().unwrap().id.clone();
        clocks += usize::from(by_id[&id].ticket.is_some());
        let mut fewer = by_id.clone();
        fewer.remove(&id);
        assert_eq!(receipt.check(&pack, &fewer), Err(ReceiptError::Missing { id: id.clone() }));
        // A sum, an instant or a share that is another one.
        for (place, decision) in receipt.decisions.iter().enumerate() {
            for (name, other) in [
                ("amount", json!("77.00")),
                ("due", json!("2026-03-09T00:00:00Z")),
                ("detail", json!("100 % in time, 0 of 9 missed")),
            ] {
                let is_checked = decision.get(name).is_some()
                    && !["reversed", "met", "restored"].contains(&decision["kind"].as_str().unwrap())
                    && !(name == "detail" && decision["kind"].as_str().unwrap().starts_with("deposit"));
                if is_checked {
                    let mut altered = receipt.clone();
                    altered.decisions[place][name] = other;
                    assert!(altered.check(&pack, &by_id).is_err(), "{name} of {decision}");
                    forged += 1;
                }
            }
        }
    }
    assert!(clocks > 2 && forged > 20, "{clocks} receipts rest on tickets, {forged} forged");
    // A receipt of the month's level rests on the tickets of that month, each of which is named.
    let march = receipts.iter().find(|receipt| {
        receipt
            .decisions
            .iter()
            .any(|d| d["kind"] == "closed" && d["clock"] == "answers" && d["subject"] == "2026-03")
    });
    let used = &march.unwrap().events;
    assert!((0..12).all(|n| used.iter().any(|event| event.id == format!("f{n}"))), "{used:?}");
    assert!(!used.iter().any(|event| event.id == "late-r"), "it was told later");
}

#[test]
fn a_month_of_decisions_on_the_contract_verifies_by_itself_and_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = store(folder.path());
    let mut lines = Vec::new();
    let mut write = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    let april = ("2026-04-01T00:00:00Z".parse().unwrap(), "2026-05-01T00:00:00Z".parse().unwrap());
    let count = engine.bundle(april, None, &mut write).unwrap();
    let own =
        |line: &&String| line.starts_with("{\"receipt\"") && !line.contains("\"contract\":\"c\",\"ticket\":");
    let at = lines.iter().position(|line| own(&line)).unwrap();
    let check = |lines: &[String]| check_bundle(lines.iter().map(|line| Ok(line.clone())));
    let whole = check(&lines);
    assert!(whole.faults.is_empty() && whole.receipts == count, "{whole:?}");
    let mut altered = lines.clone();
    altered[at] = altered[at].replace("missed\"", "missed!\"").replace("breached", "met");
    assert_ne!(altered[at], lines[at]);
    assert!(!check(&altered).faults.is_empty());
    engine.close().unwrap();
    // By the program: the store tells the receipts, pack and events are somebody else's.
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("pack/clauses")).unwrap();
    files().for_each(|(name, text)| std::fs::write(path("pack").join(name), text).unwrap());
    let told: String = events().iter().map(|event| json!(event).to_string() + "\n").collect();
    std::fs::write(path("events.ndjson"), told).unwrap();
    let run = |args: &[&str]| {
        let out =
            Command::new(env!("CARGO_BIN_EXE_holdback")).args(args).current_dir(&folder).output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned(), err)
    };
    let (code, receipts, told) = run(&["receipt", "--db", "store.db", "--contract", "c"]);
    assert_eq!(code, Some(0), "{told}");
    std::fs::write(path("receipts.json"), &receipts).unwrap();
    let verify = ["verify", "receipts.json", "--pack", "pack", "--events", "events.ndjson"];
    let (code, told, _) = run(&verify);
    assert!(code == Some(0) && told.contains("contract c as of") && !told.contains("ticket"), "{told}");
    std::fs::write(path("receipts.json"), receipts.replace("50.00", "60.00")).unwrap();
    let (code, told, _) = run(&verify);
    assert!(code == Some(1) && told.contains("contract `c`"), "{told}");
    let (code, _, told) = run(&["receipt", "--db", "store.db", "--contract", "d"]);
    assert!(code == Some(2) && told.contains("no decision on contract `d` itself"), "{told}");
}
