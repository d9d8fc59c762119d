//! Scripts that mean harm, or were written in haste: each is stopped by name, soon, and harms no other ticket.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use holdback::{ClockState, Engine, Event, Pack};
use serde_json::json;
use table::table;

/// The most a script may take before it is stopped.
const TIME_MAX: Duration = Duration::from_millis(100);
/// The most memory that all these scripts together may take at once.
const MEMORY_MAX_KB: u64 = 64 << 10;
/// The longest thing that is said of one mistake, in bytes.
const SAID_MAX: usize = 600;
/// So much is said of one pack at most.
const TOLD_MAX: usize = 100;

/// Where a script is stopped.
#[derive(Clone, Debug, PartialEq)]
enum Stopped {
    /// The pack is refused, with these codes and no others, in their order.
    Loading(String),
    /// The pack loads, and the ticket's assessment ends in a fault.
    Judging,
    /// It looks worse than it is: the ticket is judged.
    Nowhere,
}

/// What became of a script.
struct Found {
    stopped: Stopped,
    /// The line of the first thing said; 0 when the whole file is meant.
    line: usize,
    said: Vec<String>,
}

/// A whole clause file below its header. Line 1 is the header.
fn files(script: &str) -> BTreeMap<String, String> {
    let pack = r#"
format = 1
name = "hostile"
version = "1"
currency = "CNY"
zone = "UTC"
contracts = ["c"]
[facts]
kind = { type = "text" }
most = { type = "integer" }
none = { type = "integer" }
fee = { type = "money" }
last = { type = "instant" }
[roles.boss]
doc = "is told"
[calendars.work.hours]
mon = [["09:00", "17:00"]]
"#;
    let good = r#"//! clause: 2
fn applies(ticket) { ticket.kind == "honest" }
fn deadlines(ticket) { [due("repair").within(hours(2)).met_by("resolved")] }
fn penalty(breach) { yuan(500) }
fn deposit_floor() { yuan(0) }"#;
    [
        ("pack.toml", pack),
        ("contract.md", "# [1] Hostile\n# [2] Honest"),
        ("clauses/1.rhai", &format!("//! clause: 1\n{script}")),
        ("clauses/2.rhai", good),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into()
}

/// A ticket whose facts are as large as facts can be.
fn reported(id: &str, kind: &str) -> Event {
    let event = json!({ "id": id, "contract": "c", "ticket": format!("T-{id}"), "kind": "reported",
        "at": "2026-03-02T10:00:00Z", "data": { "kind": kind, "most": i64::MAX, "none": 0,
        "fee": "92233720368547758.07", "last": "9999-12-31T23:59:59Z" } });
    Event::from_value(event).unwrap()
}

/// Runs one script to its end: where it was stopped, and what was said.
fn run(script: &str) -> Found {
    let pack = match Pack::from_files(files(script)) {
        Ok(pack) => pack,
        Err(error) => {
            let faults = error.0;
            assert!(faults.iter().all(|fault| fault.place.file == "clauses/1.rhai"), "{faults:?}");
            assert!(faults.len() <= TOLD_MAX, "{} things are told", faults.len());
            let codes: BTreeSet<&str> = faults.iter().map(|fault| fault.code.name()).collect();
            let stopped = Stopped::Loading(codes.into_iter().collect::<Vec<_>>().join(" "));
            let line = faults.first().expect("a refusal names its fault").place.line;
            return Found { stopped, line, said: faults.iter().map(ToString::to_string).collect() };
        }
    };
    let mut engine = Engine::new();
    engine.open(Arc::new(pack)).unwrap();
    engine.submit(reported("1", "hostile")).unwrap();
    engine.advance("2026-03-03T10:00:00Z".parse().unwrap()).unwrap();
    let assessment = engine.assessment("c", "T-1").unwrap();
    let found = match &assessment.fault {
        Some(fault) => {
            assert_eq!((fault.file.as_str(), fault.clause.as_str()), ("clauses/1.rhai", "1"), "{fault}");
            assert!(
                assessment.clocks.is_empty() && assessment.penalties.is_empty(),
                "half assessed: {script}"
            );
            Found { stopped: Stopped::Judging, line: fault.line, said: vec![fault.to_string()] }
        }
        None => {
            let clocks: Vec<&str> = assessment.clocks.iter().map(|clock| &*clock.clock).collect();
            Found { stopped: Stopped::Nowhere, line: 1, said: vec![format!("judged: {}", clocks.join(" "))] }
        }
    };
    // Another ticket of the same contract is judged as if nothing had happened.
    engine.submit(reported("2", "honest")).unwrap();
    engine.advance("2026-03-04T10:00:00Z".parse().unwrap()).unwrap();
    let honest = engine.assessment("c", "T-2").unwrap();
    assert_eq!((honest.fault, honest.clocks[0].state), (None, ClockState::Breached), "{script}");
    found
}

/// What this thread has had of a processor; nothing where the system does not tell.
#[expect(clippy::disallowed_methods, reason = "the time a script takes is what is measured here")]
fn processor_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// How long the work takes: by the processor, so that a busy machine is not taken for a slow script, else by the clock.
#[expect(clippy::disallowed_methods, reason = "the time a script takes is what is measured here")]
fn time(work: impl FnOnce()) -> Duration {
    let (start, before) = (std::time::Instant::now(), processor_time());
    work();
    let elapsed = start.elapsed();
    match before.zip(processor_time()) {
        Some((before, after)) if after > before => after - before,
        _ => elapsed,
    }
}

/// Runs a script up to three times; the best counts.
fn stopped_in_time(script: &str) -> Found {
    let mut found = None;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        best = best.min(time(|| found = Some(run(script))));
        if best <= TIME_MAX {
            break;
        }
    }
    let script: String = script.chars().take(200).collect();
    assert!(best <= TIME_MAX, "takes {best:?}: {script}");
    found.unwrap()
}

