//! Generated clauses over generated tickets.

use std::sync::Arc;

use holdback::{Pack, TICKET_KINDS};

use super::generate::{self, choices::Choices};
use super::{compare, tickets, times, world};

/// Tickets for each generated clause file.
const TICKETS: usize = 24;

#[test]
#[expect(clippy::disallowed_methods, reason = "another seed is asked for by hand")]
fn compiled_equals_the_typed_program_over_generated_policies() {
    let seed: u64 = std::env::var("HOLDBACK_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (mut packs, mut compiled, mut judged, mut columns) = (0_u64, 0_u64, 0, 0);
    for nth in 0..times(400) {
        let mut dice = Choices::random(seed.wrapping_mul(1_000_003).wrapping_add(nth));
        let script = generate::clause(&mut dice).0;
        let Ok(pack) = Pack::from_files(world::files(&script)) else { continue };
        let pack = Arc::new(pack);
        packs += 1;
        let whole = pack.epochs().iter().all(|on| pack.graph(*on).uncompiled.is_empty());
        compiled += u64::from(whole);
        let histories: Vec<_> =
            (0..TICKETS).map(|_| tickets::history(&mut dice, &pack, &TICKET_KINDS)).collect();
        let (of, in_columns) = compare(&pack, &histories, &|| format!("seed {seed}, file {nth}:\n{script}"));
        judged += of;
        columns += in_columns;
    }
    println!("{packs} packs, {compiled} compiled whole; {judged} tickets, {columns} in columns alone");
    assert!(
        packs > times(300) && compiled * 2 > packs && columns * 4 > judged,
        "{packs} {compiled} {judged} {columns}"
    );
}
