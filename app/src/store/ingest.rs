//! Events and time told to a store, and other versions of its packs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use holdback::{DurableEngine, EngineError, Event, Pack, TimeFrom};
use serde_json::json;

use super::args::{AdvanceArgs, IngestArgs, RecomputeArgs, Time};
use super::{broken, open, unusable, with};
use crate::replay::open_pack;
use crate::{Console, FINDINGS, FINE, Stop, write_error};

/// Opens a store, or makes one with a pack.
fn open_or_make(db: &Path, pack: Option<&Arc<Pack>>, time: TimeFrom) -> Result<DurableEngine, Stop> {
    if db.exists() {
        let mut engine = open(db)?;
        // A store whose making was interrupted, or a pack for further contracts.
        if let Some(pack) = pack.filter(|pack| pack.contracts.iter().all(|id| engine.pack(id).is_none())) {
            let taken = engine.take_pack(Arc::clone(pack));
            if let Err(error) = taken {
                return with(engine, |_| Err(unusable(error)));
            }
        }
        return Ok(engine);
    }
    let Some(pack) = pack else {
        return Err(Stop::Unusable(format!(
            "`{}`: no such store: name the pack of a new one with --pack",
            db.display()
        )));
    };
    let mut engine = DurableEngine::create(db, time).map_err(unusable)?;
    engine.take_pack(Arc::clone(pack)).map_err(unusable)?;
    Ok(engine)
}

pub(crate) fn ingest(args: &IngestArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let pack = args.pack.as_deref().map(|pack| open_pack(pack, &args.set)).transpose()?;
    let time = if args.time == Time::Host { TimeFrom::Host } else { TimeFrom::Events };
    with(open_or_make(&args.db, pack.as_ref(), time)?, |engine| lines(engine, args, console))
}

fn lines(engine: &mut DurableEngine, args: &IngestArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let most = usize::try_from(args.batch).unwrap_or(usize::MAX);
    let mut lines = BufReader::with_capacity(1 << 16, &mut *console.stdin);
    let (mut code, mut text, mut n) = (FINE, Vec::new(), 0_u64);
    loop {
        let mut batch: Vec<(u64, Result<Event, String>)> = Vec::new();
        let mut ended = false;
        while batch.len() < most {
            text.clear();
            let read = lines.read_until(b'\n', &mut text);
            n += 1;
            match read.map_err(|error| Stop::Unusable(format!("standard input: {error}")))? {
                0 => {
                    ended = true;
                    break;
                }
                _ if text.trim_ascii().is_empty() => continue,
                _ => {
                    let line = std::str::from_utf8(&text).map_err(|_| "is not UTF-8".to_owned());
                    batch.push((
                        n,
                        line.and_then(|line| Event::from_json(line).map_err(|error| error.to_string())),
                    ));
                }
            }
            // What has not come yet is not waited for.
            if !lines.buffer().contains(&b'\n') {
                break;
            }
        }
        if take(engine, batch, console.stdout)? {
            code = FINDINGS;
        }
        if ended {
            return Ok(code);
        }
    }
}

/// Tells a batch and answers each line. Says whether anything was refused.
fn take(
    engine: &mut DurableEngine,
    batch: Vec<(u64, Result<Event, String>)>,
    out: &mut dyn Write,
) -> Result<bool, Stop> {
    let events: Vec<Event> = batch.iter().filter_map(|(_, event)| event.as_ref().ok().cloned()).collect();
    let mut results = engine.ingest(events).into_iter();
    let mut refused = false;
    for (line, event) in batch {
        let answer = match event.map(|event| (event.id, results.next())) {
            Err(reason) => json!({ "line": line, "malformed": reason }),
            Ok((id, Some(Ok(decisions)))) => json!({ "id": id, "taken": true, "decisions": decisions }),
            Ok((id, Some(Err(EngineError::Ledger(error))))) => {
                json!({ "id": id, "taken": true, "decisions": [], "books": error.to_string() })
            }
            Ok((_, Some(Err(EngineError::Store(error))))) => return Err(broken(error)),
            Ok((id, Some(Err(error)))) => json!({ "id": id, "refused": error.to_string() }),
            Ok((id, None)) => json!({ "id": id, "refused": "it was not reached" }),
        };
        refused |= answer.get("taken").is_none();
        write_error(writeln!(out, "{answer}"))?;
    }
    write_error(out.flush())?;
    Ok(refused)
}

