//! The packs of the tree over random tickets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdback::{Pack, TICKET_KINDS};

use super::generate::choices::Choices;
use super::{compare, tickets, times};
use crate::Batch;

/// All packs of the tree.
fn packs() -> Vec<PathBuf> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut found = Vec::new();
    for folder in [rules.clone(), rules.join("agreements")] {
        let entries = folder_of(&folder);
        found.extend(entries.into_iter().filter(|path| path.join("pack.toml").exists()));
    }
    found.sort();
    found
}

fn folder_of(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_pack_compiles_whole_and_agrees_with_the_typed_program() {
    let all = packs();
    assert!(all.len() > 15, "{all:?}");
    for path in all {
        let pack = Arc::new(Pack::open(&path).unwrap());
        let name = pack.name.clone();
        let batch = Batch::new(Arc::clone(&pack), "2026-06-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(batch.uncompiled(), [], "{name}");
        let kinds: Vec<&str> =
            pack.event_kinds().filter(|kind| !holdback::CONTRACT_KINDS.contains(kind)).collect();
        assert!(kinds.len() >= TICKET_KINDS.len());
        let (mut judged, mut columns) = (0, 0);
        for seed in 0..times(20) {
            let mut dice = Choices::random(seed);
            let histories: Vec<_> = (0..200).map(|_| tickets::history(&mut dice, &pack, &kinds)).collect();
            let (of, in_columns) = compare(&pack, &histories, &|| format!("{name}, seed {seed}"));
            judged += of;
            columns += in_columns;
        }
        println!("{name}: {judged} tickets, {columns} in columns alone");
        assert!(judged > times(200), "{name}: {judged} {columns}");
    }
}
