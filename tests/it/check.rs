//! `holdback check` of the built program.

#![expect(clippy::disallowed_methods, reason = "tests write packs and run the program")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn check(args: &[&str], below: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_holdback"))
        .arg("check")
        .args(args)
        .current_dir(below)
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A folder that holds `pack`, a pack with a misspelt entry function.
fn misspelt() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let clauses = folder.path().join("pack").join("clauses");
    std::fs::create_dir_all(&clauses).expect("a folder");
    let pack = "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\n\
        contracts = [\"c\"]\n\n[facts.kind]\ntype = \"one-of\"\nvalues = [\"failure\"]\n";
    let script = "//! clause: 1\nfn aplies(ticket) { ticket.kind == \"failure\" }\n";
    for (name, text) in [
        ("pack.toml", pack),
        ("terms.toml", ""),
        ("contract.md", "## [1] 故障\n"),
        ("clauses/1.rhai", script),
    ] {
        std::fs::write(folder.path().join("pack").join(name), text).expect("written");
    }
    folder
}

#[test]
fn the_packs_of_this_tree_are_fine() {
    let output = check(&["rules/school-after-sales", "rules/it-incidents"], &root());
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(
        told.contains("school-after-sales@1: fine\n") && told.contains("it-incidents@1: fine\n"),
        "{told}"
    );
    assert!(!told.contains("error[") && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_mistake_is_told_with_its_line_and_ends_with_one() {
    let folder = misspelt();
    let output = check(&["pack"], folder.path());
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in ["error[E", "did you mean `applies`", "pack/clauses/1.rhai:2:", "fn aplies(ticket)", "    ^"]
    {
        assert!(told.contains(part), "`{part}` is missing in\n{told}");
    }
    assert!(
        told.contains("\npack: ")
            && told.contains("(E")
            && told.contains("for more: holdback check --explain E"),
        "{told}"
    );
    assert!(!told.contains('\u{1b}'), "no colour where there is no terminal");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn json_and_sarif_are_one_value_each_over_all_packs() {
    let folder = misspelt();
    let json = check(&["pack", "nowhere", "--format", "json"], folder.path());
    assert_eq!(json.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&json.stdout).expect("one JSON object");
    let first = &told["packs"][0];
    assert_eq!((&first["folder"], &first["pack"]), (&"pack".into(), &Value::Null));
    let of_the_script = |one: &&Value| one["file"] == "clauses/1.rhai" && one["line"] == 2;
    let all = first["diagnostics"].as_array().expect("a list");
    let found = all.iter().find(of_the_script).expect("the misspelt function");
    assert_eq!((&found["severity"], found["message"].is_string()), (&"error".into(), true));
    let errors = all.iter().filter(|one| one["severity"] == "error").count();
    assert_eq!((&first["errors"], &first["warnings"]), (&errors.into(), &(all.len() - errors).into()));
    assert_eq!(told["packs"][1]["diagnostics"][0]["code"], "E0801");
    let here = folder.path().canonicalize().expect("a path");
    let whole = here.join("pack");
    let whole = whole.to_str().expect("UTF-8");
    // A folder below where we are is told relative to that, however it was named.
    for (named, below, uri) in [
        ("pack", &here, "pack/clauses/1.rhai".to_owned()),
        (whole, &here, "pack/clauses/1.rhai".to_owned()),
        (whole, &root(), format!("file://{whole}/clauses/1.rhai")),
    ] {
        let sarif = check(&[named, "--format", "sarif"], below);
        assert_eq!(sarif.status.code(), Some(1));
        let told: Value = serde_json::from_slice(&sarif.stdout).expect("one SARIF log");
        let results = told["runs"][0]["results"].as_array().expect("a list");
        let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
        let found = results.iter().map(place).find(|place| place["artifactLocation"]["uri"] == *uri);
        let found = found.unwrap_or_else(|| panic!("{uri} is missing in {results:?}"));
        assert_eq!(found["region"]["startLine"], 2);
    }
}

#[test]
fn what_is_of_no_use_ends_with_two() {
    for (args, said) in [
        (&["rules/nowhere"][..], "rules/nowhere: no such folder"),
        (&["rules/nowhere", "--format", "sarif"], "rules/nowhere: no such folder"),
        (&["Cargo.toml"], "Cargo.toml: no such folder"),
        (&[], "PACK"),
        (&["--explain", "E9101"], "unknown code `E9101`"),
        (&["--explain", "E0101", "rules/it-incidents"], "--explain"),
        (&["rules/it-incidents", "--deny", "errors"], "errors"),
        (&["rules/it-incidents", "--format", "xml"], "sarif"),
    ] {
        let output = check(args, &root());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(said) && !stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

#[test]
fn a_code_is_explained_without_a_pack() {
    let output = check(&["--explain", "w0904"], &root());
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(told.starts_with("warning[W0904]: a number that belongs in terms.toml\n"), "{told}");
    assert!(
        told.contains("\nWrong:\n") && told.contains("\nRight:\n") && told.contains("yuan(500)"),
        "{told}"
    );
}
