//! The packs that come with the program hold what their own cases say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdback::{Carried, Pack, run_cases};

/// The workspace's folder: the nearest one above that holds `rules/`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|folder| folder.join("rules/README.md").is_file());
    root.expect("no folder above this crate holds rules/README.md").to_path_buf()
}

fn packs() -> Vec<(String, Arc<Pack>)> {
    let mut packs = Vec::new();
    for entry in std::fs::read_dir(root().join("rules")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("pack.toml").is_file() {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let pack = Pack::open(&folder).unwrap_or_else(|faults| panic!("rules/{name}:\n{faults}"));
            packs.push((name, Arc::new(pack)));
        }
    }
    packs.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!packs.is_empty(), "rules/ holds no pack");
    packs
}

#[test]
fn every_case_of_every_pack_holds() {
    let mut told = Vec::new();
    for (name, pack) in packs() {
        let outcomes = run_cases(&pack);
        assert!(!outcomes.is_empty(), "rules/{name} has no cases");
        for outcome in outcomes.iter().filter(|outcome| !outcome.differences.is_empty()) {
            told.push(format!(
                "rules/{name}/{}: `{}` (clause {})",
                outcome.file, outcome.name, outcome.clause
            ));
            for difference in &outcome.differences {
                let (expected, found) = (&difference.expected, &difference.found);
                told.push(format!("    {}: expected {expected}, found {found}", difference.what));
            }
        }
    }
    assert!(told.is_empty(), "cases that do not hold:\n{}", told.join("\n"));
}

#[test]
fn every_clause_with_a_file_has_a_case() {
    let mut bare = Vec::new();
    for (name, pack) in packs() {
        let tried: BTreeSet<String> = run_cases(&pack).into_iter().map(|outcome| outcome.clause).collect();
        for clause in &pack.clauses {
            if let Carried::File(file) = &clause.carried
                && !tried.contains(&clause.id)
            {
                bare.push(format!("rules/{name}/{file}: no case names clause {}", clause.id));
            }
        }
    }
    assert!(bare.is_empty(), "{}", bare.join("\n"));
}
