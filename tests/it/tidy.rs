//! The house rules that a machine can check. Each failure says which rule, where, and why it is one.

#![expect(clippy::disallowed_methods, reason = "tests read the tree and what the program writes")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Over this many lines a file wants to be split; none may go over it.
const LINES_MAX: usize = 480;
/// Longer lines are not read.
const WIDTH_MAX: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All text files of one ending below a folder of the tree, with their texts.
fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                let place = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.insert(place, fs::read_to_string(&path).expect("UTF-8 text"));
            }
        }
    }
    found
}

fn sources() -> BTreeMap<String, String> {
    ["engine/src", "app/src", "tests/it", "benches"].iter().flat_map(|folder| files(folder, ".rs")).collect()
}

fn none(rule: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

/// The stages of the engine in the order of the data path, each built on those before it.
const STAGES: [&str; 29] = [
    "nearest",
    "diagnostic",
    "time",
    "money",
    "event",
    "calendar",
    "roster",
    "terms",
    "ticket",
    "journal",
    "clock",
    "duty",
    "vocabulary",
    "level",
    "program",
    "policy",
    "pack",
    "graph",
    "assess",
    "decision",
    "outbox",
    "ledger",
    "explain",
    "store",
    "engine",
    "durable",
    "case",
    "check",
    "lib",
];
#[test]
fn stages_use_only_what_stands_before_them() {
    let order = |stage: &str| STAGES.iter().position(|known| *known == stage);
    let mut faults = Vec::new();
    for (path, text) in files("engine/src", ".rs") {
        let inner = path.trim_start_matches("engine/src/");
        let stage = inner.split(['/', '.']).next().unwrap_or(inner);
        let Some(here) = order(stage) else {
            faults.push(format!("{path}: `{stage}` is no stage; add it to STAGES where it belongs"));
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if order(&used).is_some_and(|there| there > here) {
                    faults.push(format!("{path}:{}: {stage} uses {used}, which comes later", i + 1));
                }
            }
        }
    }
    none("the engine's stages point one way, along the data path", faults);
}

#[test]
fn crates_point_one_way() {
    let mut faults = Vec::new();
    for (path, forbidden) in [
        (
            "engine/Cargo.toml",
            &["holdback-cli", "holdback-plugins", "holdback-batch", "wasmtime", "tokio", "hyper", "reqwest"]
                [..],
        ),
        ("app/Cargo.toml", &["holdback-benches", "criterion", "wasmtime", "hyper", "reqwest"]),
        ("plugins/Cargo.toml", &["holdback-cli", "holdback-benches", "holdback-batch"]),
        ("batch/Cargo.toml", &["holdback-cli", "holdback-benches", "holdback-plugins", "tokio", "wasmtime"]),
    ] {
        let text = fs::read_to_string(root().join(path)).expect("a manifest");
        faults.extend(
            forbidden.iter().filter(|name| text.contains(**name)).map(|name| format!("{path}: {name}")),
        );
    }
    none("the engine depends on no other crate of the workspace and knows no runtime or network", faults);
}

#[test]
fn channels_know_the_engine_by_its_notices_alone() {
    let mut faults = Vec::new();
    for (path, text) in files("plugins/src", ".rs") {
        for (i, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for (at, _) in code.match_indices("holdback::") {
                // A module of the bindings has the interface's name, which begins with the same word.
                if code[..at].ends_with(|c: char| c == ':' || c == '_' || c.is_alphanumeric()) {
                    continue;
                }
                let used = code[at..].trim_start_matches("holdback::").trim_start_matches('{');
                let names = used.split(['}', ';', ' ', '(', ')', '>', '&']).next().unwrap_or("");
                let names: Vec<&str> =
                    names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
                let known = |name: &&str| {
                    ["Notice", "DecisionKind", "channel"].contains(&name.split(':').next().unwrap_or(""))
                };
                if names.is_empty() || !names.iter().all(known) {
                    faults.push(format!("{path}:{}: {}", i + 1, line.trim()));
                }
            }
        }
    }
    none("plugins/ uses `Notice` and `DecisionKind` of the engine, and nothing else", faults);
}

