use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "a pack and its events to judge")]
fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "files that were written")]
fn content(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A folder with a pack of one two-hour clock at 500 yuan, and these events.
fn folder(events: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pack = "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n\
        example = true\n[facts.priority]\ntype = \"one-of\"\nvalues = [\"P1\", \"P2\"]";
    let clause = "//! clause: 1\nfn deadlines(ticket) { [due(\"repair\").within(terms.limit).met_by(\"resolved\")] }\n\
        fn penalty(breach) { yuan(500) }";
    let terms = "[limit]\nclause = \"1\"\nunit = \"hours\"\nvalues = [{ from = 2020-01-01, value = 2 }]";
    write(folder.path(), "pack/pack.toml", pack);
    write(folder.path(), "pack/terms.toml", terms);
    write(folder.path(), "pack/contract.md", "# [1] Repair\n# [2] Deposit");
    write(folder.path(), "pack/clauses/1.rhai", clause);
    write(folder.path(), "pack/clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }");
    write(folder.path(), "events.ndjson", events);
    folder
}

/// Runs `holdback COMMAND pack events.ndjson MORE...` there: exit code, standard output, standard error.
fn holdback(folder: &Path, command: &str, more: &[&str]) -> (u8, String, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut args = vec!["holdback".to_owned(), command.to_owned(), path("pack"), path("events.ndjson")];
    args.extend(more.iter().map(ToString::to_string));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = crate::run(args, &mut std::io::empty(), &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn event(id: &str, ticket: &str, kind: &str, time: &str, data: &str) -> String {
    let ticket = if ticket.is_empty() { String::new() } else { format!(r#""ticket":"{ticket}","#) };
    format!(
        r#"{{"id":"{id}","contract":"c",{ticket}"kind":"{kind}","at":"2026-01-05T{time}Z","data":{{{data}}}}}"#
    )
}

fn events() -> String {
    [
        event("0", "", "deposit_paid", "00:00:00", r#""amount":"600.00""#),
        event("1", "A", "reported", "08:00:00", r#""priority":"P2""#),
        event("2", "A", "updated", "08:30:00", r#""priority":"P1""#),
        event("3", "A", "resolved", "10:00:00", ""),
        event("4", "B", "reported", "08:00:00", r#""priority":"P1""#),
        event("5", "B", "resolved", "10:00:01", ""),
        event("6", "C", "reported", "08:00:00", ""),
        event("7", "D", "reported", "09:30:00", ""),
        event("8", "E", "reported", "09:30:00", r#""priority":"P1""#),
        event("9", "E", "cancelled", "10:30:00", ""),
    ]
    .join("\n")
}

#[test]
fn every_clock_is_counted_once_and_by_the_priority_first_given() {
    let folder = folder(&events());
    let (code, out, err) = holdback(folder.path(), "run", &["--format", "json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["tickets"], 5);
    assert_eq!(answer["as_of"], "2026-01-05T10:30:00Z");
    let repair = &answer["clocks"]["repair"];
    let counts = |v: &serde_json::Value| {
        ["met", "breached", "open", "cancelled"].map(|name| v[name].as_u64().unwrap())
    };
    assert_eq!(counts(repair), [1, 2, 1, 1]);
    assert_eq!(repair["stopped_late"], 1);
    assert_eq!(counts(&repair["by"]["priority"]["P2"]), [1, 0, 0, 0], "A was P2 first");
    assert_eq!(counts(&repair["by"]["priority"]["P1"]), [0, 1, 0, 1]);
    assert_eq!(counts(&repair["by"]["priority"]["-"]), [0, 1, 1, 0]);
    assert_eq!(answer["penalties"]["amount"]["amount"], "1000.00");
    assert_eq!(answer["deposit"]["deducted"]["amount"], "600.00");
    assert_eq!(answer["deposit"]["shortfall"]["amount"], "400.00");
    assert_eq!(answer["penalties"]["states"], serde_json::json!({"deducted": 1, "partly": 1}));
    assert_eq!(answer["class"]["undecided"], 5);
}

#[test]
fn events_after_as_of_do_not_count_and_are_counted() {
    let folder = folder(&events());
    let args = ["--format", "json", "--as-of", "2026-01-05T10:00:00Z"];
    let (code, out, _) = holdback(folder.path(), "run", &args);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["events"]["later"], &answer["events"]["taken"]), (0, &2.into(), &8.into()));
    assert_eq!(answer["clocks"]["repair"]["breached"], 0, "at its due instant a clock still runs");
}

#[test]
fn refused_input_is_told_by_line_and_the_rest_is_judged() {
    let again = event("4", "B", "reported", "07:00:00", r#""priority":"P1""#);
    let repeated = event("4", "B", "reported", "08:00:00", r#""priority":"P1""#);
    let unknown = event("x", "B", "repored", "08:00:00", "");
    let folder = folder(&format!("{}\n{again}\nnonsense\n{unknown}\n{repeated}\n", events()));
    let out_folder = folder.path().join("out/deep");
    let (code, out, err) = holdback(folder.path(), "run", &["--out", out_folder.to_str().unwrap()]);
    assert_eq!(code, 1);
    let place = folder.path().join("events.ndjson").display().to_string();
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 3, "{err}");
    assert!(lines[0].starts_with(&format!("error: {place}:12: not an event")), "{err}");
    assert!(
        lines.iter().any(|line| line.contains(":11: ") && line.contains("the first telling stands")),
        "{err}"
    );
    assert!(
        lines.iter().any(|line| line.contains(":13: ") && line.contains("did you mean `reported`")),
        "{err}"
    );
    assert!(out.contains("10 taken, 1 repeated, 2 refused, 1 malformed"), "{out}");
    assert!(out.contains("example"), "{out}");
    let mut names: Vec<String> = std::fs::read_dir(&out_folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "decisions.ndjson",
        "ledger.csv",
        "notices.ndjson",
        "rejected.ndjson",
        "statement.html",
        "summary.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(content(&out_folder.join("rejected.ndjson")).lines().count(), 3);
    let ledger = content(&out_folder.join("ledger.csv"));
    assert!(ledger.contains("B/1/repair") && ledger.contains("600.00,CNY"), "{ledger}");
    let decisions = content(&out_folder.join("decisions.ndjson"));
    assert!(decisions.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(decisions.contains("\"breached\""), "{decisions}");
}

#[test]
fn strict_stops_at_the_first_fault_and_leaves_no_files() {
    let folder = folder(&format!("nonsense\n{}\nnonsense", events()));
    let out_folder = folder.path().join("out");
    let (code, out, err) =
        holdback(folder.path(), "run", &["--strict", "--out", out_folder.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("events.ndjson:1: ") && !err.contains("ndjson:12:"), "{err}");
    assert_eq!(std::fs::read_dir(&out_folder).unwrap().count(), 0);
}

#[test]
fn only_the_first_twenty_faults_are_printed() {
    let folder = folder(&"nonsense\n".repeat(25));
    let (code, out, err) = holdback(folder.path(), "run", &[]);
    assert_eq!((code, err.lines().count()), (1, 21));
    assert!(err.ends_with("5 more faults of the input\n"), "{err}");
    assert!(out.contains("25 malformed") && out.contains("no events"), "{out}");
}

#[test]
fn unusable_arguments_are_exit_code_2_with_a_reason() {
    let folder = folder(&events());
    for (more, reason) in [
        (vec!["--set", "limt=3"], "did you mean `limit`"),
        (vec!["--set", "limit=soon"], "limit"),
        (vec!["--set", "limit"], "TERM=VALUE"),
        (vec!["--as-of", "tomorrow"], "RFC 3339"),
        (vec!["--adapter", "servicenow-log"], "reads CSV"),
        (vec!["--adapter", "nothing"], "servicenow-log"),
    ] {
        let (code, out, err) = holdback(folder.path(), "run", &more);
        assert_eq!((code, out.as_str()), (2, ""), "{more:?}");
        assert!(err.starts_with("error: ") && err.contains(reason), "{more:?}: {err}");
    }
    let (code, _, err) = holdback(&folder.path().join("pack"), "run", &[]);
    assert_eq!(code, 2);
    assert!(err.contains("expected a folder with pack.toml"), "{err}");
}

#[test]
fn a_term_set_for_a_run_changes_the_answer_and_is_told() {
    let folder = folder(&events());
    let (code, out, _) = holdback(folder.path(), "run", &["--set", "limit=1"]);
    assert_eq!(code, 0);
    assert!(out.contains("limit = 1"), "{out}");
    assert!(
        out.contains("repair (1)  0         3     1          1") || out.contains("repair (1)    0"),
        "{out}"
    );
}

#[test]
fn a_ticket_that_nobody_knows_is_exit_code_2_with_the_nearest() {
    let folder = folder(&event("1", "INC-0001", "reported", "08:00:00", ""));
    let (code, out, err) = holdback(folder.path(), "explain", &["--ticket", "INC-001"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("unknown ticket `INC-001`; did you mean `INC-0001`?"), "{err}");
    let (code, out, _) = holdback(folder.path(), "explain", &["--ticket", "INC-0001", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["assessment"]["ticket"]), (0, &"INC-0001".into()));
}

#[test]
fn a_pack_whose_cases_fail_or_are_missing_is_exit_code_1() {
    let folder = folder("");
    let pack = folder.path().join("pack");
    let test = |more: &[&str]| {
        let mut args = vec!["holdback", "test", pack.to_str().unwrap()];
        args.extend(more);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = crate::run(args, &mut std::io::empty(), &mut out, &mut err);
        (code, String::from_utf8(out).unwrap())
    };
    let (code, out) = test(&[]);
    assert_eq!(code, 1);
    assert!(out.contains("no cases"), "{out}");
    let case = |state: &str| {
        format!(
            "[[case]]\nname = \"two hours\"\nclause = \"1\"\nas_of = \"2026-01-05T12:00:00Z\"\n\
             events = [{{ kind = \"reported\", at = \"2026-01-05T08:00:00Z\" }}]\n\
             [case.expect.clocks.repair]\nstate = \"{state}\""
        )
    };
    write(&pack, "cases/1.toml", &case("breached"));
    let (code, out) = test(&[]);
    assert!(code == 0 && out.ends_with("1 cases, 0 failed\n"), "{out}");
    write(&pack, "cases/1.toml", &case("met"));
    let (code, out) = test(&[]);
    assert_eq!(code, 1);
    for part in
        ["1 cases, 1 failed", "cases/1.toml: two hours (clause 1)", "expected  Met", "found     Breached"]
    {
        assert!(out.contains(part), "{out}");
    }
    let (code, out) = test(&["--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["packs"][0]["failed"]), (1, &1.into()));
}
