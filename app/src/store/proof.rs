//! Stores, receipts and bundles verified; receipts and checkpoints made.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use holdback::store::{Access, Checkpoint, Digest, SigningKey, SqliteStore, consistent};
use holdback::{DurableEngine, Event, Instant, Receipt, Verified, check_bundle};
use serde::{Deserialize, Serialize};

use super::args::{CheckpointArgs, ReceiptArgs, VerifyArgs};
use super::{broken, json, text, unreadable, unusable};
use crate::args::Format;
use crate::replay::open_pack;
use crate::{Console, FINDINGS, FINE, Stop};

/// A checkpoint and, if there was an earlier one, the proof that it is the beginning of this one.
#[derive(Serialize, Deserialize)]
struct Handed {
    checkpoint: Checkpoint,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Since>,
}

#[derive(Serialize, Deserialize)]
struct Since {
    size: u64,
    root: Digest,
    proof: Vec<Digest>,
}

#[expect(clippy::disallowed_methods, reason = "the program reads the files that it is given")]
pub(crate) fn verify(args: &VerifyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let path = &args.file;
    let mut file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut first = Vec::new();
    Read::by_ref(&mut file).take(64).read_to_end(&mut first).map_err(|error| unreadable(path, &error))?;
    let first = first.trim_ascii_start();
    if first.starts_with(b"{\"bundle\"") {
        let again = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
        return bundle(BufReader::new(again), args, console);
    }
    if first.starts_with(b"{") || first.starts_with(b"[") {
        return receipts(args, console);
    }
    store(args, console)
}

fn store(args: &VerifyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let store = SqliteStore::open(&args.file, Access::Read).map_err(broken)?;
    let mut found = holdback::verify(&store).map_err(broken)?;
    if args.replay && found.is_whole() {
        // Not in memory: that would hold the whole store once more.
        let into = Box::new(SqliteStore::temporary().map_err(broken)?);
        holdback::replay(&store, into, &mut found).map_err(unusable)?;
    }
    drop(store);
    if let Some(path) = &args.checkpoint {
        check_checkpoint(&args.file, path, &mut found)?;
    }
    match args.format {
        Format::Json => console.say(&(json(&found)? + "\n"))?,
        Format::Text => console.say(&told(&found))?,
    }
    Ok(if found.is_whole() { FINE } else { FINDINGS })
}

fn told(found: &Verified) -> String {
    let mut told = String::new();
    for broken in &found.broken {
        told += &format!("record {}: {}\n", broken.seq, broken.what);
    }
    found.faults.iter().for_each(|fault| told += &format!("{fault}\n"));
    found.remarks.iter().for_each(|remark| told += &format!("note: {remark}\n"));
    let root = found.root.map_or(String::new(), |root| format!(", root {root}"));
    let (records, rows) = (crate::plural(found.records, "record"), crate::plural(found.rows, "row"));
    let word = if found.is_whole() { "whole" } else { "DAMAGED" };
    told += &format!("{word}: {records}, {rows}{root}\n");
    if found.replayed > 0 {
        told += &format!("{} made anew\n", crate::plural(found.replayed, "step"));
    }
    told
}

/// Whether the store still holds what a checkpoint signed.
fn check_checkpoint(db: &Path, path: &Path, found: &mut Verified) -> Result<(), Stop> {
    let handed: Handed = serde_json::from_str(&text(path)?)
        .map_err(|error| Stop::Unusable(format!("{}: no checkpoint: {error}", path.display())))?;
    let Handed { checkpoint, since } = handed;
    if let Err(error) = checkpoint.check() {
        found.faults.push(error.to_string());
    }
    if let Some(since) = since
        && !consistent((since.size, since.root), (checkpoint.size, checkpoint.root), &since.proof)
    {
        found.faults.push("the checkpoint does not continue the one before it".to_owned());
    }
    let engine = DurableEngine::open_to_read(db).map_err(unusable)?;
    match engine.root(checkpoint.size) {
        Ok(root) if root == checkpoint.root => {
            found.remarks.push(format!(
                "the store continues the checkpoint of record {}, signed by {}",
                checkpoint.size, checkpoint.key
            ));
        }
        Ok(_) => found.faults.push(format!(
            "the first {} records are not those that the checkpoint signed: history was rewritten",
            checkpoint.size
        )),
        Err(error) => found.faults.push(error.to_string()),
    }
    Ok(())
}

fn bundle(lines: impl BufRead, args: &VerifyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let checked = check_bundle(lines.lines());
    match args.format {
        Format::Json => console.say(&(json(&checked)? + "\n"))?,
        Format::Text => {
            for fault in &checked.faults {
                console.say(&format!("{fault}\n"))?;
            }
            let signed = match checked.signed_by {
                Some(key) => format!("the chain is signed by {key}"),
                None => "the chain is not signed".to_owned(),
            };
            let (receipts, events) =
                (crate::plural(checked.receipts, "receipt"), crate::plural(checked.events, "event"));
            console.say(&format!("{receipts} of {events} hold; {signed}\n"))?;
        }
    }
    Ok(if checked.faults.is_empty() { FINE } else { FINDINGS })
}