/// Tells a log to the store of `run --db`; gives all events that the store holds, in the order of telling.
pub(crate) fn kept(
    db: &Path,
    pack: &Arc<Pack>,
    events: Vec<(u64, Event)>,
    refuse: &mut dyn FnMut(u64, &Event, String) -> Result<(), Stop>,
) -> Result<Vec<Event>, Stop> {
    with(open_or_make(db, Some(pack), TimeFrom::Events)?, |engine| told(engine, db, pack, events, refuse))
}

fn told(
    engine: &mut DurableEngine,
    db: &Path,
    pack: &Pack,
    events: Vec<(u64, Event)>,
    refuse: &mut dyn FnMut(u64, &Event, String) -> Result<(), Stop>,
) -> Result<Vec<Event>, Stop> {
    let digest = pack.digest().map_err(broken)?;
    for contract in engine.contracts() {
        let held = engine.pack(contract).map(|pack| pack.digest()).transpose().map_err(broken)?;
        if held.is_some_and(|held| held != digest) {
            let (db, name) = (db.display(), format!("{}@{}", pack.name, pack.version));
            return Err(Stop::Unusable(format!(
                "`{db}` judges contract `{contract}` by another pack than `{name}`: use that one, or take this one first with \
                 `holdback recompute`"
            )));
        }
    }
    for part in events.chunks(1000) {
        let told = part.iter().map(|(_, event)| event.clone()).collect();
        for ((line, event), result) in part.iter().zip(engine.ingest(told)) {
            match result {
                Ok(_) | Err(EngineError::Ledger(_)) => {}
                Err(EngineError::Store(error)) => return Err(broken(error)),
                Err(error) => refuse(*line, event, error.to_string())?,
            }
        }
    }
    let mut all = Vec::new();
    engine.each_event(&mut |event| all.push(event)).map_err(broken)?;
    Ok(all)
}

pub(crate) fn advance(args: &AdvanceArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    with(open(&args.db)?, |engine| advanced(engine, args, console))
}

fn advanced(engine: &mut DurableEngine, args: &AdvanceArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    if args.to <= engine.now() {
        let told = format!(
            "the store's time is {} already: nothing was done; a clock that was set back does no harm\n",
            engine.now()
        );
        console.say(&told)?;
        return Ok(FINDINGS);
    }
    let decisions = match engine.advance(args.to) {
        Ok(decisions) => decisions,
        Err(EngineError::Ledger(error)) => {
            let _ = writeln!(console.stderr, "error: {error}");
            Vec::new()
        }
        Err(error) => return Err(Stop::Unusable(error.to_string())),
    };
    for decision in &decisions {
        console.say(&(super::json(decision)? + "\n"))?;
    }
    Ok(FINE)
}

pub(crate) fn recompute(args: &RecomputeArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    with(open(&args.db)?, |engine| recomputed(engine, args, console))
}

fn recomputed(
    engine: &mut DurableEngine,
    args: &RecomputeArgs,
    console: &mut Console<'_>,
) -> Result<u8, Stop> {
    if let (Some(contract), Some(pack)) = (&args.contract, &args.pack) {
        let pack = open_pack(pack, &args.set)?;
        let begun = engine.correct(contract, pack).map_err(unusable)?;
        console.say(&format!(
            "{} of contract {contract} are affected\n",
            crate::plural(begun.affected, "ticket")
        ))?;
    } else if engine.correction().map_err(broken)?.is_none() {
        return Err(Stop::Unusable(
            "no recomputation was interrupted: name a contract and its new pack".to_owned(),
        ));
    }
    let mut count = 0;
    while let Some(decisions) = engine.go_on_correcting().map_err(unusable)? {
        for decision in &decisions {
            console.say(&(super::json(decision)? + "\n"))?;
        }
        count += decisions.len() as u64;
    }
    console.say(&format!("{} came of it\n", crate::plural(count, "decision")))?;
    Ok(FINE)
}
