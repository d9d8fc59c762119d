//! The built program, as its users run it.

#![expect(clippy::disallowed_methods, reason = "tests read the tree and what the program writes")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const LOG: &str = "tests/data/uci498/incident_event_log.zip";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn holdback(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdback"))
        .args(args)
        .current_dir(root())
        // The host's folder of whoever runs the tests is left alone.
        .env("HOLDBACK_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A program that stops early closes its input: that is for the exit code to tell.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let output = child.wait_with_output().expect("the program ends");
    assert!(writer.join().is_ok());
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The program's answer over the real log in JSON.
fn known(set: &[&str]) -> Value {
    let mut args = vec!["run", "rules/it-incidents", LOG, "--format", "json"];
    args.extend(set.iter().flat_map(|set| ["--set", set]));
    let output = holdback(&args, "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn breached(summary: &Value, clock: &str) -> [u64; 5] {
    let clock = &summary["clocks"][clock];
    let of = |priority: &str| clock["by"]["priority"][priority]["breached"].as_u64().unwrap_or_default();
    [of("P1"), of("P2"), of("P3"), of("P4"), clock["breached"].as_u64().unwrap_or_default()]
}

/// Two independent computations give these counts for a 24x7 clock without customer pauses.
#[test]
fn the_real_log_has_its_known_answer() {
    let summary = known(&["calendar=always", "customer_pauses=false"]);
    assert_eq!(summary["tickets"], 24_918);
    assert_eq!(breached(&summary, "response"), [98, 194, 6_506, 111, 6_909]);
    assert_eq!(breached(&summary, "resolution"), [164, 246, 10_644, 193, 11_247]);
    let import = &summary["import"];
    assert_eq!((&import["rows"], &import["ignored"]), (&141_712.into(), &5.into()));
}

/// Counted once more by a script of its own, calendars as prefix sums over days.
#[test]
fn the_other_variants_agree_with_a_second_computation() {
    for (set, response, resolution) in [
        (&[][..], [76, 153, 4_713, 50, 4_992], [143, 192, 5_054, 49, 5_438]),
        (
            &["calendar=china", "customer_pauses=false"],
            [75, 153, 4_599, 49, 4_876],
            [150, 201, 6_959, 104, 7_414],
        ),
    ] {
        let summary = known(set);
        assert_eq!(breached(&summary, "response"), response, "{set:?}");
        assert_eq!(breached(&summary, "resolution"), resolution, "{set:?}");
    }
}

const EVENTS: &str = r#"{"id":"1","contract":"school-2026","kind":"deposit_paid","at":"2026-01-15T09:00:00+08:00","data":{"amount":"800.00"}}
{"id":"2","contract":"school-2026","ticket":"T1","kind":"reported","at":"2026-03-02T10:00:00+08:00","via":"phone","data":{"kind":"emergency"}}
{"id":"3","contract":"school-2026","ticket":"T1","kind":"dispatched","at":"2026-03-02T11:00:01+08:00"}
"#;

#[test]
fn lines_that_cannot_be_read_are_told_by_number_and_the_rest_counts() {
    let events = format!(
        "{EVENTS}not json\n{}\n",
        r#"{"id":"4","contract":"school-2026","ticket":"T1","kind":"reslved","at":"2026-03-03T10:00:00+08:00"}"#
    );
    let output = holdback(&["run", "rules/school-after-sales", "-", "--format", "json"], &events);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains(":4:") && stderr.contains(":5:") && stderr.contains("did you mean `resolved`"),
        "{stderr}"
    );
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["events"]["taken"], 3);
    assert_eq!(summary["events"]["malformed"], 1);
    assert_eq!(summary["events"]["refused"], 1);
    assert_eq!(summary["tickets"], 1);

    let strict = holdback(&["run", "rules/school-after-sales", "-", "--strict"], &events);
    assert_eq!(strict.status.code(), Some(2), "{}", text(&strict.stderr));
}

