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
    for (above, least) in [("", 5), ("agreements/", 11)] {
        let before = packs.len();
        for entry in std::fs::read_dir(root().join("rules").join(above)).unwrap() {
            let folder = entry.unwrap().path();
            if folder.join("pack.toml").is_file() {
                let name = format!("{above}{}", folder.file_name().unwrap().to_string_lossy());
                let pack = Pack::open(&folder).unwrap_or_else(|faults| panic!("rules/{name}:\n{faults}"));
                packs.push((name, Arc::new(pack)));
            }
        }
        let found = packs.len() - before;
        assert!(found >= least, "rules/{above} holds {found} packs: expected {least} or more");
    }
    packs.sort_by(|a, b| a.0.cmp(&b.0));
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

#[test]
fn a_case_that_expects_another_on_call_fails() {
    let pack = "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\n\
        contracts = [\"c\"]\nroles = { engineer = {}, manager = {} }\n";
    let roster = "clause = \"2\"\ncontacts.li = { name = \"Li\", phone = \"1\", roles = [\"engineer\"] }\n";
    let case = |expected: &str| {
        format!(
            "[[case]]\nname = \"n\"\nclause = \"2\"\nas_of = \"2026-03-02T00:00:00Z\"\nevents = []\n\
             expect.on_call = [{{ at = \"2026-03-02T00:00:00Z\", {expected} }}]\n"
        )
    };
    let differences = |expected: &str| {
        let files = [
            ("pack.toml", pack),
            ("contract.md", "# [1] Deposit\n# [2] Roster"),
            ("clauses/1.rhai", "//! clause: 1\nfn deposit_floor() { money(\"0.00\") }"),
            ("roster.toml", roster),
            ("cases/2.toml", &case(expected)),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let pack = Pack::from_files(files.into()).unwrap();
        assert_eq!(pack.clauses[1].carried, Carried::File("roster.toml".to_owned()));
        let outcomes = run_cases(&Arc::new(pack));
        let told = outcomes.into_iter().flat_map(|outcome| outcome.differences);
        told.map(|d| format!("{}: {} / {}", d.what, d.expected, d.found)).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(differences("role = \"engineer\", contacts = [\"li\"]"), none);
    assert_eq!(differences("role = \"manager\", contacts = []"), none);
    let what = "on_call.engineer at 2026-03-02T00:00:00Z";
    assert_eq!(differences("role = \"engineer\", contacts = []"), [format!("{what}: nobody / li")]);
    assert_eq!(
        differences("role = \"engineer\", contacts = [\"li\", \"wu\"]"),
        [format!("{what}: li, wu / li")]
    );
    assert_eq!(differences("role = \"enginer\", contacts = []"), ["on_call: a role of pack.toml / enginer"]);
}
