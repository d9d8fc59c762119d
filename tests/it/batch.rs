//! Histories assessed in columns: the same answers as `run`, and a clear word on every input that is wrong.

#![expect(clippy::disallowed_methods, reason = "tests write what the program reads")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program's exit code, output and complaints.
fn holdback(args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("holdback").chain(args.iter().copied());
    let code = holdback_cli::run(args, &mut std::io::empty(), &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// The example pack.
const DESK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/it-incidents");

fn json(args: &[&str]) -> Json {
    let (code, out, err) = holdback(args);
    assert!(code < 2, "{args:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

/// Each clock: tickets met and missed.
fn clocks_of_assess(report: &Json) -> Vec<(String, u64, u64)> {
    let clocks = report["report"]["clocks"].as_array().unwrap();
    let number = |clock: &Json, key: &str| clock[key].as_u64().unwrap();
    let of = |clock: &Json| {
        (clock["clock"].as_str().unwrap().to_owned(), number(clock, "met"), number(clock, "missed"))
    };
    clocks.iter().map(of).collect()
}

#[test]
fn the_real_log_is_assessed_as_it_is_run() {
    let log = root().join("tests/data/uci498/incident_event_log.zip").display().to_string();
    let known = [
        (
            &["--set", "calendar=always", "--set", "customer_pauses=false"][..],
            [(18_009, 6_909), (13_671, 11_247)],
            "113000.00",
        ),
        (&[][..], [(19_926, 4_992), (19_480, 5_438)], "113000.00"),
        (&["--set", "calendar=china"][..], [(20_042, 4_876), (19_570, 5_348)], "112560.00"),
    ];
    for (set, wanted, deducted) in known {
        let args = [&["assess", DESK, &log, "--format", "json"][..], set].concat();
        let report = json(&args);
        let found = clocks_of_assess(&report);
        let [(met, missed), (resolved, late)] = wanted;
        assert_eq!(
            found,
            [("response".to_owned(), met, missed), ("resolution".to_owned(), resolved, late)],
            "{set:?}"
        );
        let contract = &report["report"]["contracts"][0];
        assert_eq!(contract["deducted"]["amount"], deducted, "{set:?}");
        let run = json(&[&["run", DESK, &log, "--format", "json"][..], set].concat());
        let statement = serde_json::to_string(&run).unwrap();
        assert!(statement.contains(&format!("\"{deducted}\"")), "{set:?}: run tells {deducted} too");
    }
}

/// Writes a table and assesses it.
fn assess(text: &str, name: &str, more: &[&str]) -> (u8, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let out = folder.path().join("out");
    let (input, out_text) = (path.display().to_string(), out.display().to_string());
    let args =
        [&["assess", DESK, &input, "--as-of", "2017-01-01T00:00:00Z", "--out", &out_text][..], more].concat();
    let (code, said, err) = holdback(&args);
    let refused = fs::read_to_string(out.join("refused.ndjson")).unwrap_or_default();
    (code, format!("{said}{refused}"), err)
}

const HEAD: &str = "contract,ticket,priority,reported_at,responded_at\n";

#[test]
fn rows_that_are_wrong_are_named_with_row_and_column() {
    let good = "it-desk,T1,P1,2016-03-01T10:00:00Z,2016-03-01T10:05:00Z\n";
    for (row, wanted) in [
        ("it-desk,T2,P9,2016-03-01T10:00:00Z,\n", "`P9` is not one of `P1`, `P2`, `P3`, `P4`"),
        ("it-desk,T2,P1,2016-03-01 10:00,\n", "is not an RFC 3339 time with offset"),
        ("it-desk,T2,P1,,2016-03-01T10:00:00Z\n", "never reported"),
        ("it-desk,,P1,2016-03-01T10:00:00Z,\n", "the ticket's id is missing"),
        ("it-dsk,T2,P1,2016-03-01T10:00:00Z,\n", "unknown contract `it-dsk`; did you mean `it-desk`?"),
    ] {
        let (code, said, err) = assess(&format!("{HEAD}{good}{row}"), "t.csv", &[]);
        assert_eq!(code, 1, "{row}: {said}{err}");
        assert!(
            said.contains("\"row\":2") && said.contains(wanted) && said.contains("1 tickets"),
            "{row}: {said}{err}"
        );
        let (code, _, err) = assess(&format!("{HEAD}{good}{row}"), "t.csv", &["--on-error", "stop"]);
        assert!(code == 2 && err.contains("row 2") && err.contains(wanted), "{row}: {err}");
    }
    // A priority that is missing stops its ticket by the fact's name, and nothing else.
    let (code, said, _) = assess(&format!("{HEAD}{good}it-desk,T2,,2016-03-01T10:00:00Z,\n"), "t.csv", &[]);
    assert!(code == 1 && said.contains("1 tickets could not be judged"), "{said}");
}

#[test]
fn columns_that_are_wrong_are_named() {
    for (head, wanted) in [
        ("contract,ticket,priority\n", "the column `reported_at` is missing"),
        (
            "contract,ticket,priorty,reported_at\n",
            "the column `priorty` is neither a fact nor an event of the pack; did you mean `priority`?",
        ),
        ("contract,ticket,reported,reported_at\n", "both give `reported`"),
        ("contract,ticket,kind,tme,at\n", "`tme`"),
    ] {
        let (code, _, err) = assess(head, "t.csv", &[]);
        assert!(code == 2 && err.contains(wanted), "{head}: {err}");
    }
}

#[test]
fn a_ticket_that_stands_twice_is_told() {
    let row = "it-desk,T1,P1,2016-03-01T10:00:00Z,\n";
    let (code, _, err) = assess(&format!("{HEAD}{row}{row}"), "t.csv", &[]);
    assert!(code == 2 && err.contains("row 2") && err.contains("ticket `T1` comes again"), "{err}");
}

/// Events of tickets that lie apart, and in any order, are put together; the answers are those of `run`.
#[test]
fn a_shuffled_log_is_put_in_order() {
    let log = root().join("tests/data/uci498/incident_event_log.zip");
    let pack = holdback::Pack::open(&root().join("rules/it-incidents")).unwrap();
    let mut events = holdback_cli::read_events(&log, &pack).unwrap();
    events.retain(|event| event.ticket.as_deref().is_some_and(|ticket| ticket.ends_with('7')));
    let mut dice = 1_u64;
    events.sort_by_cached_key(|_| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        dice >> 20
    });
    let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    fs::write(&path, lines.join("\n")).unwrap();
    let path = path.display().to_string();
    let assessed = json(&["assess", DESK, &path, "--format", "json"]);
    let run = json(&["run", DESK, &path, "--format", "json"]);
    let contract = &assessed["report"]["contracts"][0];
    for key in ["deducted", "balance"] {
        let amount = contract[key]["amount"].as_str().unwrap();
        assert!(run.to_string().contains(&format!("\"{amount}\"")), "{key} {amount}");
    }
    let tickets: std::collections::BTreeSet<_> =
        events.iter().filter_map(|event| event.ticket.clone()).collect();
    assert_eq!(assessed["report"]["tickets"], tickets.len());
    let missed: u64 = clocks_of_assess(&assessed).iter().map(|(_, _, missed)| missed).sum();
    let told = holdback(&["run", DESK, &path, "--format", "json"]).1;
    assert!(missed > 500 && told.contains("\"breached\""), "{missed}");
}

#[test]
fn a_parquet_file_that_is_cut_is_no_panic_and_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (whole, cut, out) = (path("whole.parquet"), path("cut.parquet"), path("out.parquet"));
    let (code, ..) = holdback(&["generate", "--tickets", "2000", "--contracts", "3", "--out", &whole]);
    assert_eq!(code, 0);
    let bytes = fs::read(&whole).unwrap();
    let mut tried = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut broken = bytes.clone();
        match at % 2 {
            0 => broken.truncate(at),
            _ => broken[at..(at + 9).min(bytes.len())].fill(0xa5),
        }
        fs::write(&cut, &broken).unwrap();
        let args = ["assess", DESK, &cut, "--any-contract", "--as-of", "2025-01-01T00:00:00Z", "--out", &out];
        let (code, _, err) = holdback(&args);
        if code == 2 {
            tried += 1;
            assert!(!err.is_empty() && !Path::new(&out).exists(), "at {at}: {err}");
        }
        let _ = fs::remove_file(&out);
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
    }
    assert!(tried > 15, "{tried}");
}

/// One thread and several, one file and a folder, asked again: the same totals.
#[test]
fn results_do_not_hang_on_threads_or_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, out) = (path("events.parquet"), path("out"));
    holdback(&["generate", "--tickets", "30000", "--contracts", "20", "--form", "events", "--out", &input]);
    let base = ["assess", DESK, &input, "--any-contract", "--format", "json"];
    let report = |more: &[&str]| json(&[&base[..], more].concat())["report"].clone();
    let one = report(&["--threads", "1"]);
    assert_eq!(one, report(&["--threads", "3"]));
    assert_eq!(one["tickets"], 30_000);
    assert_eq!(report(&["--out", &out]), one);
    assert_eq!(report(&["--out", &out]), one);
    let left = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut left: Vec<String> = left.collect();
    left.sort();
    assert_eq!(left, [".lock", "assessed-00001.parquet", "job.json", "totals.csv"]);
    // Another question does not take the parts of this one for answers.
    assert_ne!(report(&["--out", &out, "--set", "calendar=always"])["clocks"], one["clocks"]);
}

/// A disk that is full, as a limit on the size of files has it: an error that names the file, and no half file.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, out) = (path("t.parquet"), path("out"));
    holdback(&["generate", "--tickets", "20000", "--contracts", "5", "--out", &input]);
    fs::create_dir(&out).unwrap();
    for target in [path("out/o.parquet"), path("out/folder")] {
        // Blocks of 512 bytes, or of 1,024: less than the results take in both cases.
        let script = "trap '' XFSZ; ulimit -f 400; exec \"$@\"";
        let holdback = env!("CARGO_BIN_EXE_holdback");
        let args = ["assess", DESK, &input, "--any-contract", "--out", &target];
        let run = std::process::Command::new("sh").args(["-c", script, "sh", holdback]).args(args).output();
        let run = run.unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(".parquet") && said.contains("cannot be written: "), "{said}");
        let mut left: Vec<PathBuf> = Vec::new();
        let mut open = vec![PathBuf::from(&out)];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() { open.push(entry) } else { left.push(entry) }
            }
        }
        left.retain(|path| path.extension().is_some_and(|end| end != "json"));
        assert!(left.is_empty(), "{left:?}");
    }
}