#[test]
fn results_are_written_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("new").join("out");
    let args = [
        "run",
        "rules/school-after-sales",
        "-",
        "--out",
        out.to_str().expect("UTF-8"),
        "--as-of",
        "2026-03-10T00:00:00Z",
    ];
    let output = holdback(&args, EVENTS);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let decisions: Vec<Value> =
        read("decisions.ndjson").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let penalised: Vec<&Value> =
        decisions.iter().filter(|decision| decision["kind"] == "penalised").collect();
    assert_eq!(penalised.len(), 3, "dispatch one second late, contingency plan and solution never");
    assert!(
        penalised
            .iter()
            .all(|decision| decision["clause"] == "1.5(1)" && decision["amount"]["amount"] == "500.00")
    );
    assert!(read("ledger.csv").lines().count() > 4);
    let page = read("statement.html");
    assert!(
        page.contains("<svg") && !page.contains("http://") && !page.contains("<script"),
        "one file, no network"
    );
    // 800 pays the first in full and 300 of the second; nothing is left for the third.
    let summary: Value = serde_json::from_str(&read("summary.json")).expect("JSON");
    assert_eq!(summary["deposit"]["balance"]["amount"], "0.00");
    assert_eq!(summary["deposit"]["shortfall"]["amount"], "700.00");
    assert!(
        std::fs::read_dir(&out)
            .expect("the folder")
            .flatten()
            .all(|file| !file.file_name().to_string_lossy().contains("tmp"))
    );
}

#[test]
fn what_is_of_no_use_ends_with_two_and_says_why() {
    for (args, said) in [
        (&["run", "rules/nowhere", "-"][..], "pack.toml"),
        (&["run", "rules/it-incidents", "tests/nowhere.ndjson"], "nowhere.ndjson"),
        (&["run", "rules/it-incidents", "-", "--set", "calender=always"], "did you mean `calendar`"),
        (&["run", "rules/it-incidents", "-", "--set", "calendar=allways"], "always"),
        (&["run", "rules/it-incidents", "-", "--format", "xml"], "xml"),
        (&["explain", "rules/school-after-sales", "-", "--ticket", "T2"], "T1"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let output = holdback(args, EVENTS);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

#[test]
fn an_explanation_says_which_clause_and_how_long() {
    let output = holdback(&["explain", "rules/school-after-sales", "-", "--ticket", "T1"], EVENTS);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for part in ["1.5(1)", "dispatch: MISSED", "1 s", "2026-03-02 Mon 11:00:00", "500.00 CNY", "1.5(2)"] {
        assert!(told.contains(part), "`{part}` is missing in\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "no colour where there is no terminal");
}

#[test]
fn cases_that_fail_are_told_with_both_sides() {
    let fine = holdback(&["test", "rules/school-after-sales", "rules/it-incidents"], "");
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stdout));
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("pack");
    copy(&root().join("rules/it-incidents"), &pack);
    let terms = std::fs::read_to_string(pack.join("terms.toml")).expect("terms");
    std::fs::write(pack.join("terms.toml"), terms.replacen("value = 30", "value = 31", 1)).expect("written");
    let failed = holdback(&["test", pack.to_str().expect("UTF-8")], "");
    let told = text(&failed.stdout);
    assert_eq!(failed.status.code(), Some(1), "a term changed by a minute fails its cases:\n{told}");
    assert!(told.contains("expected") && told.contains("found"), "{told}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

#[test]
fn a_typo_in_a_pack_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("pack");
    copy(&root().join("rules/it-incidents"), &pack);
    let clause = pack.join("clauses").join("1-response.rhai");
    let script = std::fs::read_to_string(&clause).expect("a clause");
    std::fs::write(&clause, script.replacen("fn penalty(", "fn penality(", 1)).expect("written");
    let output = holdback(&["run", pack.to_str().expect("UTF-8"), "-"], "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("1-response.rhai") && stderr.contains("did you mean `penalty`"), "{stderr}");
}

#[test]
fn the_calendar_filter_answers_line_by_line() {
    let hours = r#""tz":"Asia/Shanghai","hours":{"mon":[["09:00","12:00"],["13:00","18:00"]],"fri":[["09:00","18:00"]]}"#;
    let lines = format!(
        "{{\"id\":1,\"op\":\"add\",{hours},\"start\":\"2026-03-06T17:00:00+08:00\",\"seconds\":7200}}\n\
         {{\"id\":\"b\",\"op\":\"between\",{hours},\"start\":\"2026-03-06T17:00:00+08:00\",\"end\":\"2026-03-09T10:00:00+08:00\"}}\n\
         {{\"id\":3,\"op\":\"subtract\",{hours},\"start\":\"2026-03-09T10:00:00+08:00\",\"seconds\":3600}}\n\
         {{\"id\":4,\"op\":\"ad\",{hours}}}\n"
    );
    let output = holdback(&["calendar"], &lines);
    let answers: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers[0], serde_json::json!({"id": 1, "result": "2026-03-09T02:00:00Z"}));
    assert_eq!(answers[1], serde_json::json!({"id": "b", "result": 7_200}));
    assert_eq!(answers[2], serde_json::json!({"id": 3, "result": "2026-03-09T01:00:00Z"}));
    assert_eq!(answers[3]["id"], 4);
    assert!(answers[3]["error"].as_str().expect("an error").contains("add"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdback"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
}