/// The most memory this process has had, in kilobytes; nothing where the system does not tell.
#[expect(clippy::disallowed_methods, reason = "the memory a script takes is what is measured here")]
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[test]
fn each_hostile_script_is_stopped_by_name_and_soon() {
    let before = peak_kb();
    let mut wrong = Vec::new();
    for (script, expected, words) in table() {
        let found = stopped_in_time(&script);
        let placed = found.line > 0 || found.said.iter().any(|said| said.contains("the file defines none"));
        let worded = found.said.iter().any(|said| said.contains(words));
        let short = found.said.iter().all(|said| said.len() <= SAID_MAX);
        if found.stopped != expected || !worded || !placed || !short {
            let script: String = script.chars().take(200).collect();
            let said: String = found.said.join("\n    ").chars().take(800).collect();
            let how = found.stopped;
            wrong.push(format!(
                "{script}\n    expected {expected:?}, a line and `{words}`, found {how:?}: {said}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} scripts:\n{}", wrong.len(), wrong.join("\n"));
    if let (Some(before), Some(after)) = (before, peak_kb()) {
        println!("memory: {}", after - before);
    }
}

/// In a process of its own, where no other test takes memory.
#[test]
fn all_hostile_scripts_take_little_memory() {
    let this = std::env::current_exe().unwrap();
    let test = "hostile::each_hostile_script_is_stopped_by_name_and_soon";
    let run = Command::new(this).args(["--exact", test, "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}{}", String::from_utf8_lossy(&run.stderr));
    if peak_kb().is_some() {
        let memory = told.split_once("memory: ").expect("no figure").1;
        let kb: u64 = memory.lines().next().unwrap().trim().parse().unwrap();
        assert!(kb <= MEMORY_MAX_KB, "{kb} kB more than before");
    }
}

/// A floor that cannot be had takes nothing from the deposit, and says so.
#[test]
fn a_hostile_floor_stops_deductions_and_is_told() {
    let mut files = files("fn deposit_floor() { percent(\"99999999999999\").of(terms.much, \"up\") }");
    files.insert(
        "terms.toml".to_owned(),
        "much = { clause = \"1\", unit = \"CNY\", values = [{ from = 2020-01-01, value = \"90000000.00\" }] }"
            .to_owned(),
    );
    let honest = files.get_mut("clauses/2.rhai").unwrap();
    *honest = honest.replace("fn deposit_floor() { yuan(0) }", "");
    let mut engine = Engine::new();
    engine.open(Arc::new(Pack::from_files(files).unwrap_or_else(|e| panic!("{e}")))).unwrap();
    let paid = json!({ "id": "0", "contract": "c", "kind": "deposit_paid", "at": "2026-03-01T00:00:00Z",
        "data": { "amount": "1000.00" } });
    engine.submit(Event::from_value(paid).unwrap()).unwrap();
    engine.submit(reported("1", "honest")).unwrap();
    engine.advance("2026-03-03T10:00:00Z".parse().unwrap()).unwrap();
    let statement = engine.statement("c").unwrap();
    assert_eq!(statement.deposit.balance.to_string(), "1000.00 CNY");
    assert_eq!(statement.penalties.len(), 1);
    let remark = &statement.remarks[0];
    assert!(remark.contains("not deducted") && remark.contains("clauses/1.rhai:2"), "{remark}");
}