#[test]
fn only_the_pack_folder_and_the_store_touch_disk() {
    let disk = ["engine/src/pack/folder.rs", "engine/src/store/seal.rs", "engine/src/store/sqlite.rs"];
    let mut faults = Vec::new();
    for (path, text) in files("engine/src", ".rs") {
        let reads = ["std::fs", "File::", "std::net", "SystemTime", "Instant::now", "Utc::now", "std::env"];
        for (i, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if !disk.contains(&path.as_str())
                && !path.contains("/tests")
                && reads.iter().any(|name| code.contains(name))
            {
                faults.push(format!("{path}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    none(
        "no engine file but pack/folder.rs and the store touches disk, and none reads time, network or environment",
        faults,
    );
}

#[test]
fn every_file_is_reached() {
    let all = sources();
    let mut faults = Vec::new();
    for path in all.keys() {
        let name = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        let entry = ["lib", "main"].contains(&name) || path.starts_with("benches/");
        let declared = all.iter().any(|(other, text)| {
            other != path
                && Path::new(other).parent().is_some_and(|folder| {
                    let file = Path::new(path);
                    let by_parent = file.parent() == Some(folder);
                    let by_module =
                        file.parent() == Some(&folder.join(Path::new(other).file_stem().unwrap_or_default()));
                    by_parent || by_module
                })
                && text.lines().any(|line| line.trim().ends_with(&format!("mod {name};")))
        });
        if !entry && !declared {
            faults.push(path.clone());
        }
    }
    none("no dead file: each is declared by a module beside or above it", faults);
}

#[test]
fn files_are_short_enough_to_read() {
    let long = |(path, text): (&String, &String)| {
        let lines = text.lines().count();
        (lines > LINES_MAX).then(|| format!("{path}: {lines} lines"))
    };
    none(
        "a file over 480 lines has parts that change for different reasons: split it",
        sources().iter().filter_map(long).collect(),
    );
    let mut wide = Vec::new();
    for (path, text) in sources() {
        // Test data may be wide, and so may the vocabulary's table, a row a word; code may not.
        if path.contains("tests") || path.ends_with("vocabulary/table.rs") {
            continue;
        }
        for (i, line) in text.lines().enumerate().filter(|(_, line)| line.chars().count() > WIDTH_MAX + 20) {
            wide.push(format!("{path}:{}: {} characters", i + 1, line.chars().count()));
        }
    }
    none("lines are at most 140 characters", wide);
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[", "ignore"),
    ];
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for (i, line) in
            text.lines().enumerate().filter(|(_, line)| marks.iter().any(|mark| has_word(line, mark)))
        {
            faults.push(format!("{path}:{}: {}", i + 1, line.trim()));
        }
    }
    none("what is not done is said in the issue tracker, not in the code", faults);
}

/// Whether a mark stands in a line by itself, not as the end of a longer word.
fn has_word(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| !line[..at].ends_with(char::is_alphabetic))
}

#[test]
fn a_test_that_computes_a_match_asserts_it() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for (i, line) in
            text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("matches!("))
        {
            // A tail expression has no semicolon; a bare statement throws its answer away.
            if line.trim_end().ends_with(");") {
                faults.push(format!("{path}:{}", i + 1));
            }
        }
    }
    none("a bare `matches!` asserts nothing", faults);
}

#[test]
fn every_clause_file_has_cases_and_every_case_a_clause() {
    let clauses = files("rules", ".rhai");
    let cases = files("rules", ".toml");
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in &clauses {
        // The folder with the clauses lies in the pack's.
        let pack = path
            .rsplit_once('/')
            .and_then(|(clauses, _)| clauses.rsplit_once('/'))
            .map_or("", |(pack, _)| pack);
        let id = text.lines().find_map(|line| line.strip_prefix("//! clause:")).map(str::trim).unwrap_or("");
        let about = format!("clause = \"{id}\"");
        let has = cases
            .iter()
            .any(|(file, text)| file.contains(&format!("{pack}/cases/")) && text.contains(&about));
        if !has {
            faults.push(format!("{path}: no case says `{about}`"));
        }
        seen.insert(pack.to_owned());
    }
    assert!(seen.len() >= 2, "packs were found: {seen:?}");
    none("every clause that a file carries has at least one case", faults);
}

#[test]
fn the_changelog_names_the_version() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .expect("a version")
        .trim_matches('"');
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md");
    assert!(changelog.contains(version), "CHANGELOG.md says nothing of {version}");
}