fn receipts(args: &VerifyArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let (Some(pack), Some(events)) = (&args.pack, &args.events) else {
        return Err(Stop::Unusable(
            "a receipt needs --pack and --events to be made again; a bundle holds its own".to_owned(),
        ));
    };
    let pack = open_pack(pack, &args.set)?;
    let told = text(&args.file)?;
    let receipts: Vec<Receipt> = match serde_json::from_str(&told) {
        Ok(many) => many,
        Err(_) => vec![
            serde_json::from_str(&told)
                .map_err(|error| Stop::Unusable(format!("{}: no receipt: {error}", args.file.display())))?,
        ],
    };
    let mut by_id = BTreeMap::new();
    for (n, line) in (1..).zip(text(events)?.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let event = Event::from_json(line);
        let event = event.map_err(|error| Stop::Unusable(format!("{}:{n}: {error}", events.display())))?;
        by_id.insert(event.id.clone(), event);
    }
    // Events that come with the pack are nobody's to give.
    for receipt in &receipts {
        for event in pack.opening_events(&receipt.contract) {
            by_id.entry(event.id.clone()).or_insert(event);
        }
    }
    let mut code = FINE;
    for receipt in &receipts {
        match receipt.check(&pack, &by_id) {
            Ok(()) => {
                let on = match &receipt.ticket {
                    Some(ticket) => format!("ticket {ticket}"),
                    None => format!("contract {}", receipt.contract),
                };
                console.say(&format!("record {}: {on} as of {}: holds\n", receipt.record, receipt.as_of))?;
            }
            Err(error) => {
                code = FINDINGS;
                console.say(&format!("record {}: {error}\n", receipt.record))?;
            }
        }
    }
    Ok(code)
}

pub(crate) fn receipt(args: &ReceiptArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let mut engine = DurableEngine::open_to_read(&args.db).map_err(unusable)?;
    if let Some(contract) = &args.contract {
        let (receipts, on) = match &args.ticket {
            Some(ticket) => {
                (engine.receipts(contract, ticket), format!("ticket `{ticket}` of contract `{contract}`"))
            }
            None => (engine.own_receipts(contract), format!("contract `{contract}` itself")),
        };
        let receipts = receipts.map_err(unusable)?;
        if receipts.is_empty() {
            return Err(Stop::Unusable(format!("there is no decision on {on}")));
        }
        console.say(&(json(&receipts)? + "\n"))?;
        return Ok(FINE);
    }
    let month = args.month.as_deref().unwrap_or_default();
    let span = month_of(month)
        .ok_or_else(|| Stop::Unusable(format!("`{month}` is no month: expected such as 2026-03")))?;
    let key = args.key.as_deref().map(secret).transpose()?;
    let name = args.db.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let out = &mut *console.stdout;
    let mut write = |line: &str| writeln!(out, "{line}");
    let signed = key.as_ref().map(|key| (name.as_str(), key));
    engine.bundle(span, signed, &mut write).map_err(unusable)?;
    Ok(FINE)
}

/// A month in UTC: its first instant and that of the next one.
fn month_of(text: &str) -> Option<(Instant, Instant)> {
    let (year, month) = text.split_once('-')?;
    let (year, month): (i32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let first =
        |year, month| -> Option<Instant> { format!("{year:04}-{month:02}-01T00:00:00Z").parse().ok() };
    let next = if month == 12 { first(year + 1, 1) } else { first(year, month + 1) };
    Some((first(year, month)?, next?))
}

/// The key in a file, which is made if it is not there.
fn secret(path: &Path) -> Result<SigningKey, Stop> {
    if !path.exists() {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Stop::Unusable(format!("no random bytes: {error}")))?;
        write_secret(path, &format!("{}\n", Digest(seed))).map_err(|error| unreadable(path, &error))?;
    }
    let seed = text(path)?.trim().parse::<Digest>();
    seed.map(|seed| SigningKey::from_seed(seed.0))
        .map_err(|why| Stop::Unusable(format!("{}: {why}", path.display())))
}

/// A file that only its owner reads.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

pub(crate) fn checkpoint(args: &CheckpointArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let engine = DurableEngine::open_to_read(&args.db).map_err(unusable)?;
    let file = || args.db.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let checkpoint = engine.checkpoint(&args.name.clone().unwrap_or_else(file), &secret(&args.key)?);
    let since = match &args.since {
        None => None,
        Some(path) => {
            let old: Handed = serde_json::from_str(&text(path)?)
                .map_err(|error| Stop::Unusable(format!("{}: no checkpoint: {error}", path.display())))?;
            old.checkpoint.check().map_err(|error| Stop::Unusable(error.to_string()))?;
            let (size, root) = (old.checkpoint.size, old.checkpoint.root);
            let proof = engine.consistency(size, checkpoint.size).map_err(broken)?;
            if !consistent((size, root), (checkpoint.size, checkpoint.root), &proof) {
                let told = format!("the store does not continue `{}`: history was rewritten", path.display());
                return Err(Stop::Unusable(told));
            }
            Some(Since { size, root, proof })
        }
    };
    console.say(&(json(&Handed { checkpoint, since })? + "\n"))?;
    Ok(FINE)
}
