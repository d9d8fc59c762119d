//! Scripts that mean harm, or were written in haste: each is stopped by name, soon, and harms no other ticket.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use holdback::{ClockState, Engine, Event, Pack};
use serde_json::json;

/// The most a script may take before it is stopped.
const TIME_MAX: Duration = Duration::from_millis(100);
/// The most memory that all these scripts together may take at once.
const MEMORY_MAX_KB: u64 = 64 << 10;

/// Where a script must be stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stopped {
    /// The pack is refused.
    Loading,
    /// The ticket's assessment ends in a fault with a line.
    Judging,
    /// The same, and the fault is of a whole function: its answer is of the wrong sort.
    Answering,
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
[facts.kind]
type = "text"
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

/// A function body that runs for hostile tickets only.
fn deadlines(body: &str) -> String {
    format!("fn applies(ticket) {{ ticket.kind == \"hostile\" }}\nfn deadlines(ticket) {{ {body} }}")
}

fn reported(id: &str, kind: &str) -> Event {
    let event = json!({ "id": id, "contract": "c", "ticket": format!("T-{id}"), "kind": "reported",
        "at": "2026-03-02T10:00:00Z", "data": { "kind": kind } });
    Event::from_value(event).unwrap()
}

/// Runs one script to its end: where it was stopped, its line, and what was said.
fn run(script: &str) -> (Stopped, usize, String) {
    let pack = match Pack::from_files(files(script)) {
        Ok(pack) => pack,
        Err(error) => {
            let fault = error.0.first().expect("a refusal names its fault");
            assert_eq!(fault.file, "clauses/1.rhai", "{error}");
            return (Stopped::Loading, fault.line, fault.to_string());
        }
    };
    let mut engine = Engine::new();
    engine.open(Arc::new(pack)).unwrap();
    engine.submit(reported("1", "hostile")).unwrap();
    engine.advance("2026-03-03T10:00:00Z".parse().unwrap()).unwrap();
    let assessment = engine.assessment("c", "T-1").unwrap();
    let fault = assessment.fault.unwrap_or_else(|| panic!("goes through: {script}"));
    assert_eq!((fault.file.as_str(), fault.clause.as_str()), ("clauses/1.rhai", "1"), "{fault}");
    assert!(assessment.clocks.is_empty() && assessment.penalties.is_empty(), "half assessed: {script}");
    // Another ticket of the same contract is judged as if nothing had happened.
    engine.submit(reported("2", "honest")).unwrap();
    engine.advance("2026-03-04T10:00:00Z".parse().unwrap()).unwrap();
    let honest = engine.assessment("c", "T-2").unwrap();
    assert_eq!((honest.fault, honest.clocks[0].state), (None, ClockState::Breached), "{script}");
    let how = if fault.message.contains(" gives ") || fault.message.contains(" lists ") {
        Stopped::Answering
    } else {
        Stopped::Judging
    };
    (how, fault.line, fault.to_string())
}

