//! Stores copied, carried as text, made smaller, and looked after.

use std::io::{BufRead, BufReader};

use holdback::store::{Access, SqliteStore, Store, StoreError};
use holdback::{DurableEngine, DurableError, Instant};

use super::args::{CompactArgs, CopyArgs, EraseArgs, FileArgs};
use super::{broken, open, unusable, with};
use crate::{Console, FINDINGS, FINE, Stop, plural};

/// A copy, also while the store is being written.
pub(crate) fn back_up(args: &CopyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let store = SqliteStore::open(&args.from, Access::Read).map_err(broken)?;
    store.back_up(&args.to).map_err(broken)?;
    drop(store);
    whole(&args.to, console)
}

/// A store out of a backup: proved whole before it stands.
pub(crate) fn restore(args: &CopyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let backup = SqliteStore::open(&args.from, Access::Read).map_err(broken)?;
    let found = holdback::verify(&backup).map_err(broken)?;
    if !found.is_whole() {
        let what = found.broken.first().map(|broken| format!("record {}: {}", broken.seq, broken.what));
        let what = what.or_else(|| found.faults.first().cloned()).unwrap_or_default();
        return Err(Stop::Unusable(format!(
            "`{}` is damaged and was not restored: {what}",
            args.from.display()
        )));
    }
    backup.back_up(&args.to).map_err(broken)?;
    drop(backup);
    whole(&args.to, console)
}

/// Says of a copy that it is whole.
fn whole(path: &std::path::Path, console: &mut Console<'_>) -> Result<u8, Stop> {
    let copy = SqliteStore::open(path, Access::Read).map_err(broken)?;
    let found = holdback::verify(&copy).map_err(broken)?;
    let word = if found.is_whole() { "whole" } else { "DAMAGED" };
    console.say(&format!("{}: {word}, {}\n", path.display(), plural(found.records, "record")))?;
    Ok(if found.is_whole() { FINE } else { FINDINGS })
}

pub(crate) fn export(args: &FileArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let store = SqliteStore::open(&args.db, Access::Read).map_err(broken)?;
    let out = &mut *console.stdout;
    holdback::export(&store, &mut |line| writeln!(out, "{line}")).map_err(broken)?;
    Ok(FINE)
}

pub(crate) fn import(args: &FileArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let store = SqliteStore::create(&args.db).map_err(broken)?;
    let lines = BufReader::new(&mut *console.stdin).lines();
    let engine = holdback::import(lines, Box::new(store)).map_err(|error| {
        // A file in which nothing is would be in the way of the next try. When it cannot be removed, the first fault is told.
        let _ = SqliteStore::remove_empty(&args.db);
        unusable(error)
    })?;
    let records = plural(engine.records(), "record");
    let found = with(engine, |engine| engine.verify(false).map_err(unusable))?;
    if let Some(broken) = found.broken.first() {
        return Err(Stop::Unusable(format!("record {}: {}", broken.seq, broken.what)));
    }
    console.say(&format!("{records} read\n"))?;
    Ok(FINE)
}

pub(crate) fn compact(args: &CompactArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let (mut tickets, mut records) = (0, 0);
    with(open(&args.db)?, |engine| {
        let contracts: Vec<String> = engine.contracts().map(str::to_owned).collect();
        for contract in contracts {
            let done = engine.compact_before(&contract, args.before).map_err(broken)?;
            tickets += done.tickets;
            records += done.records;
        }
        Ok(())
    })?;
    let mut store = SqliteStore::open(&args.db, Access::Write).map_err(broken)?;
    store.compact().map_err(broken)?;
    store.close().map_err(broken)?;
    console.say(&format!("{} in {} made small\n", plural(records, "record"), plural(tickets, "ticket")))?;
    Ok(FINE)
}

pub(crate) fn erase(args: &EraseArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let refused = |error: holdback::EraseError| Stop::Unusable(error.to_string());
    let done = with(open(&args.db)?, |engine| match (&args.ticket, args.before) {
        (Some(ticket), _) => engine.erase(&args.contract, ticket, &args.facts).map_err(refused),
        (None, before) => {
            engine.erase_before(&args.contract, before.unwrap_or(Instant::MIN), &args.facts).map_err(refused)
        }
    })?;
    console.say(&format!(
        "erased from {} of {}\n",
        plural(done.records, "record"),
        plural(done.tickets, "ticket")
    ))?;
    Ok(FINE)
}

/// What is the matter with a store, and what to do about it.
pub(crate) fn doctor(args: &FileArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let mut ill = Vec::new();
    let store = match SqliteStore::open(&args.db, Access::Read) {
        Ok(store) => store,
        Err(error) => {
            console.say(&format!("it cannot be opened: {error}\n"))?;
            return Ok(FINDINGS);
        }
    };
    let found = holdback::verify(&store).map_err(broken)?;
    console.say(&format!(
        "{}: {}, {}\n",
        args.db.display(),
        plural(found.records, "record"),
        plural(found.rows, "row")
    ))?;
    ill.extend(
        found.broken.iter().map(|broken| format!("record {}: {}: restore a backup", broken.seq, broken.what)),
    );
    ill.extend(found.faults.iter().map(|fault| format!("{fault}: restore a backup, or import an export")));
    drop(store);
    for remark in &found.remarks {
        console.say(&format!("note: {remark}\n"))?;
    }
    match DurableEngine::open(&args.db) {
        Ok(engine) => with(engine, |engine| {
            if let Some(correction) = engine.correction().map_err(broken)? {
                let contract = &correction.contract;
                ill.push(format!("a recomputation of contract {contract} was interrupted: `holdback recompute --db` goes on with it"));
            }
            let waiting = engine.waiting(100_000).map_err(broken)?.len() as u64;
            console.say(&format!(
                "time {}, {} to look at next\n",
                engine.now(),
                engine.next_due().map_or("nothing".to_owned(), |due| due.to_string())
            ))?;
            console.say(&format!("{} not handed over\n", plural(waiting, "notice")))?;
            Ok(())
        })?,
        // A writer at work is no illness.
        Err(DurableError::Store(StoreError::Locked { .. })) => {
            console.say("it is open in another process\n")?
        }
        Err(error) => ill.push(error.to_string()),
    }
    for what in &ill {
        console.say(&format!("WRONG: {what}\n"))?;
    }
    if ill.is_empty() {
        console.say("nothing is wrong\n")?;
    }
    Ok(if ill.is_empty() { FINE } else { FINDINGS })
}
