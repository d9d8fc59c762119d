//! `holdback ingest`, `verify` and what else is done with a store in a file. What the records mean is the engine's business.

pub(crate) mod args;
mod ingest;
mod proof;
mod upkeep;

use std::path::Path;

use holdback::store::StoreError;
use holdback::{DurableEngine, DurableError};

use crate::Stop;
pub(crate) use ingest::{advance, ingest, kept, recompute};
pub(crate) use proof::{checkpoint, receipt, verify};
pub(crate) use upkeep::{back_up, compact, doctor, erase, export, import, restore};

/// A store cannot be used.
fn unusable(error: DurableError) -> Stop {
    Stop::Unusable(error.to_string())
}

fn broken(error: StoreError) -> Stop {
    Stop::Unusable(error.to_string())
}

fn open(db: &Path) -> Result<DurableEngine, Stop> {
    DurableEngine::open(db).map_err(unusable)
}

/// Works on a store and closes it, whatever comes of it: one that is left open has no seal.
fn with<T>(
    mut engine: DurableEngine,
    work: impl FnOnce(&mut DurableEngine) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let done = work(&mut engine);
    let closed = engine.close().map_err(broken);
    // The first fault is told.
    let done = done?;
    closed?;
    Ok(done)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Stop {
    Stop::Unusable(format!("{}: {error}", path.display()))
}

/// A small file as text.
#[expect(clippy::disallowed_methods, reason = "the program reads the files that it is given")]
fn text(path: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn json(value: &impl serde::Serialize) -> Result<String, Stop> {
    serde_json::to_string(value).map_err(|error| Stop::Unusable(error.to_string()))
}