#[expect(clippy::disallowed_methods, reason = "the time a script takes is what is measured here")]
fn time(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

/// Runs a script up to three times, so that a busy machine is not taken for a slow script.
fn stopped_in_time(script: &str) -> (Stopped, usize, String) {
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

fn table() -> Vec<(String, Stopped, &'static str)> {
    use Stopped::{Answering, Judging, Loading};
    let body = |body: &str, how, said| (deadlines(body), how, said);
    let deep = |n: usize| format!("let x = {}1{}; []", "(".repeat(n), ")".repeat(n));
    vec![
        // Loops and recursion.
        body("loop { }", Judging, "does a loop never end"),
        body("while true { let x = 1; }", Judging, "does a loop never end"),
        body("for x in 0..9223372036854775807 { }", Judging, ""),
        body("do { } until false;", Judging, "does a loop never end"),
        body("loop { try { loop { } } catch { } }", Judging, "does a loop never end"),
        body("loop { try { throw \"again\"; } catch { } }", Judging, "does a loop never end"),
        (format!("{}\nfn f(n) {{ f(n + 1) }}", deadlines("f(0)")), Judging, ""),
        (format!("{}\nfn f(n) {{ g(n) }}\nfn g(n) {{ f(n) }}", deadlines("f(0)")), Judging, ""),
        (format!("{}\nfn f() {{ try {{ f() }} catch {{ f() }} }}", deadlines("f()")), Judging, ""),
        // Growth.
        body("let s = \"0123456789\"; loop { s += s; }", Judging, ""),
        body("let s = \"0123456789\"; loop { s = `${s}${s}`; }", Judging, ""),
        body("let a = []; loop { a.push(1); }", Judging, ""),
        body("let a = [1]; loop { a += a; }", Judging, ""),
        body("let a = []; loop { a = [a, a]; }", Judging, ""),
        body("let a = []; a.pad(1000000000, \"x\"); []", Judging, ""),
        body("let m = #{}; loop { m = #{a: m, b: m}; }", Judging, ""),
        body("let m = #{}; let i = 0; loop { m[`${i}`] = i; i += 1; }", Judging, ""),
        // Texts that are hard to read.
        body(&deep(10_000), Loading, ""),
        body(&format!("let x = {}1; []", "-".repeat(10_000)), Loading, ""),
        body(&format!("let x = {}true; []", "!".repeat(10_000)), Loading, ""),
        body(&format!("let x = {}[]{}; []", "[".repeat(10_000), "]".repeat(10_000)), Loading, ""),
        body(&format!("{}[]{}", "if true {".repeat(5_000), "}".repeat(5_000)), Loading, ""),
        body(&format!("let x = 1{}; []", " + 1".repeat(10_000)), Loading, ""),
        body(&format!("\"{}\"", "x".repeat(1 << 20)), Loading, ""),
        body(&"let x = 1;".repeat(20_000), Loading, ""),
        (format!("{}{}", deadlines("[]"), "\nfn f() { 1 }".repeat(10_000)), Loading, ""),
        body(&format!("[{}", "1,".repeat(100_000)), Loading, ""),
        (deadlines("[]") + "\u{0}\u{ffff}", Loading, ""),
        ("fn deadlines(ticket) { [] ".to_owned(), Loading, ""),
        // Numbers that have no answer.
        body("let x = 9223372036854775807 + 1; []", Judging, ""),
        body("let x = -9223372036854775807 - 2; []", Judging, ""),
        body("let x = 4611686018427387904 * 2; []", Judging, ""),
        body("let x = (-9223372036854775807 - 1) / -1; []", Judging, ""),
        body("let x = (-9223372036854775807 - 1) % -1; []", Judging, ""),
        body("let x = -(-9223372036854775807 - 1); []", Judging, ""),
        body("let x = 1 / 0; []", Judging, "divided"),
        body("let x = 1 % 0; []", Judging, ""),
        body("let x = 2 ** 64; []", Judging, ""),
        body("let x = 5 / 2; []", Judging, "whole number"),
        body("[due(\"x\").within(hours(9223372036854775807)).met_by(\"resolved\")]", Judging, "too long"),
        body("[due(\"x\").within(hours(-1)).met_by(\"resolved\")]", Judging, "zero or more"),
        body(
            "[due(\"x\").within(hours(2000000000)).in_calendar(\"work\").met_by(\"resolved\")]",
            Judging,
            "",
        ),
        body("[due(\"x\").within(days(4294967295)).met_by(\"resolved\")]", Judging, ""),
        body("[due(\"x\").within(days(4294967296)).met_by(\"resolved\")]", Judging, ""),
        body(
            "[due(\"x\").within(working_days(4294967295)).in_calendar(\"work\").met_by(\"resolved\")]",
            Judging,
            "",
        ),
        body("[due(\"x\").within(weeks(4294967295)).met_by(\"resolved\")]", Judging, ""),
        body("[due(\"x\").within(months(4294967295)).met_by(\"resolved\")]", Judging, ""),
        body("[due(\"x\").within(years(4294967295)).met_by(\"resolved\")]", Judging, ""),
        body("[due(\"x\").within(working_days(0)).in_calendar(\"work\").met_by(\"resolved\")]", Judging, "0"),
        body("let x = ticket.reported_at + hours(90000000); []", Judging, ""),
        body("let x = hours(2000000000) * 9223372036854775807; []", Judging, "overflows"),
        body("let x = started(hours(1), seconds(0)); []", Judging, "longer than nothing"),
        body("let x = yuan(9223372036854775807); []", Judging, ""),
        body("let x = yuan(\"0.001\"); []", Judging, "0.001"),
        body("let x = percent(\"79228162514264337593543950335\").of(yuan(900000), \"up\"); []", Judging, ""),
        body("let x = percent(5).of(yuan(5), \"sideways\"); []", Judging, "sideways"),
        // Words that are not given.
        body("eval(\"1\")", Loading, "eval"),
        body("import \"x\" as x; []", Loading, ""),
        body("print(\"x\"); []", Loading, "print"),
        body("loop { debug(1); }", Loading, "debug"),
        body("let f = |x| x; []", Loading, ""),
        body("let f = Fn(\"applies\"); []", Loading, "Fn"),
        body("[1].map(|x| x + 1)", Loading, ""),
        body("ticket.kind.call()", Loading, "name of a property"),
        body("sleep(1000); []", Judging, "sleep"),
        body("let x = timestamp(); []", Judging, "timestamp"),
        body("let x = rand(); []", Judging, "rand"),
        body("let x = open(\"/etc/passwd\"); []", Judging, "open"),
        body("undefined_name", Loading, "undefined_name"),
        body("let ticket = 1; []", Loading, "ticket"),
        body("let x = 1; { let x = 2; } []", Loading, "x"),
        ("loop { }\nfn deadlines(ticket) { [] }".to_owned(), Loading, "only functions"),
        ("let x = 1;\nfn deadlines(ticket) { [x] }".to_owned(), Loading, ""),
        ("fn deadlines() { [] }".to_owned(), Loading, "parameter"),
        ("fn deadlnes(ticket) { [] }".to_owned(), Loading, "deadlines"),
        ("fn other(ticket) { [] }".to_owned(), Loading, "defines none of"),
        // Ends by intent.
        body("throw \"I will not\";", Judging, "I will not"),
        body("throw;", Judging, ""),
        body("throw ticket;", Judging, ""),
        body("ticket.kind = \"honest\"; []", Judging, ""),
        body("terms.x = 1; []", Judging, ""),
        body("ticket.kind.kind.kind", Judging, ""),
        body("let x = [1][5]; []", Judging, ""),
        body("let x = #{a: 1}.b; []", Judging, "b"),
        // Answers of the wrong sort.
        body(
            "switch ticket.kind { \"never\" => [] }",
            Answering,
            "`deadlines` gives nothing: expected a list",
        ),
        body("return;", Answering, "`deadlines` gives nothing"),
        body("5", Answering, "`deadlines` gives the number 5"),
        body("[1]", Answering, "`deadlines` lists the number 1: expected `due(...)`"),
        body("[[]]", Answering, "`deadlines` lists"),
        body("due(\"x\")", Answering, "`deadlines` gives a deadline: expected a list"),
        body("[due(\"x\")]", Judging, "met_by"),
        body("[due(\"x\").met_by(\"resolved\")]", Judging, "no end"),
        (
            "fn applies(ticket) { if ticket.kind == \"hostile\" { 1 } else { false } }".to_owned(),
            Answering,
            "`applies` gives the number 1: expected true or false",
        ),
        (
            deadlines("[]") + "\nfn classify(ticket) { \"free\" }",
            Answering,
            "`classify` gives the text `free`",
        ),
        (deadlines("[]") + "\nfn classify(ticket) { }", Answering, "`classify` gives nothing"),
        (deadlines("[]") + "\nfn findings(ticket) { finding(\"x\") }", Answering, "`findings` gives"),
        (deadlines("[]") + "\nfn findings(ticket) { [\"x\"] }", Answering, "`findings` lists the text `x`"),
        (
            deadlines("[]") + "\nfn escalation(ticket) { [due(\"x\")] }",
            Answering,
            "`escalation` lists a deadline",
        ),
        (
            deadlines("[]") + "\nfn escalation(ticket) { [at_breach(\"x\").notify(\"boss\")] }",
            Judging,
            "does not set",
        ),
        (
            deadlines("[due(\"x\").within(hours(1)).met_by(\"resolved\")]") + "\nfn penalty(breach) { 500 }",
            Answering,
            "`penalty` gives the number 500: expected money",
        ),
        (
            deadlines("[due(\"x\").within(hours(1)).met_by(\"resolved\")]")
                + "\nfn penalty(breach) { yuan(-1) }",
            Judging,
            "zero or more",
        ),
        (
            deadlines("[due(\"x\").within(hours(1)).met_by(\"resolved\")]")
                + "\nfn penalty(breach) { loop {} }",
            Judging,
            "does a loop never end",
        ),
        (deadlines("[]") + "\nfn findings(ticket) { loop {} }", Judging, "does a loop never end"),
        (deadlines("[]") + "\nfn escalation(ticket) { loop {} }", Judging, "does a loop never end"),
        (deadlines("[]") + "\nfn classify(ticket) { loop {} }", Judging, "does a loop never end"),
    ]
}

#[test]
fn each_hostile_script_is_stopped_by_name_and_soon() {
    let before = peak_kb();
    let mut wrong = Vec::new();
    for (script, expected, said) in table() {
        let short: String = script.chars().take(120).collect();
        let (how, line, message) = stopped_in_time(&script);
        let placed = line > 0 || message.contains("the file defines none");
        if how != expected || !message.contains(said) || !placed || message.len() > 600 {
            let message: String = message.chars().take(600).collect();
            wrong.push(format!(
                "{short}\n    expected {expected:?} with `{said}` and a line, found {how:?}: {message}"
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
    let mut files = files("fn deposit_floor() { loop { } }");
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
